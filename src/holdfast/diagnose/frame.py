"""`Frame`: scores of many metrics over one table of calls whose dimensions are encoded once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from holdfast.core.call import DIMENSIONS, Dimensions
from holdfast.core.observations import Calls, Observations, joined

Condition = tuple[str, str]
"""(dimension, value)."""

Item = tuple[str, tuple[str, ...]]
"""(dimension, values)."""

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]

MOST_VALUES = 64
"""Values of one dimension that are looked at: those with the most calls since onset."""


NOWHERE: Ints = np.zeros(0, dtype=np.int64)
NOBODY = Calls(time_ns=NOWHERE, trace_id=[], span_id=[], kind=NOWHERE, kinds=[])


@dataclass(frozen=True)
class Column:
    """Scores of one metric: `call` indexes the frame's calls; all arrays have length n and are ordered by time."""

    metric: str
    call: Ints
    time_ns: Ints
    value: Floats

    def __len__(self) -> int:
        """The number of scores."""
        return len(self.call)

    def where(self, mask: Bools) -> "Column":
        """Those rows for which `mask` (length n) holds."""
        return Column(self.metric, self.call[mask], self.time_ns[mask], self.value[mask])


@dataclass(frozen=True)
class Profiles:
    """Calls that fulfil the same conditions are one profile: `of_call` (calls) names it, `holds` (conditions x profiles) says
    which conditions those are.
    """

    of_call: Ints
    holds: Bools

    def __len__(self) -> int:
        """The number of profiles."""
        return int(self.holds.shape[1])


class Frame:
    """Every scored call once, with the conditions that hold for it, and a column of scores per metric.

    Args:
        observations: by metric; metrics without rows are left out.
        onset_ns: calls that ended from then on count as `after`.
    """

    def __init__(self, observations: Mapping[str, Observations], onset_ns: int) -> None:
        told = joined([{metric: rows for metric, rows in observations.items() if len(rows)}])
        calls = next((rows.calls for rows in told.values()), NOBODY)
        same, number, rows_of = _same(calls), np.full(len(calls), -1, np.int64), [NOWHERE]
        self.columns: dict[str, Column] = {}
        for metric, rows in told.items():
            call = same[rows.call]
            unseen = np.flatnonzero(number[call] < 0)
            new = unseen[np.sort(np.unique(call[unseen], return_index=True)[1])]
            number[call[new]] = np.arange(len(new)) + sum(map(len, rows_of))
            rows_of.append(rows.call[new])
            self.columns[metric] = Column(metric, number[call], rows.time_ns, rows.value)
        chosen = np.concatenate(rows_of)
        self.traces = [calls.trace_id[row] for row in chosen.tolist()]
        self.spans = [calls.span_id[row] for row in chosen.tolist()]
        self.time_ns: Ints = np.zeros(len(chosen), dtype=np.int64)
        for column in self.columns.values():
            self.time_ns[column.call] = column.time_ns
        self._kind, self._kinds_of, self._kinds = _encode(calls.kind[chosen], calls.kinds)
        self._masks: dict[Condition, Bools] = {}
        self._split(onset_ns)

    def _split(self, onset_ns: int) -> None:
        self.onset_ns = onset_ns
        self.after: Bools = self.time_ns >= onset_ns

    def __len__(self) -> int:
        """The number of calls."""
        return len(self.traces)

    def key(self, call: int) -> tuple[str, str]:
        """(trace id, span id) of a call."""
        return self.traces[call], self.spans[call]

    @cached_property
    def conditions(self) -> list[Condition]:
        """What may be part of a cohort: known dimensions but the application itself, their commonest values since onset."""
        late = np.bincount(self._kind[self.after], minlength=self._kinds)
        found: dict[str, list[tuple[int, str]]] = {}
        for (dimension, value), kinds in self._kinds_of.items():
            count = int(late[kinds].sum())
            if count and dimension in DIMENSIONS and dimension != "service.name":
                found.setdefault(dimension, []).append((-count, value))
        ranked = {d: sorted(values, key=lambda v: v[0])[:MOST_VALUES] for d, values in found.items()}
        return [(d, value) for d in DIMENSIONS for _, value in ranked.get(d, ())]

    @cached_property
    def profiles(self) -> Profiles:
        """Calls by what they fulfil of `conditions`."""
        holds = np.zeros((len(self.conditions), self._kinds), dtype=np.bool_)
        for i, condition in enumerate(self.conditions):
            holds[i, self._kinds_of[condition]] = True
        if not holds.size:
            return Profiles(np.zeros(len(self), dtype=np.int64), holds[:, :1] if self._kinds else holds)
        packed = np.ascontiguousarray(np.packbits(holds, axis=0).T)
        whole = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
        _, first, profile = np.unique(whole, return_index=True, return_inverse=True)
        return Profiles(np.asarray(profile, dtype=np.int64)[self._kind], holds[:, first])

    def mask(self, condition: Condition) -> Bools:
        """Which calls (length: calls) carry this value; not to be written to."""
        found = self._masks.get(condition)
        if found is None:
            holds = np.zeros(self._kinds, dtype=np.bool_)
            holds[self._kinds_of.get(condition, NOWHERE)] = True
            found = self._masks[condition] = holds[self._kind]
            found.flags.writeable = False
        return found

    def cohort(self, conditions: Mapping[str, str]) -> Bools:
        """Which calls (length: calls) fulfil all of these; all calls where there are none."""
        found = np.ones(len(self), dtype=np.bool_)
        for condition in conditions.items():
            found &= self.mask(condition)
        return found

    def carries(self, dimension: str) -> Bools:
        """Which calls (length: calls) have any value of this dimension."""
        holds = np.zeros(self._kinds, dtype=np.bool_)
        for (own, _), kinds in self._kinds_of.items():
            if own == dimension:
                holds[kinds] = True
        return holds[self._kind]

    def numbered(self, dimension: str) -> tuple[list[str], Ints]:
        """Every value of a dimension, and which one each call (length: calls) has: its number, −1 for none.

        Of a call with several values it is one of them.
        """
        names: list[str] = []
        of_kind = np.full(self._kinds, -1, dtype=np.int64)
        for (own, value), kinds in self._kinds_of.items():
            if own == dimension:
                of_kind[kinds] = len(names)
                names.append(value)
        return names, of_kind[self._kind]

    def values(self, dimension: str) -> list[str]:
        """Every value seen of a dimension."""
        return [value for d, value in self._kinds_of if d == dimension]

    def first_seen_ns(self, condition: Condition) -> int:
        """When the first call with this value ended; the onset where there is none."""
        times = self.time_ns[self.mask(condition)]
        return int(times.min()) if times.size else self.onset_ns

    def since(self, onset_ns: int) -> "Frame":
        """The same calls with another onset; columns and encodings are shared."""
        other = object.__new__(Frame)
        other.columns, other.traces, other.spans, other.time_ns = self.columns, self.traces, self.spans, self.time_ns
        other._kind, other._kinds_of, other._kinds, other._masks = self._kind, self._kinds_of, self._kinds, self._masks
        other._split(onset_ns)
        return other


