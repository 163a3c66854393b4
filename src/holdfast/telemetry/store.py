"""`TelemetryStore`: calls with their scores, changes, evaluations and infrastructure metrics, in chDB or ClickHouse."""

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any, TypeVar

from holdfast.core.call import Call, Dimensions, EvaluationRecord, MetricPoint
from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.core.label import Label
from holdfast.core.observations import Observations
from holdfast.core.signal import Segment
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.telemetry import rows
from holdfast.telemetry.connection import Connection, Parameters
from holdfast.telemetry.labels import MAX_LABELS, append_labels, read_label_history, read_labels
from holdfast.telemetry.overview import Beside, Windows, read_breakdown, read_heat, read_oldest
from holdfast.telemetry.schema import DAILY, DAY_NS, migrate
from holdfast.telemetry.scores import Series, read_coverage, read_observations, read_series, read_unscored
from holdfast.telemetry.search import CallQuery, Hits, search_calls

_T = TypeVar("_T")

MAX_IDS = 1_000
"""Ids bound to one query: a ClickHouse server takes at most 128 KiB in a parameter."""

RESENT_NS = 600_000_000_000
"""A call that arrives again is found when it ends within ten minutes of how it ended first."""


class TelemetryStore:
    """Everything that was observed. Safe to use from several threads.

    Appending is idempotent: after a crash the pipeline replays from its checkpoint and the same values come again. Writers
    look up what is there already; where two servers write the same at the same moment, equal rows collapse when read.

    Args:
        dsn: ``chdb:///absolute/directory`` (one process per directory, and one directory per process at a time), or
            ``http[s]://user:password@host:port/database`` of a ClickHouse server.
        gather: so many calls are gathered before they are written, since an insert costs as much as two hundred calls. Whoever
            reads sees them all the same; a crash loses them, so `flush` before a checkpoint. 0 writes at once.

    Raises:
        ConfigurationError: `dsn` is neither.
        StoreError: the store cannot be opened, or was made by a newer Holdfast. Every method raises it when the store refuses.
    """

    def __init__(self, dsn: str, gather: int = 0) -> None:
        self._connection = Connection(dsn)
        self._append = Lock()
        self._gather = gather
        self._gathered: dict[tuple[str, str], rows.ScoredCall] = {}
        try:
            self.schema_version = migrate(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> "TelemetryStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Writes what was gathered and lets go of the store."""
        try:
            self.flush()
        finally:
            self._connection.close()

    def append(self, scored: Sequence[ScoredTrace]) -> int:
        """Keeps calls with their scores and failures, and returns how many were new to what is written or gathered.

        A call whose (trace_id, span_id) is there already stays as it is, its scores too.
        """
        calls = rows.calls_of(scored)
        with self._append:
            fresh = {key: row for key, row in calls.items() if key not in self._gathered}
            self._gathered |= fresh
            return len(fresh) if len(self._gathered) <= self._gather else self._write()

    def flush(self) -> None:
        """Writes what was gathered. Where the store refuses it stays gathered."""
        if self._gathered:
            with self._append:
                self._write()

    def _write(self) -> int:
        if not self._gathered:
            return 0
        known = self._known(self._gathered)
        new = [row for key, row in self._gathered.items() if key not in known]
        if new:
            self._connection.insert("calls", rows.call_columns(new))
        self._gathered = {}
        return len(new)

    @property
    def _written(self) -> Connection:
        """The database with all that was appended in it."""
        self.flush()
        return self._connection

    def append_evaluations(self, records: Sequence[EvaluationRecord]) -> None:
        """Keeps evaluations as they arrived. Equal ones count once."""
        if records:
            self._connection.insert("evaluations", rows.evaluation_columns(records))

    def append_changes(self, changes: Sequence[Change]) -> int:
        """Keeps changes, and returns how many were new. The first of equal (source, id) stays."""
        sound = [rows.sound(c, Change) for c in changes]
        fresh = {(c.source, c.id): c for c in reversed(sound)}
        with self._append:
            for ids in _chunks(list({c.id for c in sound})):
                sql = "SELECT source, id FROM changes FINAL WHERE id IN {ids:Array(String)}"
                for source, identity in self._connection.rows(sql, {"ids": ids}):
                    fresh.pop((source, identity), None)
            if fresh:
                self._connection.insert("changes", rows.change_columns(list(fresh.values())))
        return len(fresh)

    def append_metric_points(self, points: Sequence[MetricPoint]) -> None:
        """Keeps infrastructure metrics. Equal ones count once."""
        if points:
            self._connection.insert("metric_points", rows.point_columns(points))

    def append_labels(self, labels: Sequence[Label]) -> None:
        """Keeps people's labels. Equal ones count once; none is ever changed."""
        append_labels(self._connection, labels)

    def labels(self, service: str = "", metric: str = "", trace_id: str = "", limit: int = MAX_LABELS) -> list[Label]:
        """The last label of each call and metric, newest first; an empty argument does not filter."""
        return read_labels(self._connection, service, metric, trace_id, limit)

    def label_history(self, trace_id: str) -> list[Label]:
        """Every label that was ever given to a call of this trace, oldest first."""
        return read_label_history(self._connection, trace_id)

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        """Scores of these metrics in [start_ns, end_ns), by metric; one without scores has zero rows, never a missing key."""
        return read_observations(self._written, service, metrics, start_ns, end_ns)

    def unscored(self, service: str, metric: str, start_ns: int, end_ns: int) -> frozenset[str]:
        """Traces of [start_ns, end_ns) on which a scorer failed that gave this metric to others of them."""
        return read_unscored(self._written, service, metric, start_ns, end_ns)

    def metric_series(self, segment: Segment, metric: str, start_ns: int, end_ns: int, step_ns: int) -> Series:
        """A metric of a segment in [start_ns, end_ns), in steps of `step_ns` for a chart.

        Raises:
            ValueError: `step_ns` is not positive.
        """
        return read_series(self._written, segment, [metric], (start_ns, end_ns), step_ns)[metric]

    def series_of(self, segment: Segment, metrics: Sequence[str], start_ns: int, end_ns: int, step_ns: int) -> dict[str, Series]:
        """Several of them, by name, for little more than what one costs.

        Raises:
            ValueError: `step_ns` is not positive.
        """
        return read_series(self._written, segment, metrics, (start_ns, end_ns), step_ns)

    def search(self, query: CallQuery) -> Hits:
        """Calls by filters, newest first.

        Raises:
            InputError: as in `holdfast.telemetry.search.search_calls`.
        """
        return search_calls(self._written, query)

    def heat(self, metrics: Sequence[str], windows: Windows, services: frozenset[str] | None = None) -> list[Beside]:
        """Metrics of applications in a window beside what they were before; `services` None means all."""
        return read_heat(self._written, metrics, windows, services)

    def oldest_ns(self) -> int:
        """When the first call that is kept ended; 0 where there is none."""
        return read_oldest(self._written)

    def breakdown(self, service: str, metric: str, dimension: str, windows: Windows) -> list[Beside]:
        """A metric by the values of a dimension, in a window beside before.

        Raises:
            InputError: there is no such dimension.
        """
        return read_breakdown(self._written, service, metric, dimension, windows)

    def coverage(self, start_ns: int, end_ns: int, services: frozenset[str] | None = None) -> dict[str, dict[str, int]]:
        """Traces in [start_ns, end_ns) by scorer: `ran`, `failed`, `skipped`. A scorer without any row is not in it.

        `services` are the applications whose calls count; None means all.
        """
        return read_coverage(self._written, start_ns, end_ns, services)

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        """Changes in [start_ns, end_ns), oldest first."""
        sql = (
            "SELECT body FROM changes FINAL WHERE time_ns >= {start:Int64} AND time_ns < {end:Int64} ORDER BY time_ns, source, id"
        )
        return [rows.decode_change(body) for (body,) in self._connection.rows(sql, _window(start_ns, end_ns))]

    def services(self) -> list[str]:
        """Applications that sent calls, by name."""
        return [name for (name,) in self._written.rows("SELECT DISTINCT service FROM calls ORDER BY service")]

    def count(self, service: str = "", start_ns: int = 0, end_ns: int = rows.MAX_INT64) -> int:
        """Calls that ended in [start_ns, end_ns), of one application or of all."""
        condition = "AND service = {service:String}" if service else ""
        sql = f"SELECT count() FROM calls FINAL WHERE end_ns >= {{start:Int64}} AND end_ns < {{end:Int64}} {condition}"
        return int(self._written.rows(sql, _window(start_ns, end_ns) | ({"service": service} if service else {}))[0][0])

    def trace(self, trace_id: str) -> Trace | None:
        """All calls of a trace, or None when there are none."""
        found = self.scored_trace(trace_id)
        return found.trace if found else None

    def scored_trace(self, trace_id: str) -> ScoredTrace | None:
        """A trace with what the scorers said of it; None when there is no such trace."""
        calls, scores, failures = [], [], []
        for row in self._written.rows(_TRACE, {"trace": trace_id}):
            span, body = row[:2]
            calls.append(rows.decode_call(body))
            scores += [rows.decode_score(trace_id, span, fields) for fields in zip(*row[2:8], strict=True)]
            failures += [rows.decode_failure(trace_id, span, fields) for fields in zip(*row[8:], strict=True)]
        if not calls:
            return None
        return ScoredTrace(Trace(trace_id, tuple(calls)), tuple(scores), tuple(failures))

    def call(self, trace_id: str, span_id: str) -> Call | None:
        """One call as it was kept, or None."""
        return self._one("trace_id = {trace:String} AND span_id = {span:String}", {"trace": trace_id, "span": span_id})

    def call_of(self, record: EvaluationRecord) -> Call | None:
        """The call that an evaluation is about: by span, else by response id, else the earliest of its trace; None: not kept."""
        if record.trace_id and record.span_id:
            return self.call(record.trace_id, record.span_id)
        if record.response_id:
            return self._one("response_id = {response:String}", {"response": record.response_id})
        if record.trace_id:
            return self._one("trace_id = {trace:String}", {"trace": record.trace_id})
        return None

    def dimensions_of(self, record: EvaluationRecord) -> Dimensions | None:
        """Dimensions of the call that an evaluation is about, or None when that call is not kept."""
        call = self.call_of(record)
        return call.dimensions if call else None

    def evaluations(self, trace_id: str) -> list[EvaluationRecord]:
        """Evaluations that named a span or the whole of this trace, oldest first."""
        sql = "SELECT body FROM evaluations FINAL WHERE trace_id = {trace:String} ORDER BY time_ns, body"
        return [rows.decode_evaluation(body) for (body,) in self._connection.rows(sql, {"trace": trace_id})]

    def metric_points(self, service: str, start_ns: int, end_ns: int) -> list[MetricPoint]:
        """Infrastructure metrics of an application in [start_ns, end_ns), oldest first."""
        found = self._connection.rows(_POINTS, _window(start_ns, end_ns) | {"service": service})
        return [
            MetricPoint(time_ns=at, service=service, name=name, value=value, unit=unit, attributes=rows.decode_labels(labels))
            for at, name, value, unit, labels in found
        ]

    def forget_before(self, time_ns: int) -> int:
        """Drops whole UTC days that ended before `time_ns`, and returns how many partitions went. Changes are kept.

        A day into which something was written later than that stays as a whole: who replays old telemetry wants to see it.
        """
        dropped, before = 0, {"day": time_ns // DAY_NS, "second": time_ns // NS_PER_S}
        for table in DAILY:
            for (partition,) in self._written.rows(_PARTITIONS, {"table": table, **before}):
                self._written.command(f"ALTER TABLE {table} DROP PARTITION {int(partition)}")
                dropped += 1
        return dropped

    def _known(self, calls: dict[tuple[str, str], rows.ScoredCall]) -> set[tuple[str, str]]:
        ends = [row.call.end_ns for row in calls.values()]
        window = {"start": rows.within(min(ends) - RESENT_NS), "end": rows.within(max(ends) + RESENT_NS)}
        known: set[tuple[str, str]] = set()
        for ids in _chunks(list({trace_id for trace_id, _ in calls})):
            known.update((t, s) for t, s in self._connection.rows(_KNOWN, window | {"ids": ids}))
        return known

    def _one(self, condition: str, parameters: Parameters) -> Call | None:
        sql = f"SELECT body FROM calls FINAL WHERE {condition} ORDER BY start_ns, span_id LIMIT 1"
        found = self._written.rows(sql, parameters)
        return rows.decode_call(found[0][0]) if found else None


_KNOWN = """
SELECT trace_id, span_id FROM calls
WHERE end_ns >= {start:Int64} AND end_ns <= {end:Int64} AND trace_id IN {ids:Array(String)}
"""

_TRACE = """
SELECT span_id, body, scores.name, scores.value, scores.scorer, scores.version, scores.why, scores.spans,
    failures.scorer, failures.version, failures.error_type, failures.message
FROM calls FINAL WHERE trace_id = {trace:String} ORDER BY start_ns, span_id
"""

_POINTS = """
SELECT time_ns, name, value, unit, attributes FROM metric_points FINAL
WHERE service = {service:String} AND time_ns >= {start:Int64} AND time_ns < {end:Int64} ORDER BY time_ns, name, attributes
"""

_PARTITIONS = """
SELECT partition FROM system.parts
WHERE active AND database = currentDatabase() AND table = {table:String} AND toInt64(partition) < {day:Int64}
GROUP BY partition HAVING max(toUnixTimestamp(modification_time)) < {second:Int64} ORDER BY partition
"""


def _window(start_ns: int, end_ns: int) -> dict[str, Any]:
    return {"start": rows.within(start_ns), "end": rows.within(end_ns)}


def _chunks(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for begin in range(0, len(values), MAX_IDS):
        yield values[begin : begin + MAX_IDS]
