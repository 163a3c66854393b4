"""The contract of a guard: a kind makes a judge out of the guard's parameters, the judge reads what was seen."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

import msgspec

from holdfast.control.snapshot import GuardPlace
from holdfast.core.call import Call, Dimensions, Kind, Message
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.gateway.dialects.protocol import Asked, Said
from holdfast.score.calibrator import Calibrator
from holdfast.score.protocol import Scorer

UNCALIBRATED = Calibrator()
NO_ID = "0" * 32
MAX_TOOL_RESULTS = 8
"""Tool results of one request that are read, the latest; earlier ones were read when they were new."""
Parameters = Mapping[str, Any]


class Judgement(msgspec.Struct, frozen=True, gc=False):
    """What a judge says: `score` in [0, 1], the calibrated probability of a violation where the guard is a learned one."""

    score: float
    why: str = ""


class Seen:
    """What a judge may read: the request, and behind the call the answer. The trace is made on first use, for all judges.

    `on_request`: it is the request that is judged, whether or not there is an answer already. `calibrator`: what people's labels
    taught of scores.
    """

    def __init__(
        self,
        asked: Asked,
        said: Said | None = None,
        dimensions: Dimensions | None = None,
        calibrator: Calibrator = UNCALIBRATED,
    ) -> None:
        self.asked, self.said = asked, said
        self.on_request = said is None
        self.dimensions: Dimensions = dimensions or {}
        self._calibrator = calibrator

    def of_request(self) -> "Seen":
        """The same, to judge the request by: what was made of it so far is shared."""
        other = Seen(self.asked, self.said, self.dimensions, self._calibrator)
        other.on_request = True
        other.__dict__["trace"] = self.trace
        return other

    def scores(self, scorer: Scorer) -> Sequence[Score]:
        """What `scorer` says of it, as the labels of this application calibrate it: the values that the pipeline would have."""
        return self._calibrator.apply(ScoredTrace(self.trace, tuple(scorer.score(self.trace)))).scores

    @cached_property
    def trace(self) -> Trace:
        """Request and answer as a trace: the model call, and one call for each of the latest tool results."""
        asked, said = self.asked, self.said
        answer = () if said is None else (Message("assistant", said.text, said.tool_calls),)
        call = Call(
            trace_id=NO_ID,
            span_id="1" * 16,
            kind=Kind.LLM,
            dimensions=self.dimensions,
            system_instructions=asked.system,
            input_messages=asked.messages,
            output_messages=answer,
            finish_reasons=() if said is None else said.finish_reasons,
            output_type=asked.output_type,
            output_schema=asked.output_schema,
            tool_definitions=asked.tools,
        )
        results = [m.content for m in asked.messages if m.role == "tool" and m.content][-MAX_TOOL_RESULTS:]
        tools = [
            Call(trace_id=NO_ID, span_id=f"{n + 2:016x}", parent_span_id="1" * 16, kind=Kind.TOOL, tool_result=text)
            for n, text in enumerate(results)
        ]
        return Trace(NO_ID, (call, *tools))


class Judge(Protocol):
    """One guard at work."""

    def judge(self, seen: Seen) -> Judgement | None:
        """What it finds; None where there is nothing for it to read. May raise anything: the runner makes a verdict of it."""
        ...


class Redacts(Protocol):
    """A judge that can also take what it objects to out of a text."""

    def redact(self, text: str) -> str:
        """`text` without it."""
        ...


class Action(StrEnum):
    """What an enforced violation leads to."""

    REFUSE = "refuse"
    REPLACE = "replace"
    REDACT = "redact"


class GuardKind(msgspec.Struct, frozen=True):
    """A kind of guard.

    `make` builds a judge out of the parameters and raises `msgspec.MsgspecError` or `ValueError` where they are wrong. `window`:
    characters of a streamed answer that must be held back for it, 0 where it needs the whole answer before it can judge.
    """

    name: str
    places: frozenset[GuardPlace]
    make: Callable[[Parameters], Judge]
    window: int = 256
    action: Action = Action.REPLACE


def parameter(parameters: Parameters, name: str, kind: type[tuple[str, ...]]) -> tuple[str, ...]:
    """A list of texts among the parameters, empty where it is not there.

    Raises:
        msgspec.MsgspecError: it is something else.
    """
    return msgspec.convert(parameters.get(name, ()), type=kind)
