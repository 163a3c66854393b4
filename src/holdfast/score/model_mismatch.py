"""`model_mismatch`: another model answered than was asked."""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.model_names import family_of
from holdfast.score.protocol import score_of

MAX_CALLS = 200

MODEL_MISMATCH = Metric(
    name="model_mismatch",
    family=Family.OPERATIONS,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="wrong_model",
    description=(
        "1 when the model that answered is not of the family that was asked; dates, releases and reseller prefixes do not count."
    ),
    harm=1,
)


@dataclass(frozen=True)
class ModelMismatch:
    """Compares the families of requested and responding model on each model call that tells both."""

    name: str = "model_mismatch"
    version: str = "1"
    metrics: tuple[Metric, ...] = (MODEL_MISMATCH,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per model call that tells both names."""
        scores = []
        for call in trace.llm_calls[:MAX_CALLS]:
            asked, answered = call.request_model[:200], call.response_model[:200]
            if not asked or not answered:
                continue
            if asked == answered or family_of(asked) == family_of(answered):
                scores.append(score_of(self, call, MODEL_MISMATCH, 0.0))
            else:
                scores.append(score_of(self, call, MODEL_MISMATCH, 1.0, f"asked {asked[:60]}, answered {answered[:60]}"))
        return scores
