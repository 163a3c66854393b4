"""`refusal`: the answer declines to help, or says that it does not know."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import re2

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import Reading, reading_of
from holdfast.score.refusal_patterns import DECLINES, TOGETHER, UNKNOWN
from holdfast.score.text import folded, one_pass, shortened

REFUSAL = Metric(
    name="refusal",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="over_refusal",
    description="Probability that the answer declines to help or says that it does not know (two dozen languages).",
    harm=1,
)


class _Family:
    """The patterns of some languages."""

    def __init__(self, languages: Iterable[str]) -> None:
        declines = [p for language in languages for p in DECLINES[language]]
        unknown = [p for language in languages for p in UNKNOWN[language]]
        self.any = one_pass(*declines, *unknown)
        self.declines, self.unknown = (re2.compile("|".join(f"(?:{p})" for p in kind)) for kind in (declines, unknown))


@lru_cache(maxsize=1)
def _families() -> tuple[_Family, ...]:
    return tuple(map(_Family, TOGETHER))


@dataclass(frozen=True)
class Refusal:
    """Looks for refusals and admissions of ignorance in the first `head` and last `tail` characters of the answer."""

    head: int = 700
    tail: int = 300
    name: str = "refusal"
    version: str = "3"
    metrics: tuple[Metric, ...] = (REFUSAL,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace with an answer, or that the provider's content filter stopped."""
        reading = reading_of(trace)
        call = reading.anchor
        if "content_filter" in call.finish_reasons or "refusal" in call.finish_reasons:
            return (score_of(self, call, REFUSAL, 0.97, f"finish reason {call.finish_reasons[0]}"),)
        if not reading.answer.strip():
            return ()
        value, why = self._judged(reading)
        return (score_of(self, call, REFUSAL, value, why),)

    def probability(self, reading: Reading) -> float:
        """Probability that the answer of this reading is a refusal."""
        return self._judged(reading)[0]

    def _judged(self, reading: Reading) -> tuple[float, str]:
        return reading.answer_piece.once(f"refusal {self.head} {self.tail}", self.judge)

    def judge(self, answer: str) -> tuple[float, str]:
        """Probability that `answer` is a refusal, and the words that say so."""
        text = folded(answer[: self.head]) + "\n" + folded(answer[self.head :][-self.tail :])
        # One pass for many patterns: most answers are no refusal.
        families = [family for family in _families() if family.any.Match(text) is not None]
        declined = [(found, 0.97) for family in families if (found := family.declines.search(text)) is not None]
        unknown = [(found, 0.85) for family in families if (found := family.unknown.search(text)) is not None]
        if not declined and not unknown:
            return 0.01, ""
        found, weight = min(declined or unknown, key=lambda one: one[0].start())
        # A refusal comes at once; one behind a long answer is a caveat.
        before = len(text[: found.start()].split())
        rest = len(answer.split()) - before
        value = weight * (1.0 if before <= 25 else 0.5 if before <= 60 else 0.25) * (1.0 if rest <= 80 else 0.75)
        return value, shortened(found.group()) if value >= NOTABLE else ""
