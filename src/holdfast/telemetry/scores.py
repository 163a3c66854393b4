"""Reading scores as columns: for the stages that calculate, for charts, and to see which scorers ran."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.call import Dimensions
from holdfast.core.observations import Calls, Observations
from holdfast.core.signal import Segment
from holdfast.telemetry.connection import Connection
from holdfast.telemetry.rows import decode_dimensions, within

_WINDOW = "service = {service:String} AND end_ns >= {start:Int64} AND end_ns < {end:Int64}"

# One row per call, not per score: the dimensions and ids of a call are then read once for all of its metrics.
_SCORED_CALLS = f"""
SELECT end_ns, trace_id, span_id, labels,
    arrayFilter(i -> i > 0, arrayMap(n -> indexOf({{metrics:Array(String)}}, n), scores.name)) AS wanted,
    arrayFilter((v, n) -> has({{metrics:Array(String)}}, n), scores.value, scores.name) AS numbers
FROM calls FINAL
WHERE {_WINDOW} AND hasAny(scores.name, {{metrics:Array(String)}})
ORDER BY end_ns, trace_id, span_id
"""

_SERIES = """
SELECT metric, intDiv(end_ns - {start:Int64}, {step:Int64}) AS slot, count() AS calls, avg(number) AS mean,
    quantileExact(0.5)(number) AS median, quantileExact(0.95)(number) AS high
FROM calls FINAL ARRAY JOIN scores.name AS metric, scores.value AS number
WHERE %(window)s AND metric IN {metrics:Array(String)}
GROUP BY metric, slot ORDER BY metric, slot
"""

_COVERAGE = """
SELECT scorer, count() AS seen, countIf(has(broken, scorer)) AS failed FROM (
    SELECT groupUniqArrayArray(failures.scorer) AS broken,
        arrayDistinct(arrayConcat(groupUniqArrayArray(scores.scorer), broken)) AS outcomes
    FROM calls FINAL WHERE end_ns >= {start:Int64} AND end_ns < {end:Int64} %(condition)s GROUP BY trace_id
) ARRAY JOIN outcomes AS scorer
GROUP BY scorer ORDER BY scorer
"""

# Which scorers give a metric is read off the scores: telemetry knows no definitions.
_UNSCORED = f"""
SELECT DISTINCT trace_id FROM calls FINAL WHERE {_WINDOW} AND hasAny(failures.scorer, (
    SELECT groupUniqArray(scorer) FROM calls ARRAY JOIN scores.name AS metric, scores.scorer AS scorer
    WHERE {_WINDOW} AND metric = {{metric:String}}
))
"""

_TRACES = """
SELECT uniqExact(sipHash128(trace_id)) FROM calls FINAL
WHERE end_ns >= {start:Int64} AND end_ns < {end:Int64} %(condition)s
"""


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over time, for a chart: one entry per step that has scores, oldest first; an empty step has no entry.

    `time_ns` is the beginning of the step, `count` the number of scores in it; `mean`, `median` and `high` (95th percentile)
    are in the metric's unit.
    """

    metric: str
    step_ns: int
    time_ns: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    median: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    def __len__(self) -> int:
        """The number of steps with scores."""
        return len(self.time_ns)


def read_observations(
    connection: Connection, service: str, metrics: Sequence[str], start_ns: int, end_ns: int
) -> dict[str, Observations]:
    """As `holdfast.core.observations.Telemetry.observations`."""
    names = list(dict.fromkeys(metrics))
    if not names:
        return {}
    window = {"service": service, "start": within(start_ns), "end": within(end_ns), "metrics": names}
    columns = connection.columns(_SCORED_CALLS, window)
    if not columns:
        columns = [()] * 6
    ends, traces, spans, labels, wanted, numbers = columns
    call, metric, value = _flattened(wanted, numbers)
    time_ns, (kind, kinds) = np.asarray(ends, dtype=np.int64), _kinds(labels)
    calls = Calls(time_ns=time_ns, trace_id=list(traces), span_id=list(spans), kind=kind, kinds=kinds)
    found = {}
    for index, name in enumerate(names, start=1):
        chosen = metric == index
        found[name] = Observations(metric=name, calls=calls, call=call[chosen], value=value[chosen])
    return found


