"""`missing_tool_call` and `unexpected_tool_call`: tools are called for other questions than they used to be."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import exp, log
from typing import Self
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import MAX_PIECES, Reading, reading_of

MISSING = Metric(
    name="missing_tool_call",
    family=Family.RETRIEVAL,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="missing_tool_call",
    description=(
        "Probability, by the words of the question and the earlier requests of its route, that a tool is called, where none was;"
        " 0 where one was. Absent in a route's first 100 requests, and where tools are neither offered nor ever called."
    ),
    harm=2,
)
UNEXPECTED = Metric(
    name="unexpected_tool_call",
    family=Family.RETRIEVAL,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="unexpected_tool_call",
    description=(
        "How odd it is that the request called the oddest of its tools, judged like `missing_tool_call`: from 1 where no such"
        " request does, to 0 where 3 in 100 do, or none was called."
    ),
    harm=3,
)

MAX_ROUTES = 256
MAX_TOOLS = 8
"""Tools of a route that are told apart; the others count as one."""
OTHER_TOOL = ""
BUCKETS = 2048
MAX_WORDS = 60
TELLING = 3
"""Words that decide: those whose requests differ most from the average one. All together would count the same fact many times."""
TRUST = 0.7
"""How far a word is believed, for words of one question come together."""
PRIOR = 4.0
"""Requests that a word must have been in before its own share counts more than that of all."""

USUAL = 0.03
"""Share of such requests that call a tool, from which it is no surprise: agents choose among tools by chance, too."""

Counts = npt.NDArray[np.uint16]


class _State(msgspec.Struct, frozen=True, array_like=True):
    service: str
    route: str
    whole: bool
    tools: list[str]
    read: list[int]
    words: bytes


_decode = msgspec.msgpack.Decoder(list[_State]).decode


class Habit:
    """How often the requests of a route, and those with a word in their question, called a tool: any of them, and each.

    Rows of `read` and `words`: all requests, those that called any tool, then those that called each of `tools`.
    """

    def __init__(self) -> None:
        self.tools: list[str] = []
        self.read: Counts = np.zeros(2 + MAX_TOOLS, np.uint16)
        self.words: Counts = np.zeros((2 + MAX_TOOLS, BUCKETS), np.uint16)

    def expected(self, asked: list[int], row: int) -> float:
        """Probability, in (0, 1), that a request with these words calls what `row` counts."""
        read, called = float(self.read[0]), float(self.read[row])
        base = (called + 1.0) / (read + 2.0)
        usual = log(base / (1.0 - base))
        seen, with_call = self.words[0, asked].astype(np.float64), self.words[row, asked].astype(np.float64)
        share = (with_call + PRIOR * base) / (seen + PRIOR)
        moves = np.log(share / (1.0 - share)) - usual
        moves = moves[np.argsort(np.abs(moves), kind="stable")[-TELLING:]]
        return 1.0 / (1.0 + exp(-(usual + TRUST * float(moves.sum()))))

    def row_of(self, tool: str) -> int:
        """Where a tool is counted; −1 where it was never called."""
        if tool in self.tools:
            return 2 + self.tools.index(tool)
        return 2 + self.tools.index(OTHER_TOOL) if len(self.tools) == MAX_TOOLS else -1

    def learn(self, asked: list[int], tools: frozenset[str], memory: int) -> None:
        """Count one more request. Of more than `memory`, all count half: habits change."""
        for tool in sorted(tools):
            if self.row_of(tool) < 0:
                self.tools.append(tool if len(self.tools) < MAX_TOOLS - 1 else OTHER_TOOL)
        rows = [0, *([1] if tools else []), *sorted({self.row_of(tool) for tool in tools})]
        self.read[rows] += 1
        if asked:
            self.words[np.ix_(rows, asked)] += 1
        if self.read[0] >= memory:
            self.read //= 2
            self.words //= 2

    def state(self, service: str, route: str, whole: bool) -> _State:
        """For a snapshot."""
        return _State(service, route, whole, self.tools, self.read.tolist(), self.words.tobytes())

    def load(self, state: _State) -> None:
        """Take over what `state` gave.

        Raises:
            msgspec.ValidationError: it has another form.
        """
        if len(state.read) != 2 + MAX_TOOLS or len(state.words) != self.words.nbytes or len(state.tools) > MAX_TOOLS:
            raise msgspec.ValidationError("counts of another form")
        self.tools, self.read = list(state.tools), np.array(state.read, np.uint16)
        self.words = np.frombuffer(state.words, np.uint16).reshape(self.words.shape).copy()


@dataclass(frozen=True)
class ToolChoice:
    """Remembers the last `memory` (at most 60,000) requests of each of the 256 routes that were used last, as counts.

    A request is compared with those whose questions have the same telling words, so that other questions, which need fewer
    tools, are no failure. Requests of which the root is known, and those of which it is not, are two routes. Nothing is said of
    a route's first `learning` requests. What is counted changes slowly: a route that stops calling tools is noticed for as many
    requests as it called them before.
    """

    learning: int = 100
    memory: int = 4000
    name: str = "tool_choice"
    version: str = "1"
    metrics: tuple[Metric, ...] = (MISSING, UNEXPECTED)
    _habits: "OrderedDict[tuple[str, str, bool], Habit]" = field(default_factory=OrderedDict, repr=False, compare=False)

    def fresh(self) -> Self:
        """The same configuration without memories."""
        return replace(self, _habits=OrderedDict())

    def snapshot(self) -> bytes:
        """The counts of every route, the one that was used last at the end."""
        return msgspec.msgpack.encode([habit.state(*key) for key, habit in self._habits.items()])

    def restore(self, memories: bytes) -> None:
        """Take over what `snapshot` gave."""
        self._habits.clear()
        for state in _decode(memories):
            self._habit_of((state.service, state.route, state.whole)).load(state)

    def score(self, trace: Trace) -> Iterable[Score]:
        """Both for each request with a question and an answer, once its route is known. Answers from a cache call no tools."""
        reading = reading_of(trace)
        if not trace.llm_calls or not reading.answer or not reading.question_piece.kinds:
            return ()
        if any(call.cache_hit for call in trace.llm_calls):
            return ()
        asked, tools = _buckets(reading), _called(reading)
        # Spans that come late, or whose other part is lost, are a request without its root: their tools may be elsewhere.
        habit = self._habit_of((trace.service, trace.dimensions.get("route", ("",))[0], not trace.root.parent_span_id))
        known = habit.read[0] >= self.learning and bool(
            habit.read[1] or tools or any(c.tool_definitions for c in trace.llm_calls)
        )
        scores = self._judged(reading, habit, asked, tools) if known else ()
        habit.learn(asked, tools, self.memory)
        return scores

    def _judged(self, reading: Reading, habit: Habit, asked: list[int], tools: frozenset[str]) -> tuple[Score, Score]:
        missing = 0.0 if tools else habit.expected(asked, 1)
        why = f"no tool was called; {missing:.0%} of such requests call one" if missing >= NOTABLE else ""
        odd, tool = max(((self._odd(habit, asked, tool), tool) for tool in sorted(tools)), default=(0.0, ""))
        told = f"{tool[:60]} was called; {(1 - odd) * USUAL:.1%} of such requests do that" if odd >= NOTABLE else ""
        anchor = reading.anchor
        return score_of(self, anchor, MISSING, missing, why), score_of(self, anchor, UNEXPECTED, odd, told)

    @staticmethod
    def _odd(habit: Habit, asked: list[int], tool: str) -> float:
        row = habit.row_of(tool)
        return max(1.0 - habit.expected(asked, row) / USUAL, 0.0) if row >= 0 else 1.0

    def _habit_of(self, key: tuple[str, str, bool]) -> Habit:
        habit = self._habits.get(key)
        if habit is None:
            habit = self._habits[key] = Habit()
            if len(self._habits) > MAX_ROUTES:
                self._habits.popitem(last=False)
        else:
            self._habits.move_to_end(key)
        return habit


def _buckets(reading: Reading) -> list[int]:
    """Which counts the words of the question have, each once; all words with a digit are one, for they name single things."""
    kinds = {"0" if any(map(str.isdigit, word)) else word for word in reading.question_piece.kinds}
    # From the ends of the alphabet or the middle of the question it is all the same, as long as it is not by chance.
    return sorted({crc32(word.encode("utf-8", "replace")) % BUCKETS for word in sorted(kinds)[:MAX_WORDS]})


def _called(reading: Reading) -> frozenset[str]:
    """Names of the tools that the request called: by their spans, and by what models said, for spans may be lost."""
    trace = reading.trace
    named = {call.tool_name for call in reading.tool_calls}
    told = [m for c in trace.llm_calls[:MAX_PIECES] for m in c.output_messages]
    history = trace.history
    last = max((i for i, m in enumerate(history) if m.role in ("user", "human")), default=-1)
    told += history[last + 1 :][:MAX_PIECES]
    named |= {tool.name for message in told for tool in message.tool_calls}
    if not named and any(message.role == "tool" for message in told):
        named.add(OTHER_TOOL)
    return frozenset(named)
