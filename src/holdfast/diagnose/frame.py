"""`Frame`: scores of many metrics over one table of calls whose dimensions are encoded once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from holdfast.core.call import DIMENSIONS
from holdfast.core.observations import Observations

Condition = tuple[str, str]
"""(dimension, value)."""

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_VALUES = 64
"""Values of one dimension that are looked at: those with the most calls since onset."""


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


class Frame:
    """Every scored call once, with the conditions that hold for it, and a column of scores per metric.

    Args:
        observations: by metric; metrics without rows are left out.
        onset_ns: calls that ended from then on count as `after`.
    """

    def __init__(self, observations: Mapping[str, Observations], onset_ns: int) -> None:
        self.onset_ns = onset_ns
        self.keys: list[tuple[str, str]] = []
        self._rows_of: dict[Condition, list[int]] = {}
        times: list[int] = []
        self.columns: dict[str, Column] = {}
        known: dict[tuple[str, str], int] = {}
        for metric, rows in observations.items():
            if not len(rows):
                continue
            index = np.empty(len(rows), dtype=np.int64)
            ends = rows.time_ns.tolist()
            for i, key in enumerate(zip(rows.trace_id, rows.span_id, strict=True)):
                at = known.get(key)
                if at is None:
                    at = known[key] = len(self.keys)
                    self.keys.append(key)
                    times.append(ends[i])
                    self._note(rows.dimensions[i], at)
                index[i] = at
            self.columns[metric] = Column(metric, index, rows.time_ns, rows.value)
        self.time_ns: Ints = np.array(times, dtype=np.int64)
        self.after: Bools = self.time_ns >= onset_ns

    def _note(self, dimensions: Mapping[str, Sequence[str]], call: int) -> None:
        rows_of = self._rows_of
        for dimension, values in dimensions.items():
            for value in values:
                rows_of.setdefault((dimension, value), []).append(call)

    def __len__(self) -> int:
        """The number of calls."""
        return len(self.keys)

    @cached_property
    def conditions(self) -> list[Condition]:
        """What may be part of a cohort: known dimensions but the application itself, their commonest values since onset."""
        found: dict[str, Counter[str]] = {}
        for (dimension, value), rows in self._rows_of.items():
            if dimension in DIMENSIONS and dimension != "service.name":
                count = int(self.after[rows].sum())
                if count:
                    found.setdefault(dimension, Counter())[value] = count
        return [(d, value) for d in DIMENSIONS if d in found for value, _ in found[d].most_common(MOST_VALUES)]

    def mask(self, condition: Condition) -> Bools:
        """Which calls (length: calls) carry this value."""
        found = np.zeros(len(self), dtype=np.bool_)
        rows = self._rows_of.get(condition)
        if rows:
            found[rows] = True
        return found

    def cohort(self, conditions: Mapping[str, str]) -> Bools:
        """Which calls (length: calls) fulfil all of these; all calls where there are none."""
        found = np.ones(len(self), dtype=np.bool_)
        for condition in conditions.items():
            found &= self.mask(condition)
        return found

    def values(self, dimension: str) -> list[str]:
        """Every value seen of a dimension."""
        return [value for d, value in self._rows_of if d == dimension]

    def first_seen_ns(self, condition: Condition) -> int:
        """When the first call with this value ended; the onset where there is none."""
        rows = self._rows_of.get(condition)
        return int(self.time_ns[rows].min()) if rows else self.onset_ns

    def since(self, onset_ns: int) -> "Frame":
        """The same calls with another onset; columns and encodings are shared."""
        other = object.__new__(Frame)
        other.onset_ns = onset_ns
        other.keys, other._rows_of = self.keys, self._rows_of
        other.time_ns, other.columns = self.time_ns, self.columns
        other.after = self.time_ns >= onset_ns
        return other
