"""`output_drift`: answers look otherwise than such questions used to get."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.drift_features import ANSWER_SIZE, QUESTION_SIZE, STYLE_NAMES, answer_features, question_features
from holdfast.score.protocol import score_of
from holdfast.score.reading import reading_of

OUTPUT_DRIFT = Metric(
    name="output_drift",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="output_drift",
    description=(
        "How unusual the style of the answer is for such a question: cube of the residual's rank among a frozen reference"
        " of the same application and route (healthy mean 1/4); absent until 300 answers were seen. Another style harms nobody"
        " by itself: it makes an anomaly, which supports an incident and opens none."
    ),
    harm=0,
)
Vector = npt.NDArray[np.float64]
MAX_SEGMENTS = 256
RIDGE = 1.0


class _State(msgspec.Struct, frozen=True, array_like=True):
    """A `Reference` as bytes of its float64 arrays."""

    service: str
    route: str
    questions: bytes
    answers: bytes
    model: bytes
    whitening: bytes
    ranked: bytes


_decode = msgspec.msgpack.Decoder(list[_State]).decode


class Reference:
    """The first answers of a segment, then what was learnt of them: a linear model of answer features given question features,
    the whitening of its residuals, and their sorted squared norms.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._answers: list[Vector] = []
        self._questions: list[Vector] = []
        self.model: Vector = np.zeros((QUESTION_SIZE, ANSWER_SIZE))
        self.whitening: Vector = np.zeros((ANSWER_SIZE, ANSWER_SIZE))
        self._ranked: list[float] = []

    @property
    def ready(self) -> bool:
        """Whether enough answers were seen."""
        return bool(self._ranked)

    def learn(self, question: Vector, answer: Vector) -> None:
        """Keep one more answer; with the last one, freeze."""
        self._questions.append(question)
        self._answers.append(answer)
        if len(self._answers) >= self.size:
            self._freeze()

    def _freeze(self) -> None:
        """Ridge regression, its leave-one-out residuals whitened by their shrunk covariance."""
        x, y = np.stack(self._questions), np.stack(self._answers)
        gram = x.T @ x + RIDGE * np.eye(QUESTION_SIZE)
        inverse = np.linalg.inv(gram)
        self.model = inverse @ x.T @ y
        leverage = np.einsum("ij,jk,ik->i", x, inverse, x)
        residuals = (y - x @ self.model) / (1.0 - np.minimum(leverage, 0.95))[:, None]
        covariance = residuals.T @ residuals / len(y)
        scale = float(np.trace(covariance)) / ANSWER_SIZE or 1.0
        shrunk = 0.9 * covariance + 0.1 * np.diag(np.diag(covariance)) + 1e-3 * scale * np.eye(ANSWER_SIZE)
        self.whitening = np.linalg.cholesky(np.linalg.inv(shrunk))
        self._ranked = np.sort(np.sum(np.square(residuals @ self.whitening), axis=1)).tolist()
        self._answers, self._questions = [], []

    def residual(self, question: Vector, answer: Vector) -> Vector:
        """How far the answer is from what is usual for the question, in whitened units; float64 of length `ANSWER_SIZE`."""
        return (answer - question @ self.model) @ self.whitening

    def state(self, service: str, route: str) -> _State:
        """For a snapshot."""
        arrays = (self._questions, self._answers, self.model, self.whitening, self._ranked)
        return _State(service, route, *(np.asarray(array, dtype=np.float64).tobytes() for array in arrays))

    def load(self, state: _State) -> None:
        """Take over what `state` gave."""
        self._questions = list(np.frombuffer(state.questions).reshape(-1, QUESTION_SIZE))
        self._answers = list(np.frombuffer(state.answers).reshape(-1, ANSWER_SIZE))
        self.model = np.frombuffer(state.model).reshape(QUESTION_SIZE, ANSWER_SIZE)
        self.whitening = np.frombuffer(state.whitening).reshape(ANSWER_SIZE, ANSWER_SIZE)
        self._ranked = np.frombuffer(state.ranked).tolist()

    def rank(self, residual: Vector) -> float:
        """Share of the reference whose residual is smaller, in (0, 1)."""
        return (bisect_left(self._ranked, float(residual @ residual)) + 0.5) / (len(self._ranked) + 1.0)


@dataclass(frozen=True)
class Drift:
    """Keeps a frozen reference of `reference` answers per application and route, for the 256 that were used last."""

    reference: int = 300
    name: str = "drift"
    version: str = "1"
    metrics: tuple[Metric, ...] = (OUTPUT_DRIFT,)
    _memory: "OrderedDict[tuple[str, str], Reference]" = field(default_factory=OrderedDict, repr=False, compare=False)

    def fresh(self) -> Self:
        """The same configuration without memories."""
        return replace(self, _memory=OrderedDict())

    def snapshot(self) -> bytes:
        """The references, the one that was used last at the end."""
        return msgspec.msgpack.encode([memory.state(*key) for key, memory in self._memory.items()])

    def restore(self, memories: bytes) -> None:
        """Take over what `snapshot` gave."""
        self._memory.clear()
        for state in _decode(memories):
            self._of_segment(state.service, state.route).load(state)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace with a question and an answer of the model, once the reference is full."""
        reading = reading_of(trace)
        if not reading.question or not reading.answer_piece.tokens:
            return ()
        memory = self._of_segment(trace.service, trace.dimensions.get("route", ("",))[0])
        question, answer = question_features(reading), answer_features(reading)
        if not memory.ready:
            memory.learn(question, answer)
            return ()
        residual = memory.residual(question, answer)
        value = memory.rank(residual) ** 3
        why = f"unusual {STYLE_NAMES[int(np.argmax(np.abs(residual)))]}" if value > 0.9 else ""
        return (score_of(self, reading.anchor, OUTPUT_DRIFT, value, why),)

    def _of_segment(self, service: str, route: str) -> Reference:
        key = (service, route)
        memory = self._memory.get(key)
        if memory is None:
            memory = self._memory[key] = Reference(self.reference)
            if len(self._memory) > MAX_SEGMENTS:
                self._memory.popitem(last=False)
        else:
            self._memory.move_to_end(key)
        return memory
