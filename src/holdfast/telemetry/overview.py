"""Many metrics at once, now beside before: the heat map, and where a metric is bad."""

from collections.abc import Collection
from typing import Any

import msgspec

from holdfast.core.call import DIMENSIONS
from holdfast.core.errors import InputError
from holdfast.telemetry.connection import Connection
from holdfast.telemetry.rows import within

MAX_VALUES = 50


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """Mean and number of scores in a window and before it, in the metric's unit; None where there are no scores.

    `key` is the metric in a heat map, the dimension's value in a breakdown. `deviation` is that of single scores
    before the window, as a standard deviation.
    """

    service: str
    key: str
    recent: float | None
    recent_count: int
    before: float | None
    before_count: int
    deviation: float


class Windows(msgspec.Struct, frozen=True):
    """The window is [split, end), what is before it [start, split), in nanoseconds."""

    start_ns: int
    split_ns: int
    end_ns: int

    def bound(self) -> dict[str, int]:
        """As parameters."""
        return {"start": within(self.start_ns), "split": within(self.split_ns), "end": within(self.end_ns)}


_HEAT = """
SELECT service, metric, avgIf(number, end_ns >= {split:Int64}), countIf(end_ns >= {split:Int64}),
    avgIf(number, end_ns < {split:Int64}), countIf(end_ns < {split:Int64}), stddevPopIf(number, end_ns < {split:Int64})
FROM calls ARRAY JOIN scores.name AS metric, scores.value AS number
WHERE end_ns >= {start:Int64} AND end_ns < {end:Int64} %(condition)s
GROUP BY service, metric ORDER BY service, metric
"""

_BREAKDOWN = """
SELECT service, arrayJoin(dimensions[{dimension:String}]) AS value_of,
    avgIf(number, end_ns >= {split:Int64}), countIf(end_ns >= {split:Int64}) AS calls,
    avgIf(number, end_ns < {split:Int64}), countIf(end_ns < {split:Int64}), stddevPopIf(number, end_ns < {split:Int64})
FROM (
    SELECT service, end_ns, dimensions, scores.value[indexOf(scores.name, {metric:String})] AS number FROM calls
    WHERE service = {service:String} AND end_ns >= {start:Int64} AND end_ns < {end:Int64} AND has(scores.name, {metric:String})
)
GROUP BY service, value_of ORDER BY calls DESC, value_of LIMIT {limit:UInt32}
"""


def read_heat(
    connection: Connection, metrics: Collection[str], windows: Windows, services: Collection[str] | None = None
) -> list[Beside]:
    """Every metric of every application that has scores, by application and metric. `services` None means all.

    Rows that were written twice count twice: near enough for a picture.
    """
    parameters: dict[str, Any] = dict(windows.bound())
    condition, wanted = "", set(metrics)
    if services is not None:
        condition, parameters["services"] = "AND service IN {services:Array(String)}", sorted(services)
    return [_beside(row) for row in connection.rows(_HEAT % {"condition": condition}, parameters) if row[1] in wanted]


def read_oldest(connection: Connection) -> int:
    """When the first call that is kept ended, in nanoseconds; 0 where there is none."""
    return int(connection.rows("SELECT min(end_ns) FROM calls")[0][0])


def read_breakdown(connection: Connection, service: str, metric: str, dimension: str, windows: Windows) -> list[Beside]:
    """A metric by the values of a dimension, those with most calls first, at most 50.

    Raises:
        InputError: there is no such dimension.
    """
    if dimension not in DIMENSIONS:
        raise InputError(f"{dimension!r} is no dimension: {', '.join(DIMENSIONS)}", "dimension")
    bound = {**windows.bound(), "service": service, "metric": metric, "dimension": dimension, "limit": MAX_VALUES}
    return [_beside(row) for row in connection.rows(_BREAKDOWN, bound)]


def _beside(row: Any) -> Beside:
    service, key, recent, recent_count, before, before_count, deviation = row
    return Beside(
        service=service,
        key=key,
        recent=float(recent) if recent_count else None,
        recent_count=int(recent_count),
        before=float(before) if before_count else None,
        before_count=int(before_count),
        deviation=float(deviation) if before_count else 0.0,
    )
