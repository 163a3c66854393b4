"""`Observations`: many scores of one metric as columns, for the stages that calculate."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.call import Dimensions
from holdfast.core.change import Change

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """Scored calls as columns of length n; many metrics are told of the same ones.

    `time_ns` is the end of the call. `kind` says which of the distinct `kinds` of dimensions it has, its trace's included.
    """

    time_ns: Ints
    trace_id: list[str]
    span_id: list[str]
    kind: Ints
    kinds: list[Dimensions]

    def __len__(self) -> int:
        """The number of calls."""
        return len(self.trace_id)

    def where(self, holds: Callable[[Dimensions], bool]) -> Bools:
        """Which calls have dimensions that are such; `holds` is asked once for each kind."""
        kinds = np.fromiter(map(holds, self.kinds), np.bool_, len(self.kinds))
        return np.asarray(kinds[self.kind], np.bool_)

    def take(self, rows: Ints) -> "Calls":
        """Those of these numbers."""
        chosen = rows.tolist()
        return Calls(
            time_ns=self.time_ns[rows],
            trace_id=[self.trace_id[row] for row in chosen],
            span_id=[self.span_id[row] for row in chosen],
            kind=self.kind[rows],
            kinds=self.kinds,
        )


class Observations(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of one metric of one application, oldest first. All columns have length n.

    `call` is the row of the scored call in `calls`, `value` in the metric's unit.
    """

    metric: str
    calls: Calls
    call: Ints
    value: Floats

    @classmethod
    def of(
        cls,
        *,
        metric: str,
        time_ns: Ints,
        value: Floats,
        trace_id: Sequence[str],
        span_id: Sequence[str],
        dimensions: Iterable[Dimensions],
    ) -> "Observations":
        """Scores given one by one, as columns of length n, oldest first."""
        told = list(dimensions)
        kinds = {id(one): one for one in told}
        number = {key: at for at, key in enumerate(kinds)}
        kind = np.fromiter((number[id(one)] for one in told), np.int64, len(told))
        calls = Calls(time_ns=time_ns, trace_id=list(trace_id), span_id=list(span_id), kind=kind, kinds=list(kinds.values()))
        return cls(metric=metric, calls=calls, call=np.arange(len(told)), value=value)

    def __len__(self) -> int:
        """The number of scores."""
        return len(self.call)

    @property
    def time_ns(self) -> Ints:
        """End of each scored call."""
        return np.asarray(self.calls.time_ns[self.call], np.int64)

    @property
    def trace_id(self) -> list[str]:
        """Trace of each scored call."""
        return [self.calls.trace_id[row] for row in self.call.tolist()]

    @property
    def span_id(self) -> list[str]:
        """Span of each scored call."""
        return [self.calls.span_id[row] for row in self.call.tolist()]

    @property
    def dimensions(self) -> list[Dimensions]:
        """Dimensions of each scored call."""
        return [self.calls.kinds[kind] for kind in self.calls.kind[self.call].tolist()]

    def between(self, start_ns: int, end_ns: int) -> "Observations":
        """Those with start_ns ≤ time < end_ns."""
        low, high = (int(i) for i in np.searchsorted(self.time_ns, [start_ns, end_ns]))
        return Observations(metric=self.metric, calls=self.calls, call=self.call[low:high], value=self.value[low:high])

    def take(self, rows: Ints) -> "Observations":
        """Those of these numbers, which rise."""
        return Observations(metric=self.metric, calls=self.calls, call=self.call[rows], value=self.value[rows])


def joined(slices: Sequence[Mapping[str, Observations]]) -> dict[str, Observations]:
    """One over a single table of calls, of one or more slices of the same metrics, each later than the one before."""
    tables = list({id(rows.calls): rows.calls for one in slices for rows in one.values()}.values())
    if len(slices) == len(tables) == 1:
        return dict(slices[0])
    starts = dict(zip(map(id, tables), np.cumsum([0, *map(len, tables)]).tolist(), strict=False))
    calls = one_table(tables)
    found = {}
    for metric in slices[0]:
        parts = [one[metric] for one in slices]
        call = np.concatenate([rows.call + starts[id(rows.calls)] for rows in parts])
        found[metric] = Observations(metric=metric, calls=calls, call=call, value=np.concatenate([rows.value for rows in parts]))
    return found


def one_table(tables: Sequence[Calls]) -> Calls:
    """All of them, one behind the other; without a row where there are none."""
    kinds = np.cumsum([0, *(len(table.kinds) for table in tables)])
    return Calls(
        time_ns=np.concatenate([np.zeros(0, np.int64), *(table.time_ns for table in tables)]),
        trace_id=[trace for table in tables for trace in table.trace_id],
        span_id=[span for table in tables for span in table.span_id],
        kind=np.concatenate([np.zeros(0, np.int64), *(table.kind + first for table, first in zip(tables, kinds, strict=False))]),
        kinds=[kind for table in tables for kind in table.kinds],
    )


class Telemetry(Protocol):
    """What the stages behind scoring may ask of the telemetry store."""

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        """Scores of these metrics in [start_ns, end_ns), by metric; one without scores has zero rows, never a missing key."""
        ...

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        """Changes in [start_ns, end_ns), oldest first."""
        ...
