"""`Thinned`: scores of long periods, of fewer traces where there are too many, in memory that does not grow with the period."""

import zlib
from collections.abc import Sequence

import numpy as np

from holdfast.core.change import Change
from holdfast.core.observations import Observations, Telemetry
from holdfast.core.slices import Period

MOST_ROWS = 1_000_000
"""Scores of one answer: about 20,000 traces with all their metrics, and 270 MB while a diagnosis works on them."""
SLICES = 8
"""A slice of the period is made so long that it holds about a so-manieth of `MOST_ROWS`."""
MOST_HALVINGS = 32
"""The checksum has no more bits."""


class Thinned:
    """Answers as the telemetry behind it does, with at most `most_rows` scores at once.

    Where there are more, whole traces are left out, half of them at a time, chosen by a checksum of the trace id: which ones are
    left does not depend on their scores, on their time or on who asks, so that means and shares stay what they were. `kept` says
    how many were left.

    A period is read slice by slice. Memory stays within about twice `most_rows`, unless traffic grows more than 8-fold from
    one slice to the next.
    """

    def __init__(self, telemetry: Telemetry, most_rows: int = MOST_ROWS) -> None:
        """`most_rows` is positive."""
        self._telemetry = telemetry
        self._most = most_rows
        self._halvings = 0

    @property
    def kept(self) -> float:
        """The smallest share of traces, in (0, 1], that an answer was made of so far."""
        return 0.5**self._halvings

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        """Changes in [start_ns, end_ns), oldest first: all of them."""
        return self._telemetry.changes(start_ns, end_ns)

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        """Scores of these metrics in [start_ns, end_ns), by metric; one without scores has zero rows, never a missing key."""
        gathered = _Gathered(metrics, self._most)
        for found in Period(self._telemetry, service, start_ns, end_ns).slices(metrics, self._most / SLICES):
            gathered.add(found)
        self._halvings = max(self._halvings, gathered.halvings)
        return gathered.joined()


class _Gathered:
    """Slices of one answer, thinned alike."""

    def __init__(self, metrics: Sequence[str], most: int) -> None:
        self._slices: dict[str, list[Observations]] = {metric: [] for metric in metrics}
        self._most = most
        self._rows = 0
        self.halvings = 0

    def add(self, found: dict[str, Observations]) -> None:
        """Takes the next slice."""
        for metric, one in _of(found, self.halvings).items():
            self._slices[metric].append(one)
            self._rows += len(one)
        while self._rows > self._most and self._halve():
            pass

    def _halve(self) -> bool:
        """Leaves out half of the traces. False: none would be left, so all stay."""
        for halvings in range(self.halvings + 1, MOST_HALVINGS + 1):
            halved = {metric: [_of({metric: one}, halvings)[metric] for one in parts] for metric, parts in self._slices.items()}
            rows = sum(len(one) for parts in halved.values() for one in parts)
            if not rows:
                return False
            if rows < self._rows:
                self._slices, self._rows, self.halvings = halved, rows, halvings
                return True
        return False

    def joined(self) -> dict[str, Observations]:
        return {metric: _joined(metric, self._slices.pop(metric)) for metric in list(self._slices)}


def _of(found: dict[str, Observations], halvings: int) -> dict[str, Observations]:
    """The rows of one trace in 2 ** `halvings`."""
    if not halvings:
        return found
    others = (1 << halvings) - 1
    traces = {trace for one in found.values() for trace in one.trace_id}
    left = {trace for trace in traces if not zlib.crc32(trace.encode("utf-8", "surrogatepass")) & others}
    return {metric: one.take(np.flatnonzero([trace in left for trace in one.trace_id])) for metric, one in found.items()}


def _joined(metric: str, parts: list[Observations]) -> Observations:
    if len(parts) == 1:
        return parts[0]
    return Observations(
        metric=metric,
        time_ns=np.concatenate([one.time_ns for one in parts]),
        value=np.concatenate([one.value for one in parts]),
        trace_id=[trace for one in parts for trace in one.trace_id],
        span_id=[span for one in parts for span in one.span_id],
        dimensions=[dimensions for one in parts for dimensions in one.dimensions],
    )
