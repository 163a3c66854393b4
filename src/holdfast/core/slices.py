"""A long period of scores, slice by slice, in memory that does not grow with the period."""

from collections.abc import Iterator, Sequence

from holdfast.core.clock import NS_PER_S
from holdfast.core.observations import Observations, Telemetry

FIRST_NS = 600 * NS_PER_S
SHORTEST_NS, LONGEST_NS = NS_PER_S, 24 * 3_600 * NS_PER_S
GROWTH = 16.0
"""A slice is at most so many times longer than the one before: traffic of the next hour is not known from that of a minute."""


class Period:
    """Scores of some metrics of an application in [start_ns, end_ns)."""

    def __init__(self, telemetry: Telemetry, service: str, start_ns: int, end_ns: int) -> None:
        self._telemetry, self._service, self._start_ns, self._end_ns = telemetry, service, start_ns, end_ns

    def slices(self, metrics: Sequence[str], rows: float) -> Iterator[dict[str, Observations]]:
        """One slice after the other, each made so long that it holds about `rows` scores; one at least, maybe without any.

        A slice holds more where traffic grows: up to 16 times as much, and more only if it grows during the slice.
        """
        at, length = self._start_ns, FIRST_NS
        while True:
            until = min(at + length, self._end_ns)
            found = self._telemetry.observations(self._service, metrics, at, until)
            many = sum(map(len, found.values()))
            yield found
            if until >= self._end_ns:
                return
            at, length = until, int(min(max(length * min(rows / max(many, 1), GROWTH), SHORTEST_NS), LONGEST_NS))
