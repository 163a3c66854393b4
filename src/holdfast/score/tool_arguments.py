"""`tool_arguments_altered`: a tool was called with other values than the model wrote."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from holdfast.core.call import Call
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.json_values import compared, parsed, same_object
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import MAX_PIECES, reading_of

ALTERED_ARGUMENTS = Metric(
    name="tool_arguments_altered",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="altered_arguments",
    description=(
        "How sure it is that a tool was called with other values than the model wrote in its tool call, or in the JSON that it"
        " answered: changed, of another type, or missing. What the application added does not count."
    ),
    harm=2,
)
ALTERED = 0.7
"""How altered arguments are at least in which one value is another one."""

CALL_ID = "gen_ai.tool.call.id"
MAX_COMPARED = 8
"""Calls of one tool by the model, the latest ones, that a tool call is compared with."""


@dataclass(frozen=True)
class ToolArguments:
    """Compares each tool call with what the model asked for before: by id, else by name, else by the names in its JSON."""

    name: str = "tool_arguments"
    version: str = "1"
    metrics: tuple[Metric, ...] = (ALTERED_ARGUMENTS,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per tool call with arguments for which the model's own are known (of the first 200 calls)."""
        tools = [c for c in reading_of(trace).tool_calls if c.tool_arguments.strip()]
        if not tools:
            return ()
        wanted = _Wanted(trace)
        scores = []
        for call in tools:
            written = wanted.by(call)
            if written:
                # Calls of one tool may come in any order, and be tried again: the likest is its own.
                value, why = min((judged(each, call.tool_arguments) for each in written), key=itemgetter(0))
                scores.append(score_of(self, call, ALTERED_ARGUMENTS, value, why if value >= NOTABLE else ""))
        return scores


def judged(written: str, used: str) -> tuple[float, str]:
    """How sure it is that `used` says something else than `written`, both JSON; and what."""
    before, after = parsed(written), parsed(used)
    if before is None or after is None:
        # What the model wrote was no JSON: what was made of it is no alteration. The reverse is.
        return (ALTERED, "arguments are no JSON any more") if after is None and before is not None else (0.0, "")
    found, values = compared(before, after)
    if not found:
        return 0.0, ""
    return max(ALTERED, len(found) / values), "; ".join(map(str, found[:2]))


class _Wanted:
    """What models asked of tools in one trace."""

    def __init__(self, trace: Trace) -> None:
        models = trace.llm_calls[:MAX_PIECES]
        self._asked = [(t, c.start_ns) for c in models for m in c.output_messages for t in m.tool_calls if t.arguments]
        self._answers = [c for c in models if c.answer.lstrip()[:1] in ("{", "`")][-MAX_COMPARED:]

    def by(self, tool: Call) -> tuple[str, ...]:
        """What the model may have written for this call: by the call's id, else its tool, else the JSON that it answered."""
        asked = [t for t, time_ns in self._asked if t.name == tool.tool_name and time_ns <= tool.start_ns]
        identity = tool.attributes.get(CALL_ID)
        asked = [t for t in asked if t.id and t.id == identity] or asked
        if asked:
            return tuple([t.arguments for t in asked[-MAX_COMPARED:]])
        used = parsed(tool.tool_arguments) if self._answers else None
        answers = [c.answer for c in self._answers if c.start_ns <= tool.start_ns]
        return tuple([answer for answer in answers if same_object(parsed(answer), used)])
