"""`repetition`: the answer says the same again and again."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import reading_of
from holdfast.score.text import sigmoid

REPETITION = Metric(
    name="repetition",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="repetition",
    description="Probability that the answer is caught in a loop, from the share of its word n-grams that occurred before.",
    harm=1,
)


@dataclass(frozen=True)
class Repetition:
    """Share of repeated four-word runs, and of one word repeated at once; `midpoint` is where the probability is one half."""

    midpoint: float = 0.33
    slope: float = 0.06
    name: str = "repetition"
    version: str = "1"
    metrics: tuple[Metric, ...] = (REPETITION,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace with an answer."""
        reading = reading_of(trace)
        tokens = reading.answer_piece.tokens
        if not tokens:
            return ()
        value = self._loops(tokens)
        why = self._why(tokens) if value >= NOTABLE else ""
        return (score_of(self, reading.anchor, REPETITION, value, why),)

    def _loops(self, tokens: list[str]) -> float:
        grams = len(tokens) - 3
        if grams < 5:
            return 0.003
        fours = 1.0 - len(set(zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False))) / grams
        return sigmoid((fours - self.midpoint) / self.slope)

    def _why(self, tokens: list[str]) -> str:
        run, times = Counter(zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False)).most_common(1)[0]
        return f"{' '.join(run)!r} {times} times"[:120]
