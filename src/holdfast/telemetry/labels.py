"""People's labels: only ever added, and read so that the last word on each call and metric counts."""

from collections.abc import Sequence
from typing import Any

from holdfast.core.label import Label
from holdfast.telemetry.connection import Connection
from holdfast.telemetry.rows import sound, within

MAX_LABELS = 100_000

_LAST = """
SELECT service, trace_id, span_id, metric, argMax(failed, order) AS last_failed, argMax(actor, order) AS last_actor,
    max(time_ns) AS last_ns, argMax(note, order) AS last_note
FROM (SELECT *, (time_ns, actor, failed, note) AS order FROM labels FINAL WHERE %(condition)s)
GROUP BY service, trace_id, span_id, metric
ORDER BY last_ns DESC, trace_id, span_id, metric LIMIT {limit:UInt32}
"""

_ALL = """
SELECT service, trace_id, span_id, metric, failed, actor, time_ns, note FROM labels FINAL
WHERE trace_id = {trace:String} ORDER BY time_ns, metric, span_id, actor
"""

_FILTERS = {"service": "service = {service:String}", "metric": "metric = {metric:String}", "trace": "trace_id = {trace:String}"}


def append_labels(connection: Connection, labels: Sequence[Label]) -> None:
    """Keeps labels. Equal ones count once; none is ever changed."""
    if not labels:
        return
    labels = [sound(label, Label) for label in labels]
    connection.insert(
        "labels",
        {
            "service": [label.service for label in labels],
            "trace_id": [label.trace_id for label in labels],
            "span_id": [label.span_id for label in labels],
            "metric": [label.metric for label in labels],
            "failed": [label.failed for label in labels],
            "actor": [label.actor for label in labels],
            "time_ns": [within(label.time_ns) for label in labels],
            "note": [label.note for label in labels],
        },
    )


def read_labels(
    connection: Connection, service: str = "", metric: str = "", trace_id: str = "", limit: int = MAX_LABELS
) -> list[Label]:
    """The last label of each call and metric, newest first; an empty argument does not filter."""
    asked = {"service": service, "metric": metric, "trace": trace_id}
    given = {name: value for name, value in asked.items() if value}
    condition = " AND ".join(_FILTERS[name] for name in given) or "1"
    parameters: dict[str, Any] = {**given, "limit": min(max(limit, 0), MAX_LABELS)}
    return [_label(row) for row in connection.rows(_LAST % {"condition": condition}, parameters)]


def read_label_history(connection: Connection, trace_id: str) -> list[Label]:
    """Every label that was ever given to a call of this trace, oldest first."""
    return [_label(row) for row in connection.rows(_ALL, {"trace": trace_id})]


def _label(row: Sequence[Any]) -> Label:
    service, trace_id, span_id, metric, failed, actor, time_ns, note = row
    return Label(
        service=service,
        trace_id=trace_id,
        span_id=span_id,
        metric=metric,
        failed=bool(failed),
        actor=actor,
        time_ns=time_ns,
        note=note,
    )
