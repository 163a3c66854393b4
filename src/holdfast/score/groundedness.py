"""`ungrounded_answer`, `unsupported_numbers`, `unsupported_entities`: what the answer says and its sources do not."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from holdfast.core.score import Direction, Family, Metric, Score, Span, Unit
from holdfast.core.trace import Trace
from holdfast.score.groundedness_features import Support, support_of
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import Reading, reading_of
from holdfast.score.refusal import Refusal
from holdfast.score.text import sigmoid
from holdfast.score.words import STOPWORDS

UNGROUNDED = Metric(
    name="ungrounded_answer",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="hallucination",
    description=(
        "Probability that the answer says something that its documents and tool results do not support: unknown numbers,"
        " names and words, statements turned round, citations of nothing."
    ),
    harm=2,
)
NUMBERS = Metric(
    name="unsupported_numbers",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="invented_numbers",
    description=(
        "Share of the answer's numbers, dates and amounts that neither the sources nor the conversation have, spelling aside."
    ),
    harm=2,
)
ENTITIES = Metric(
    name="unsupported_entities",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="invented_names",
    description="Share of the answer's names, identifiers and links that neither the sources nor the conversation have.",
    harm=2,
)

WEIGHTS: dict[str, float] = {
    "intercept": -3.0,
    "numbers": 2.2,
    "names": 1.0,
    "links": 1.5,
    "missing": 1.0,
    "worst": 1.5,
    "pairs": 1.0,
    "flips": 1.0,
    "citations": 2.0,
}
"""Weight of each feature of `Support`: a logistic regression with weights ≥ 0 on public corpora of edited summaries and of
dialogue answers, mean AUROC 0.65 over eleven sources left out in turn; the intercept is set for retrieval-augmented answers,
which are closer to their sources than summaries are.
"""

MAX_SPANS = 10


@dataclass(frozen=True)
class Groundedness:
    """Tier 0 of faithfulness: lexical, no model. `refused`: probability of a refusal from which an answer claims nothing."""

    refused: float = 0.6
    refusal: Refusal = field(default_factory=Refusal)
    name: str = "groundedness"
    version: str = "3"
    metrics: tuple[Metric, ...] = (UNGROUNDED, NUMBERS, ENTITIES)

    def score(self, trace: Trace) -> Iterable[Score]:
        """All three where there are sources and an answer that is no refusal; shares only where there is something to count."""
        reading = reading_of(trace)
        if reading.stated.kinds <= STOPWORDS or not reading.evidence or self._refuses(reading):
            return ()
        support = support_of(reading)
        value = ungrounded_probability(support)
        why = self._why(support) + reading.cut if value >= NOTABLE else ""
        scores = [
            score_of(self, reading.anchor, UNGROUNDED, value, why, tuple(support.spans[:MAX_SPANS]) if value >= NOTABLE else ())
        ]
        if support.number_count:
            share = support.unknown_numbers / support.number_count
            scores.append(
                score_of(
                    self,
                    reading.anchor,
                    NUMBERS,
                    share,
                    f"{support.unknown_numbers} of {support.number_count} numbers" if share else "",
                    _of(support, "number"),
                )
            )
        if support.name_count:
            share = support.unknown_names / support.name_count
            scores.append(
                score_of(
                    self,
                    reading.anchor,
                    ENTITIES,
                    share,
                    f"{support.unknown_names} of {support.name_count} names" if share else "",
                    _of(support, "name"),
                )
            )
        return scores

    def _refuses(self, reading: Reading) -> bool:
        return len(reading.answer_piece.tokens) < 120 and self.refusal.probability(reading) >= self.refused

    @staticmethod
    def _why(support: Support) -> str:
        parts = []
        if support.unknown_numbers:
            parts.append(f"{support.unknown_numbers} unknown numbers")
        if support.unknown_names:
            parts.append(f"{support.unknown_names} unknown names")
        if support.features["flips"]:
            parts.append("a statement turned round")
        parts.append(f"{support.features['worst']:.0%} of a sentence's words are in no source")
        return ", ".join(parts)


def ungrounded_probability(support: Support) -> float:
    """The logistic combination of the features."""
    return sigmoid(WEIGHTS["intercept"] + sum(WEIGHTS[name] * value for name, value in support.features.items()))


def _of(support: Support, kind: str) -> tuple[Span, ...]:
    return tuple(s for s in support.spans if s.why.startswith(kind))[:MAX_SPANS]
