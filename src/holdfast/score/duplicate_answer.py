"""`duplicate_answer`: the same long answer to different questions."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Self

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import reading_of

DUPLICATE = Metric(
    name="duplicate_answer",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="answer_mixup",
    description=(
        "Probability that the answer belongs to somebody else's question: the same words answered a different question"
        " among the last 512 of the application."
    ),
    harm=2,
)
MAX_SERVICES = 256
KEPT_WORDS = 40

Seen = OrderedDict[bytes, tuple[frozenset[str], int]]
"""Hash of an answer → content words of the question it was last given to, and to how many different questions it went."""


@dataclass(frozen=True)
class DuplicateAnswer:
    """Remembers `window` answers per application. Answers under `min_words` words are too short to tell; one given to more than
    `canned` questions is a stock phrase.
    """

    window: int = 512
    min_words: int = 12
    canned: int = 30
    name: str = "duplicate_answer"
    version: str = "1"
    metrics: tuple[Metric, ...] = (DUPLICATE,)
    _memory: "OrderedDict[str, Seen]" = field(default_factory=OrderedDict, repr=False, compare=False)

    def fresh(self) -> Self:
        """The same configuration without memories."""
        return replace(self, _memory=OrderedDict())

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace with a question and a long answer."""
        reading = reading_of(trace)
        tokens, asked = reading.answer_piece.tokens, reading.question_content
        if len(tokens) < self.min_words or not asked:
            return ()
        seen = self._of_service(trace.service)
        key = blake2b(" ".join(tokens).encode("utf-8", "replace"), digest_size=12).digest()
        value, why = self._compare(seen, key, frozenset(sorted(asked)[:KEPT_WORDS]))
        return (score_of(self, reading.anchor, DUPLICATE, value, why),)

    def _of_service(self, service: str) -> Seen:
        seen = self._memory.get(service)
        if seen is None:
            seen = self._memory[service] = OrderedDict()
            if len(self._memory) > MAX_SERVICES:
                self._memory.popitem(last=False)
        return seen

    def _compare(self, seen: Seen, key: bytes, asked: frozenset[str]) -> tuple[float, str]:
        before = seen.pop(key, None)
        if before is None:
            seen[key] = (asked, 1)
            if len(seen) > self.window:
                seen.popitem(last=False)
            return 0.002, ""
        question, times = before
        likeness = len(question & asked) / max(len(question | asked), 1)
        different = likeness < 0.5
        seen[key] = (asked, times + 1 if different else times)
        if not different or times > self.canned:
            return 0.05 if different else 0.01, ""
        value = 0.95 - likeness
        return value, f"also answered a question about {', '.join(sorted(question)[:4])}"[:120] if value >= NOTABLE else ""
