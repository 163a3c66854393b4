"""How long it took, and whether it failed: `latency`, `model_latency`, `time_to_first_token`, `error`."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from holdfast.core.call import Status
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import score_of
from holdfast.score.text import shortened

MAX_CALLS = 200

LATENCY = Metric(
    name="latency",
    family=Family.OPERATIONS,
    unit=Unit.MILLISECONDS,
    direction=Direction.UP_IS_WORSE,
    failure_mode="slow_response",
    description="Wall time of the whole request.",
    harm=1,
)
MODEL_LATENCY = Metric(
    name="model_latency",
    family=Family.OPERATIONS,
    unit=Unit.MILLISECONDS,
    direction=Direction.UP_IS_WORSE,
    failure_mode="slow_model",
    description="Wall time of one model call.",
    harm=1,
)
FIRST_TOKEN = Metric(
    name="time_to_first_token",
    family=Family.OPERATIONS,
    unit=Unit.MILLISECONDS,
    direction=Direction.UP_IS_WORSE,
    failure_mode="slow_first_token",
    description="Time until the first token of a streamed model call, where it was reported.",
    harm=1,
)
ERROR = Metric(
    name="error",
    family=Family.OPERATIONS,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="request_failure",
    description="1 when the request or its answering model call ended in an error, else 0.",
    harm=2,
)


@dataclass(frozen=True)
class Latency:
    """Times and errors as the spans tell them."""

    name: str = "latency"
    version: str = "1"
    metrics: tuple[Metric, ...] = (LATENCY, MODEL_LATENCY, FIRST_TOKEN, ERROR)

    def score(self, trace: Trace) -> Iterable[Score]:
        """`latency` and `error` on the root, the others on each model call."""
        root = trace.root
        scores = []
        if root.start_ns and root.end_ns:
            scores.append(score_of(self, root, LATENCY, root.duration_ms))
        for call in trace.llm_calls[:MAX_CALLS]:
            if call.start_ns and call.end_ns:
                scores.append(score_of(self, call, MODEL_LATENCY, call.duration_ms))
            if call.time_to_first_token_ms is not None and 0 <= call.time_to_first_token_ms < inf:
                scores.append(score_of(self, call, FIRST_TOKEN, call.time_to_first_token_ms))
        answering = trace.answering
        failed = root if root.status is Status.ERROR else answering if answering and answering.status is Status.ERROR else None
        if failed is None:
            scores.append(score_of(self, root, ERROR, 0.0))
        else:
            scores.append(
                score_of(self, root, ERROR, 1.0, shortened(f"{failed.error_type} {failed.error_message}".strip() or "error", 120))
            )
        return scores
