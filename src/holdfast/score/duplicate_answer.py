"""`duplicate_answer`: the same long answer to different questions."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Self

import msgspec

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import Reading, reading_of
from holdfast.score.refusal import Refusal
from holdfast.score.relevance import covered

DUPLICATE = Metric(
    name="duplicate_answer",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="answer_mixup",
    description=(
        "Probability that the answer belongs to somebody else's question: the same words answered a different question"
        " among the last 300 of the application, which they are about, and neither this question nor its documents are."
        " Refusals are left out; absent until 300 answers were seen."
    ),
    harm=2,
)
MAX_SERVICES = 256
KEPT_WORDS = 40
BEGINNING = 4
BELONGS = 0.2
"""Share of a question's content words in an answer from which the answer is certainly about it."""
GENERAL = (0.4, 0.8)
"""Share of its questions to which an answer has something to say: to the first one person's, from the second on anybody's."""


class Given(msgspec.Struct, frozen=True, array_like=True):
    """An answer that was given: to which question first, by its content words, and to how many different ones."""

    question: frozenset[str]
    belongs: float = 1.0
    """How much the answer has to do with that question, in [0, 1]: a phrase for all cases was nobody's answer."""
    times: int = 1
    touched: int = 0
    """To how many of these it has something to say: a policy for many touches each, a stranger's answer hardly any."""
    canned: bool = False
    """A stock phrase: no mix-up, whoever gets it."""


class Memory(msgspec.Struct):
    """Answers of one application by hash, the one given last at the end, and how many were read in all."""

    given: dict[bytes, Given] = {}
    read: int = 0


_decode = msgspec.msgpack.Decoder(dict[str, Memory]).decode


@dataclass(frozen=True)
class DuplicateAnswer:
    """Remembers `window` answers per application. Answers under `min_words` words are too short to tell; one given to more than
    `canned` questions is a stock phrase.

    Nothing is said of the first `learning` answers: as the memory fills, templated answers repeat more and more, which would
    look like a failure that grows. What repeats in that time is a template.
    """

    window: int = 300
    min_words: int = 12
    canned: int = 30
    learning: int = 300
    refusal: Refusal = field(default_factory=Refusal)
    name: str = "duplicate_answer"
    version: str = "5"
    metrics: tuple[Metric, ...] = (DUPLICATE,)
    _memory: "OrderedDict[str, Memory]" = field(default_factory=OrderedDict, repr=False, compare=False)

    def fresh(self) -> Self:
        """The same configuration without memories."""
        return replace(self, _memory=OrderedDict())

    def snapshot(self) -> bytes:
        """The answers of every application."""
        return msgspec.msgpack.encode(self._memory)

    def restore(self, memories: bytes) -> None:
        """Take over what `snapshot` gave."""
        self._memory.clear()
        self._memory.update(_decode(memories))

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace with a question and a long answer in words, once enough answers were seen."""
        reading = reading_of(trace)
        tokens, asked = reading.answer_piece.tokens, reading.question_content
        if len(tokens) < self.min_words or not asked or reading.answer[0] in "{[":
            return ()
        memory = self._of_service(trace.service)
        memory.read += 1
        key = blake2b(" ".join(tokens).encode("utf-8", "replace"), digest_size=12).digest()
        value, why = self._compare(memory, key, frozenset(sorted(asked)[:KEPT_WORDS]), frozenset(tokens))
        if memory.read <= self.learning:
            return ()
        if value >= NOTABLE:
            value *= _foreign(reading) * (1.0 - self.refusal.probability(reading))
        return (score_of(self, reading.anchor, DUPLICATE, max(value, 0.002), why if value >= NOTABLE else ""),)

    def _of_service(self, service: str) -> Memory:
        memory = self._memory.get(service)
        if memory is None:
            memory = self._memory[service] = Memory()
            if len(self._memory) > MAX_SERVICES:
                self._memory.popitem(last=False)
        return memory

    def _compare(self, memory: Memory, key: bytes, asked: frozenset[str], said: frozenset[str]) -> tuple[float, str]:
        given = memory.given
        before = given.pop(key, None)
        if before is None:
            given[key] = Given(asked, min(_about(asked, said) / BELONGS, 1.0))
            if len(given) > self.window:
                del given[next(iter(given))]
            return 0.002, ""
        likeness = len(before.question & asked) / max(len(before.question | asked), 1)
        if likeness >= 0.5:
            given[key] = before
            return 0.01, ""
        canned = before.canned or before.times > self.canned or memory.read <= self.learning
        touched = before.touched + (_about(asked, said) > 0.0)
        given[key] = msgspec.structs.replace(before, times=before.times + 1, touched=touched, canned=canned)
        if canned:
            return 0.05, ""
        general = min(max((touched / (before.times + 1) - GENERAL[0]) / (GENERAL[1] - GENERAL[0]), 0.0), 1.0)
        value = max(before.belongs * (0.95 - likeness) * (1.0 - general), 0.05)
        told = f"also answered a question about {', '.join(sorted(before.question)[:4])}"[:120]
        return value, told if value >= NOTABLE else ""


def _about(asked: frozenset[str], said: frozenset[str]) -> float:
    """Share of a question's words of which an answer has one that begins alike: `returned` is also `return`."""
    beginnings = {word[:BEGINNING] for word in said}
    return sum(word[:BEGINNING] in beginnings for word in asked) / len(asked)


def _foreign(reading: Reading) -> float:
    """How little the answer has to do with this request, in [0, 1]: two customers with one question rightly get one answer.

    1 where at most a fifth of its words stand in the request's own documents and it takes up at most a fifth of the question,
    falling to 0 at a half.
    """
    own = covered(reading.answer_content, reading.evidence) if reading.evidence else 0.0
    shared = max(own, covered(reading.question_content, (reading.answer_piece,)))
    return min(max((0.5 - shared) / 0.3, 0.0), 1.0)
