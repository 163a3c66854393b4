"""Tool calls of agents: `tool_error`, `tool_arguments_invalid`, `repeated_call`, `tool_loop`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import re2

from holdfast.core.call import Call, Status
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import score_of
from holdfast.score.reading import MAX_PIECES, Reading, reading_of
from holdfast.score.text import CAP, capped, shortened, sigmoid

TOOL_ERROR = Metric(
    name="tool_error",
    family=Family.RETRIEVAL,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="tool_failure",
    description="Probability that a tool call failed: its status, or a result that reads like an error.",
    harm=2,
)
ARGUMENTS = Metric(
    name="tool_arguments_invalid",
    family=Family.RETRIEVAL,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="wrong_tool_arguments",
    description="Probability that a tool was called wrongly: no JSON object, a tool that was not offered, or the tool says so.",
    harm=2,
)
REPEATED = Metric(
    name="repeated_call",
    family=Family.RETRIEVAL,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="repeated_call",
    description="1 for a tool call with the same name and arguments as an earlier one of the request, else 0.",
    harm=1,
)
LOOP = Metric(
    name="tool_loop",
    family=Family.RETRIEVAL,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="agent_loop",
    description=(
        "Probability that an agent goes round in circles, from its longest cycle of equal tool calls and its number of steps."
    ),
    harm=2,
)

_ERROR_TEXT = re2.compile(
    r"(?i)^\s*(?:\W{0,3})(?:error|exception|traceback|fatal|failed|failure|timeout|timed out|internal server error"
    r"|bad gateway|service unavailable|unauthorized|forbidden|rate limit|too many requests|http(?:/\d\.\d)? ?[45]\d\d"
    r"|[45]\d\d (?:error|internal|bad|not found|service|gateway|unauthorized|forbidden|too many)|econn"
    r"|connection (?:refused|reset|timed))"
)
_ARGUMENT_ERROR = re2.compile(
    r"(?i)(?:invalid|missing|unexpected|unknown|required|unrecognized|bad|malformed"
    r"|unsupported) (?:required )?(?:keyword |positional |input |request |query )?(?:argument|parameter|param|field"
    r"|property|key|input|value|type|format|enum|id\b)|validation ?error|schema|is required|is not (?:a valid|of type"
    r"|one of)|must be (?:a|an|one of|of type|in)|422|bad request|\b400\b|could not parse|type ?error|unprocessable"
)
_BAD_STATUS = frozenset({"error", "failed", "failure", "fail", "timeout", "exception", "unavailable", "denied"})
_GOOD = frozenset({"", "0", "none", "null", "false", "ok", "no", "[]", "{}"})
_SEPARATOR = "\x1f"


def error_in(result: str) -> tuple[float, str]:
    """Probability that a tool's result is an error, and the words that say so."""
    text = capped(result).lstrip()
    if text[:1] == "{":
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return 0.0, ""
        return _error_in_object(value)
    return (0.85, shortened(text)) if _ERROR_TEXT.search(text[:200]) else (0.0, "")


def _error_in_object(value: dict[str, Any]) -> tuple[float, str]:
    for key in ("error", "errors", "error_message", "errorMessage", "exception", "Error"):
        told = value.get(key)
        if told is not None and str(told).lower() not in _GOOD:
            return 0.95, shortened(f"{key}: {told}")
    status = str(value.get("status", value.get("state", ""))).lower()
    if status in _BAD_STATUS or (status.isdigit() and 400 <= int(status[:6]) < 600):
        return 0.85, f"status {status[:40]}"
    for key in ("code", "status_code", "statusCode"):
        code = str(value.get(key, ""))
        if code.isdigit() and 400 <= int(code[:6]) < 600:
            return 0.85, f"{key} {code[:40]}"
    if value.get("success") is False or value.get("ok") is False or value.get("isError") is True:
        return 0.9, "no success"
    return 0.0, ""


def tool_failure(call: Call) -> tuple[float, str]:
    """Probability that a tool call failed, and why."""
    if call.status is Status.ERROR or call.error_type:
        return 1.0, shortened(f"{call.tool_name}: {call.error_type} {call.error_message}", 120)
    return error_in(call.tool_result)


