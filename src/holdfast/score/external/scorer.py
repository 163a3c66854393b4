"""`External`: one scorer of the user's in the registry, whatever it is that answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from holdfast.core.errors import UnavailableError
from holdfast.core.score import Direction, Family, Metric, Score, Span, Unit
from holdfast.core.trace import Trace
from holdfast.score.external.selection import Selection, Texts
from holdfast.score.protocol import score_of
from holdfast.score.reading import Reading
from holdfast.score.text import shortened

SCORING_COST = Metric(
    name="scoring_cost",
    family=Family.OPERATIONS,
    unit=Unit.USD,
    direction=Direction.INFORMATION,
    failure_mode="scoring_cost",
    description="What an external scorer charged for this trace, by the prices in its configuration.",
    harm=0,
)
MAX_WHY = 280
MAX_SPANS = 20


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A probability of failure in [0, 1], with the reason, stretches (start, end, label) of the last text, and the price.

    Raises:
        UnavailableError: `value` is no probability.
    """

    value: float
    why: str = ""
    spans: tuple[tuple[int, int, str], ...] = ()
    cost_usd: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no probability: clipping it would make up an answer."""
        if not 0.0 <= self.value <= 1.0:
            raise UnavailableError(f"the answer {self.value} is no probability")


class Asks(Protocol):
    """Whatever answers: a judge, a model, an endpoint."""

    def ask(self, texts: Sequence[Texts]) -> list[Answer | Exception]:
        """One answer each, in order; an error as a value where there is none. May raise when all of them failed together."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


@dataclass(frozen=True)
class External:
    """A scorer of the user's.

    Args:
        metrics: first the metric that it gives; the cost, where it knows one.
        batch: traces that `asks` takes at once. queue: traces that may wait. workers: how many may be asked at a time.
    """

    name: str
    version: str
    metrics: tuple[Metric, ...]
    selection: Selection
    asks: Asks
    batch: int = 1
    queue: int = 500
    workers: int = 1

    def due(self, trace: Trace) -> bool:
        """Whether this trace is in the sample, and has what the scorer reads."""
        return self.selection.due(trace)

    def score(self, trace: Trace) -> Iterable[Score]:
        """The scores of one trace, in the sample or not. Waits for the answer, and raises what went wrong."""
        (outcome,) = self.score_many([trace])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def score_many(self, traces: Sequence[Trace]) -> list[tuple[Score, ...] | Exception]:
        """The scores of each trace, or why there are none. Never raises."""
        readings = [Reading(trace) for trace in traces]
        texts = [self.selection.texts(reading) for reading in readings]
        asked = [text for text in texts if text is not None]
        try:
            answers = iter(self.asks.ask(asked) if asked else ())
        except Exception as error:  # noqa: BLE001 - the runner's edge: what failed for all is told for each
            return [() if text is None else error for text in texts]
        return [
            () if text is None else self._scores(reading, text, next(answers))
            for reading, text in zip(readings, texts, strict=True)
        ]

    def close(self) -> None:
        """Lets go of what it holds: nothing more is asked."""
        self.asks.close()

    def _scores(self, reading: Reading, texts: Texts, answer: Answer | Exception) -> tuple[Score, ...] | Exception:
        if isinstance(answer, Exception):
            return answer
        *_, field = texts
        spans = tuple(Span(field, start, end, shortened(label)) for start, end, label in answer.spans[:MAX_SPANS])
        why = shortened(answer.why, MAX_WHY)
        found = (score_of(self, reading.anchor, self.metrics[0], answer.value, why, spans),)
        if answer.cost_usd is None:
            return found
        return (*found, score_of(self, reading.anchor, SCORING_COST, answer.cost_usd))
