"""`unsupported_claims`: the checks of single facts taken together, since one cause shows a little in each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.score.protocol import NOTABLE

UNSUPPORTED_CLAIMS = Metric(
    name="unsupported_claims",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="hallucination",
    description=(
        "Probability that at least one fact of the answer is unsupported: its numbers, its names, or what it says of tool"
        " results, each check taken for itself (1 less the product of what each leaves)."
    ),
    harm=2,
)
PARTS = frozenset({"unsupported_numbers", "unsupported_entities", "tool_contradiction"})


@dataclass(frozen=True)
class UnsupportedClaims:
    """Reads the scores of other scorers. `version` must change whenever one of theirs does."""

    version: str
    name: str = "unsupported_claims"
    metrics: tuple[Metric, ...] = (UNSUPPORTED_CLAIMS,)

    def summarise(self, scores: Sequence[Score]) -> tuple[Score, ...]:
        """One score, on the call that the parts are about, where at least one part has been scored."""
        parts = [score for score in scores if score.metric in PARTS]
        if not parts:
            return ()
        left = 1.0
        for part in parts:
            left *= 1.0 - part.value
        told = [part.metric for part in parts if part.value >= NOTABLE]
        return (
            Score(
                trace_id=parts[0].trace_id,
                span_id=parts[0].span_id,
                metric=UNSUPPORTED_CLAIMS.name,
                value=1.0 - left,
                scorer=self.name,
                version=self.version,
                why=", ".join(told),
            ),
        )