def _same(calls: Calls) -> Ints:
    """For each row the first one of the same call: late scores bring their call along a second time."""
    keys = list(zip(calls.trace_id, calls.span_id, strict=True))
    if len(set(keys)) == len(keys):
        return np.arange(len(keys))
    first = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))
    return np.fromiter(map(first.__getitem__, keys), np.int64, len(keys))


def _encode(kind: Ints, dimensions: Sequence[Dimensions]) -> tuple[Ints, dict[Condition, Ints], int]:
    """Calls by distinct dimensions: kind of each call, kinds of each condition, number of kinds; numbered by first mention.

    `kind` is what a store told apart; equal `dimensions` become one.
    """
    by_items: dict[tuple[Item, ...], int] = {}
    told, first = np.unique(kind, return_index=True)
    merged = np.zeros(len(dimensions), np.int64)
    for one in told[np.argsort(first)].tolist():
        merged[one] = by_items.setdefault(tuple(dimensions[one].items()), len(by_items))
    kinds_of_item: dict[Item, list[int]] = {}
    for at, items in enumerate(by_items):
        for item in items:
            kinds_of_item.setdefault(item, []).append(at)
    kinds_of: dict[Condition, list[int]] = {}
    for (dimension, values), kinds in kinds_of_item.items():
        for value in values:
            kinds_of.setdefault((dimension, value), []).extend(kinds)
    return (
        merged[kind],
        {condition: np.array(sorted(kinds), dtype=np.int64) for condition, kinds in kinds_of.items()},
        len(by_items),
    )
