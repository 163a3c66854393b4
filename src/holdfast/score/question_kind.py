"""`question_kind`: which of a few kinds of questions this is, so that other questions are not taken for worse answers."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import score_of
from holdfast.score.reading import Reading, reading_of

QUESTION_KIND = Metric(
    name="question_kind",
    family=Family.OPERATIONS,
    unit=Unit.COUNT,
    direction=Direction.INFORMATION,
    failure_mode="question_mix",
    description=(
        "Number of the kind that the question is of, by its words: an application's first 300 questions make up to 32 kinds."
        " Absent until then, and for questions that are like none of them."
    ),
    harm=0,
)
KINDS = 32
"""Kinds of questions of an application, at most."""
BUCKETS = 256
MAX_WORDS = 60
LIKE = 0.2
"""Cosine between a question and the mean of its kind, from which it is of that kind."""
TRIES = 3
SEED = 0
MAX_SERVICES = 64

Vector = npt.NDArray[np.float64]
Buckets = list[int]


class _State(msgspec.Struct, frozen=True, array_like=True):
    service: str
    asked: list[Buckets]
    rarity: bytes
    kinds: bytes


_decode = msgspec.msgpack.Decoder(list[_State]).decode


class Kinds:
    """The first questions of an application, then the kinds that they fell into: K ≤ 32 unit vectors of word weights."""

    def __init__(self, learning: int) -> None:
        self.learning = learning
        self._asked: list[Buckets] = []
        self._rarity: Vector = np.zeros(BUCKETS)
        self._kinds: Vector = np.zeros((0, BUCKETS))

    @property
    def ready(self) -> bool:
        """Whether enough questions were seen."""
        return len(self._kinds) > 0

    def learn(self, asked: Buckets) -> None:
        """Keep one more question; with the last one, part them into kinds (k-means on the sphere, words weighted by rarity)."""
        self._asked.append(asked)
        if len(self._asked) < self.learning:
            return
        from scipy.cluster.vq import kmeans

        held = np.bincount([bucket for one in self._asked for bucket in one], minlength=BUCKETS)
        self._rarity = np.log((1.0 + len(self._asked)) / (1.0 + held))
        vectors = np.stack([self._vector(one) for one in self._asked])
        # Questions that are all alike make fewer kinds.
        several = min(KINDS, len(np.unique(vectors, axis=0)))
        centres, _ = kmeans(vectors, several, iter=TRIES, rng=SEED)
        lengths = np.linalg.norm(centres, axis=1, keepdims=True)
        self._kinds = centres / np.maximum(lengths, 1e-9)
        self._asked = []

    def kind_of(self, asked: Buckets) -> int:
        """Number of the kind that a question is of; −1 where it is like none."""
        cosines = self._kinds @ self._vector(asked)
        best = int(np.argmax(cosines))
        return best if cosines[best] >= LIKE else -1

    def _vector(self, asked: Buckets) -> Vector:
        vector = np.zeros(BUCKETS)
        vector[asked] = self._rarity[asked]
        return vector / max(float(np.linalg.norm(vector)), 1e-9)

    def state(self, service: str) -> _State:
        """For a snapshot."""
        return _State(service, self._asked, self._rarity.tobytes(), self._kinds.tobytes())

    def load(self, state: _State) -> None:
        """Take over what `state` gave."""
        self._asked = list(state.asked)
        self._rarity = np.frombuffer(state.rarity)
        self._kinds = np.frombuffer(state.kinds).reshape(-1, BUCKETS)


@dataclass(frozen=True)
class QuestionKind:
    """Learns the kinds from the first `learning` questions of each of the 64 applications that were used last, and keeps them:
    kinds that moved with the questions would mean something else from day to day.
    """

    learning: int = 300
    name: str = "question_kind"
    version: str = "1"
    metrics: tuple[Metric, ...] = (QUESTION_KIND,)
    _memory: "OrderedDict[str, Kinds]" = field(default_factory=OrderedDict, repr=False, compare=False)

    def fresh(self) -> Self:
        """The same configuration without memories."""
        return replace(self, _memory=OrderedDict())

    def snapshot(self) -> bytes:
        """What is known of each application, the one that was used last at the end."""
        return msgspec.msgpack.encode([kinds.state(service) for service, kinds in self._memory.items()])

    def restore(self, memories: bytes) -> None:
        """Take over what `snapshot` gave."""
        self._memory.clear()
        for state in _decode(memories):
            self._of_service(state.service).load(state)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score for a trace with a question that is of a known kind."""
        reading = reading_of(trace)
        asked = _buckets(reading)
        if not trace.llm_calls or not asked:
            return ()
        kinds = self._of_service(trace.service)
        if not kinds.ready:
            kinds.learn(asked)
            return ()
        kind = kinds.kind_of(asked)
        return (score_of(self, reading.anchor, QUESTION_KIND, float(kind)),) if kind >= 0 else ()

    def _of_service(self, service: str) -> Kinds:
        kinds = self._memory.get(service)
        if kinds is None:
            kinds = self._memory[service] = Kinds(self.learning)
            if len(self._memory) > MAX_SERVICES:
                self._memory.popitem(last=False)
        else:
            self._memory.move_to_end(service)
        return kinds


def _buckets(reading: Reading) -> Buckets:
    """The words of a question by number, each once; what has digits names a single thing and says nothing about the kind."""
    told = sorted(word for word in reading.question_content if not any(map(str.isdigit, word)))[:MAX_WORDS]
    return sorted({crc32(word.encode("utf-8", "replace")) % BUCKETS for word in told})
