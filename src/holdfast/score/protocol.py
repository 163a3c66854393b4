"""The contract of a scorer, and the one way to make a score."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Protocol, Self, runtime_checkable

from holdfast.core.call import Call
from holdfast.core.score import Metric, Score, Span, Unit
from holdfast.core.trace import Trace

NOTABLE = 0.3
"""Probabilities from here on are explained by `Score.why`; below it nobody asks, and making the text costs time."""


class Scorer(Protocol):
    """Says something measurable of a trace. A frozen dataclass whose fields are its configuration.

    `name` is unique; `version` changes whenever the same trace may get another value; `metrics` are all that it may yield.
    """

    @property
    def name(self) -> str:
        """Snake case, unique in the registry."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same trace may get another value."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Definitions of all metrics that it may yield."""
        ...

    def score(self, trace: Trace) -> Iterable[Score]:
        """Scores of this trace; none at all means that it does not apply.

        Must depend on nothing but configuration, `trace` and, for a `Remembering` scorer, the traces before it. May raise
        anything: the runner turns that into a `Failed`.
        """
        ...


class Summary(Protocol):
    """Says something of a trace from what the scorers said of it, in a metric of its own."""

    @property
    def name(self) -> str:
        """Snake case, unique among scorers and summaries."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same scores may get another value, and with the versions of the scorers that it reads."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Definitions of all metrics that it may yield."""
        ...

    def summarise(self, scores: Sequence[Score]) -> tuple[Score, ...]:
        """From all scores of one trace; none means that it does not apply. May raise anything, like a scorer."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """A scorer with work that is cheaper for many traces at once. `score` must say the same without it."""

    def prepare(self, traces: Sequence[Trace]) -> None:
        """Works out what `score` will need of these traces, which it is asked for next."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A scorer that compares a trace with earlier ones, in bounded memory."""

    def fresh(self) -> Self:
        """The same scorer without memories. The runner works on a fresh one, so that two runners never share any."""
        ...

    def snapshot(self) -> bytes:
        """What it remembers, for `restore` of the same version after a restart."""
        ...

    def restore(self, memories: bytes) -> None:
        """Take over what `snapshot` gave. Raises `msgspec.MsgspecError` where it is none."""
        ...


def score_of(scorer: Scorer, call: Call, metric: Metric, value: float, why: str = "", spans: tuple[Span, ...] = ()) -> Score:
    """What `scorer` says of `call`, probabilities clipped to [0, 1].

    Raises:
        ValueError: `value` is not finite or is negative.
    """
    if 1.0 < value < inf and metric.unit is Unit.PROBABILITY:
        value = 1.0
    return Score(
        trace_id=call.trace_id,
        span_id=call.span_id,
        metric=metric.name,
        value=value,
        scorer=scorer.name,
        version=scorer.version,
        why=why,
        spans=spans,
    )