def read_series(
    connection: Connection, segment: Segment, metrics: Sequence[str], period_ns: tuple[int, int], step_ns: int
) -> dict[str, Series]:
    """Metrics of a segment in [start, end), in steps counted from the start, by name; one without scores has no steps.

    All of them cost little more than one: what takes time is to read the scores of the calls.

    Raises:
        ValueError: `step_ns` is not positive.
    """
    if step_ns <= 0:
        raise ValueError(f"step_ns must be positive, not {step_ns}")
    start = within(period_ns[0])
    condition = " AND has(dimensions[{dimension:String}], {value_of:String})" if segment.dimension else ""
    parameters: dict[str, Any] = {
        "service": segment.service,
        "start": start,
        "end": within(period_ns[1]),
        "step": step_ns,
        "metrics": list(metrics),
    }
    if condition:
        parameters |= {"dimension": segment.dimension, "value_of": segment.value}
    columns = (metrics and connection.columns(_SERIES % {"window": _WINDOW + condition}, parameters)) or [()] * 6
    named, slot = np.asarray(columns[0], dtype=np.str_), np.asarray(columns[1], dtype=np.int64)
    count = np.asarray(columns[2], dtype=np.int64)
    mean, median, high = (np.asarray(column, dtype=np.float64) for column in columns[3:])
    return {
        name: Series(
            metric=name,
            step_ns=step_ns,
            time_ns=start + slot[chosen] * step_ns,
            count=count[chosen],
            mean=mean[chosen],
            median=median[chosen],
            high=high[chosen],
        )
        for name in dict.fromkeys(metrics)
        for chosen in [named == name]
    }


def read_unscored(connection: Connection, service: str, metric: str, start_ns: int, end_ns: int) -> frozenset[str]:
    """Traces of [start, end) on which a scorer failed that gave this metric to others of them. None where it gave none at all."""
    window = {"service": service, "start": within(start_ns), "end": within(end_ns), "metric": metric}
    return frozenset([trace_id for (trace_id,) in connection.rows(_UNSCORED, window)])


def read_coverage(
    connection: Connection, start_ns: int, end_ns: int, services: Collection[str] | None = None
) -> dict[str, dict[str, int]]:
    """In how many traces of [start, end) each scorer ran, failed, or had nothing to say (skipped): the sum is all traces.

    `services` are the applications whose calls count; None means all.

    A trace in which a scorer both scored and failed counts as failed. A scorer that left no row in the period is not named here.
    """
    window: dict[str, Any] = {"start": within(start_ns), "end": within(end_ns)}
    condition = {"condition": ""}
    if services is not None:
        condition["condition"], window["services"] = "AND service IN {services:Array(String)}", sorted(services)
    traces = int(connection.rows(_TRACES % condition, window)[0][0])
    return {
        scorer: {"ran": int(seen - failed), "failed": int(failed), "skipped": int(traces - seen)}
        for scorer, seen, failed in connection.rows(_COVERAGE % condition, window)
    }


def _flattened(
    wanted: Sequence[Sequence[int]], numbers: Sequence[Sequence[float]]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Row of the call, position of the metric and value of each score; the calls' order is kept."""
    counts = np.fromiter(map(len, wanted), dtype=np.int64, count=len(wanted))
    total = int(counts.sum())
    metric = np.fromiter((i for row in wanted for i in row), dtype=np.int64, count=total)
    value = np.fromiter((v for row in numbers for v in row), dtype=np.float64, count=total)
    return np.repeat(np.arange(len(wanted), dtype=np.int64), counts), metric, value


def _kinds(labels: Sequence[str]) -> tuple[npt.NDArray[np.int64], list[Dimensions]]:
    """Which of the distinct labels each call has, and those decoded."""
    known: dict[str, int] = {}
    kind = np.fromiter((known.setdefault(text, len(known)) for text in labels), np.int64, len(labels))
    return kind, [decode_dimensions(text) for text in known]
