"""`truncation`: the answer stops before its end."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import msgspec

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import reading_of
from holdfast.score.text import listed, shortened

TRUNCATION = Metric(
    name="truncation",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="truncated_answer",
    description="Probability that the answer stops before its end: the finish reason says so, or the text does.",
    harm=1,
)

CUT_REASONS = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "incomplete", "token_limit"})
ENDINGS = frozenset(".!?…:;\"'”’»)]}>*`|~。！？；：」』）】।؟۔")
OPEN_WORDS = listed("""
    a an the and or of to in with for on is are was were be by from that which your our their its der die das und oder
    mit von ein eine zu le la les et ou de du des un une el los las y o con il lo gli e di
""")
MIN_WORDS = 8
MAX_HABITS = 1024
HABIT = (0.9, 0.98)
"""Share of answers with a mark at the end, from which one without it is noticed, and from which it counts in full."""
CUT = 0.9


class Habit(msgspec.Struct, array_like=True):
    """How many of the last answers of an application, route and language ended with a mark."""

    answers: int = 0
    ended: int = 0

    def strength(self, learning: int) -> float:
        """How much the mark is missed where it is not there, in [0, 1]."""
        if self.answers < learning:
            return 0.0
        return min(max((self.ended / self.answers - HABIT[0]) / (HABIT[1] - HABIT[0]), 0.0), 1.0)

    def learn(self, ended: bool, memory: int) -> None:
        """Count one more answer. Of more than `memory`, all count half."""
        self.answers, self.ended = self.answers + 1, self.ended + ended
        if self.answers >= memory:
            self.answers, self.ended = self.answers // 2, self.ended // 2


_decode = msgspec.msgpack.Decoder(list[tuple[tuple[str, str, str], Habit]]).decode


@dataclass(frozen=True)
class Truncation:
    """Reads finish reasons, the last character and unbalanced brackets. `min_words`: shorter texts need no full stop.

    Where nearly all answers of an application, route and language end with a mark, a single line without it was cut, in
    whatever language and however short. That is known after `learning` answers, and the last `memory` of them count.
    """

    min_words: int = MIN_WORDS
    learning: int = 100
    memory: int = 2000
    name: str = "truncation"
    version: str = "2"
    metrics: tuple[Metric, ...] = (TRUNCATION,)
    _habits: "OrderedDict[tuple[str, str, str], Habit]" = field(default_factory=OrderedDict, repr=False, compare=False)

    def fresh(self) -> Self:
        """The same configuration without memories."""
        return replace(self, _habits=OrderedDict())

    def snapshot(self) -> bytes:
        """The habits, the one that was used last at the end."""
        return msgspec.msgpack.encode(list(self._habits.items()))

    def restore(self, memories: bytes) -> None:
        """Take over what `snapshot` gave."""
        self._habits.clear()
        self._habits.update(_decode(memories))

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace with an answer, or whose answering call was cut by the token limit."""
        reading = reading_of(trace)
        call = reading.anchor
        if any(reason.lower() in CUT_REASONS for reason in call.finish_reasons):
            return (score_of(self, call, TRUNCATION, 0.97, f"finish reason {call.finish_reasons[0]}"),)
        text = trace.delivered_answer
        if not text.strip():
            return ()
        told = reading.answer if len(text) <= len(reading.answer) else text[-200:]
        value, why = self._by_text(told)
        missed = self._missed(trace, told.rstrip())
        if missed > value:
            value, why = missed, f"other answers end with a mark, this one with {shortened(told[-30:])!r}"
        return (score_of(self, call, TRUNCATION, value, why if value >= NOTABLE else ""),)

    def _missed(self, trace: Trace, text: str) -> float:
        """Probability that the answer was cut, by how the others of its kind end. It is one of them from now on."""
        if not text or text[0] in "{[<" or "\n" in text:
            return 0.0
        where = trace.dimensions
        key = trace.service, where.get("route", ("",))[0], where.get("language", ("",))[0]
        habit = self._habits.setdefault(key, Habit())
        self._habits.move_to_end(key)
        if len(self._habits) > MAX_HABITS:
            self._habits.popitem(last=False)
        ended, strength = _marked(text), habit.strength(self.learning)
        habit.learn(ended, self.memory)
        return 0.0 if ended or " " not in text else CUT * strength

    def _by_text(self, text: str) -> tuple[float, str]:
        text = text.rstrip()
        if text[0] in "{[" and text[-1] not in "}]" and '"' in text:
            return 0.85, "JSON without its end"
        if text.count("```") % 2:
            return 0.8, "a code block without its end"
        if _marked(text):
            return (0.3, "an open bracket") if text.count("(") > text.count(")") + 1 else (0.01, "")
        return self._by_last_line(text)

    def _by_last_line(self, text: str) -> tuple[float, str]:
        last = text.rpartition("\n")[2].split()
        if not last or len(text.split(None, self.min_words)) < self.min_words:
            return 0.02, ""
        if text[-1] in ",-–(" or last[-1].lower() in OPEN_WORDS:
            return 0.9, f"ends with {last[-1]!r}"
        if len(last) < self.min_words and "\n" in text:
            return 0.05, ""
        # A text that ends its other sentences with a stop does not forget the last one.
        stops = text.count(". ") + text.count(".\n") + text.count("! ") + text.count("? ")
        return (0.7, f"ends in mid-sentence with {last[-1][:30]!r}") if stops else (0.3, "no full stop at the end")


def _marked(text: str) -> bool:
    """Whether a text ends with a mark, or a picture."""
    return text[-1] in ENDINGS or ord(text[-1]) > 0x2190