@dataclass(frozen=True)
class Tools:
    """Checks each tool call, and their sequence. From `cycle` equal rounds, or `steps` calls, on a loop is as likely as not."""

    cycle: float = 3.5
    steps: float = 25.0
    name: str = "tools"
    version: str = "1"
    metrics: tuple[Metric, ...] = (TOOL_ERROR, ARGUMENTS, REPEATED, LOOP)

    def score(self, trace: Trace) -> Iterable[Score]:
        """The first three for each tool call (the first 200), `tool_loop` once on the answering call."""
        reading = reading_of(trace)
        scores: list[Score] = []
        requested = self._requested(trace, reading)
        if not reading.tool_calls and not requested:
            return ()
        offered = frozenset(t for c in trace.llm_calls for t in c.tool_definitions)
        seen: Counter[str] = Counter()
        for call in reading.tool_calls:
            scores += self._of_call(call, offered, seen)
        for call, name, arguments in requested:
            value, why = self._arguments(name, arguments, offered, "")
            scores.append(score_of(self, call, ARGUMENTS, value, why))
        if reading.tool_calls:
            scores.append(self._loop(reading))
        return scores

    @staticmethod
    def _requested(trace: Trace, reading: Reading) -> list[tuple[Call, str, str]]:
        """Tool calls that a model asked for and that have no span of their own."""
        own = {c.tool_name for c in reading.tool_calls}
        asked = [(c, t) for c in trace.llm_calls[:MAX_PIECES] for m in c.output_messages for t in m.tool_calls]
        return [(c, t.name, t.arguments) for c, t in asked[:MAX_PIECES] if t.name not in own]

    def _of_call(self, call: Call, offered: frozenset[str], seen: Counter[str]) -> Iterable[Score]:
        value, why = tool_failure(call)
        yield score_of(self, call, TOOL_ERROR, value, why)
        complaint = why + call.error_message[:500] if value else ""
        invalid, reason = self._arguments(call.tool_name, call.tool_arguments, offered, complaint)
        yield score_of(self, call, ARGUMENTS, invalid, reason)
        key = f"{call.tool_name}{_SEPARATOR}{call.tool_arguments}"
        again = seen[key]
        seen[key] += 1
        yield score_of(
            self, call, REPEATED, 1.0 if again else 0.0, f"{call.tool_name[:60]} for the {again + 1}. time" if again else ""
        )

    @staticmethod
    def _arguments(name: str, arguments: str, offered: frozenset[str], complaint: str) -> tuple[float, str]:
        if offered and name and name not in offered:
            return 1.0, f"no tool named {name[:60]} was offered"
        if arguments.strip():
            try:
                value = orjson.loads(arguments) if len(arguments) <= CAP else {}
            except orjson.JSONDecodeError as error:
                return 0.95, shortened(f"{name}: arguments are no JSON: {error}", 120)
            if not isinstance(value, dict):
                return 0.6, f"{name[:60]}: arguments are no object"
        if complaint and _ARGUMENT_ERROR.search(capped(complaint)):
            return 0.85, shortened(complaint, 120)
        return 0.01, ""

    def _loop(self, reading: Reading) -> Score:
        names = [c.tool_name for c in reading.tool_calls]
        keys = [f"{c.tool_name}{_SEPARATOR}{c.tool_arguments}" for c in reading.tool_calls]
        exact, same = longest_cycle(keys), longest_cycle(names)
        steps = len(names) + len(reading.trace.llm_calls)
        # Equal names with other arguments may be paging through results: three times as many are needed.
        value = max(
            sigmoid(2.0 * (exact - self.cycle)), sigmoid(0.7 * (same - 3 * self.cycle)), sigmoid(0.25 * (steps - self.steps))
        )
        why = f"{exact} equal rounds, {steps} steps" if value >= 0.3 else ""
        return score_of(self, reading.anchor, LOOP, value, why)


def longest_cycle(items: list[str], max_period: int = 4) -> int:
    """How many times in a row the most repeated run of 1 to `max_period` items occurs; 1 when nothing repeats."""
    best = 1
    for period in range(1, min(max_period, len(items) // 2) + 1):
        equal = 0
        for i in range(period, len(items)):
            equal = equal + 1 if items[i] == items[i - period] else 0
            if equal // period + 1 > best:
                best = equal // period + 1
    return best
