"""`low_confidence`: the model was unsure of its own words, where log-probabilities or such an evaluation were reported."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of

LOW_CONFIDENCE = Metric(
    name="low_confidence",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="low_confidence",
    description="1 - the geometric mean probability of the answer's tokens. Unknown, never zero, where nothing was reported.",
    harm=1,
)
CONFIDENCE_NAMES = frozenset({"confidence", "model_confidence", "self_confidence", "answer_confidence"})


@dataclass(frozen=True)
class Confidence:
    """1 - exp(mean log-probability), else 1 - a reported confidence in [0, 1]."""

    name: str = "confidence"
    version: str = "1"
    metrics: tuple[Metric, ...] = (LOW_CONFIDENCE,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score on the answering call, where there is something to go by."""
        call = trace.answering
        if call is None:
            return ()
        if call.mean_logprob is not None and call.mean_logprob <= 0.0:
            value = 1.0 - exp(call.mean_logprob)
            return (
                score_of(
                    self, call, LOW_CONFIDENCE, value, f"mean log-probability {call.mean_logprob:.2f}" if value >= NOTABLE else ""
                ),
            )
        for evaluation in call.evaluations:
            if evaluation.name.lower() in CONFIDENCE_NAMES and evaluation.value is not None and 0 <= evaluation.value <= 1:
                return (score_of(self, call, LOW_CONFIDENCE, 1.0 - evaluation.value, "reported confidence"),)
        return ()
