"""`Observations`: many scores of one metric as columns, for the stages that calculate."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.call import Dimensions
from holdfast.core.change import Change


class Observations(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of one metric of one application, oldest first. All columns have length n.

    `time_ns` int64 is the end of the scored call, `value` float64 in the metric's unit,
    `dimensions` those of the scored call (its trace's included).
    """

    metric: str
    time_ns: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    trace_id: list[str]
    span_id: list[str]
    dimensions: list[Dimensions]

    def __len__(self) -> int:
        """The number of scores."""
        return len(self.trace_id)

    def between(self, start_ns: int, end_ns: int) -> "Observations":
        """Those with start_ns ≤ time < end_ns."""
        low, high = (int(i) for i in np.searchsorted(self.time_ns, [start_ns, end_ns]))
        return Observations(
            metric=self.metric,
            time_ns=self.time_ns[low:high],
            value=self.value[low:high],
            trace_id=self.trace_id[low:high],
            span_id=self.span_id[low:high],
            dimensions=self.dimensions[low:high],
        )

    def take(self, rows: npt.NDArray[np.int64]) -> "Observations":
        """Those of these numbers, which rise."""
        chosen = rows.tolist()
        return Observations(
            metric=self.metric,
            time_ns=self.time_ns[rows],
            value=self.value[rows],
            trace_id=[self.trace_id[row] for row in chosen],
            span_id=[self.span_id[row] for row in chosen],
            dimensions=[self.dimensions[row] for row in chosen],
        )


class Telemetry(Protocol):
    """What the stages behind scoring may ask of the telemetry store."""

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        """Scores of these metrics in [start_ns, end_ns), by metric; one without scores has zero rows, never a missing key."""
        ...

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        """Changes in [start_ns, end_ns), oldest first."""
        ...
