"""`Thinned`: scores of long periods, of fewer traces where there are too many, in memory that does not grow with the period."""

import zlib
from collections.abc import Sequence

import numpy as np

from holdfast.core.change import Change
from holdfast.core.observations import Observations, Telemetry, joined
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
        gathered = _Gathered(self._most)
        for found in Period(self._telemetry, service, start_ns, end_ns).slices(metrics, self._most / SLICES):
            gathered.add(found)
        self._halvings = max(self._halvings, gathered.halvings)
        return gathered.joined()


class _Gathered:
    """Slices of one answer, thinned alike."""

    def __init__(self, most: int) -> None:
        self._slices: list[dict[str, Observations]] = []
        self._most = most
        self._rows = 0
        self.halvings = 0

    def add(self, found: dict[str, Observations]) -> None:
        """Takes the next slice."""
        self._slices.append(_of(found, self.halvings))
        self._rows += sum(map(len, self._slices[-1].values()))
        while self._rows > self._most and self._halve():
            pass

    def _halve(self) -> bool:
        """Leaves out half of the traces. False: none would be left, so all stay."""
        for halvings in range(self.halvings + 1, MOST_HALVINGS + 1):
            halved = [_of(one, halvings) for one in self._slices]
            rows = sum(len(rows) for one in halved for rows in one.values())
            if not rows:
                return False
            if rows < self._rows:
                self._slices, self._rows, self.halvings = halved, rows, halvings
                return True
        return False

    def joined(self) -> dict[str, Observations]:
        whole, self._slices = joined(self._slices), []
        return whole


def _of(found: dict[str, Observations], halvings: int) -> dict[str, Observations]:
    """The rows, and the calls, of one trace in 2 ** `halvings`."""
    if not halvings:
        return found
    others = (1 << halvings) - 1
    whole = joined([found])
    calls = next(iter(whole.values())).calls if whole else None
    if calls is None:
        return found
    left = np.array([not zlib.crc32(trace.encode("utf-8", "surrogatepass")) & others for trace in calls.trace_id], bool)
    fewer, number = calls.take(np.flatnonzero(left)), np.cumsum(left) - 1
    thinned = {}
    for metric, one in whole.items():
        rows = left[one.call]
        thinned[metric] = Observations(metric=metric, calls=fewer, call=number[one.call[rows]], value=one.value[rows])
    return thinned
