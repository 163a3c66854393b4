"""OTLP protobuf → raw spans, log records and data points."""

import base64
import math
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from holdfast.core.errors import InputError
from holdfast.ingest.limits import MAX_ATTRIBUTES, MAX_DEPTH
from holdfast.ingest.otlp.raw import Attributes, RawEvent, RawLog, RawPoint, RawSpan
from holdfast.ingest.otlp.salvage import salvage
from holdfast.ingest.record import Rejected

_COMPOUND = ("array_value", "kvlist_value", "bytes_value")
_NO_RECORDED_VALUE = 1
"""DataPointFlags.FLAG_NO_RECORDED_VALUE"""


def _parse(body: bytes, message: Message, rejected: list[Rejected]) -> None:
    try:
        message.ParseFromString(body)
    except DecodeError:
        # upb refuses the whole body for one bad string or one deep value; what is good in it is still wanted.
        message.Clear()
        repaired = salvage(body, message.DESCRIPTOR, rejected)
        try:
            message.ParseFromString(repaired)
        except DecodeError as error:
            raise InputError(f"body is not OTLP protobuf: {error}") from error


def spans(body: bytes, rejected: list[Rejected]) -> Iterator[RawSpan]:
    """Every span of an ExportTraceServiceRequest; those that cannot be read go to `rejected`.

    Raises:
        InputError: the body as a whole cannot be decoded.
    """
    request = ExportTraceServiceRequest()
    _parse(body, request, rejected)
    for i, group in enumerate(request.resource_spans):
        resource = _resource(group.resource.attributes, f"resourceSpans[{i}].resource", rejected)
        for j, scoped in enumerate(group.scope_spans):
            scope = scoped.scope.name
            for k, span in enumerate(scoped.spans):
                try:
                    yield _span(span, (i, j, k), resource, scope)
                except InputError as error:
                    rejected.append(Rejected(f"resourceSpans[{i}].scopeSpans[{j}].spans[{k}]{error.where}", error.message))


def _span(span: Span, where: tuple[int, int, int], resource: Attributes, scope: str) -> RawSpan:
    status = span.status
    events = span.events
    return RawSpan(
        where=where,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=span.name,
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        status=status.code,
        status_message=status.message,
        attributes=attributes(span.attributes),
        events=[RawEvent(e.name, e.time_unix_nano, attributes(e.attributes)) for e in events] if events else [],
        links=len(span.links),
        resource=resource,
        scope=scope,
        trace_state=span.trace_state,
    )


def logs(body: bytes, rejected: list[Rejected]) -> Iterator[RawLog]:
    """Every record of an ExportLogsServiceRequest; those that cannot be read go to `rejected`.

    Raises:
        InputError: the body as a whole cannot be decoded.
    """
    request = ExportLogsServiceRequest()
    _parse(body, request, rejected)
    for i, group in enumerate(request.resource_logs):
        resource = _resource(group.resource.attributes, f"resourceLogs[{i}].resource", rejected)
        for j, scoped in enumerate(group.scope_logs):
            for k, record in enumerate(scoped.log_records):
                try:
                    yield _log(record, (i, j, k), resource)
                except InputError as error:
                    rejected.append(Rejected(f"resourceLogs[{i}].scopeLogs[{j}].logRecords[{k}]{error.where}", error.message))


def _log(record: LogRecord, where: tuple[int, int, int], resource: Attributes) -> RawLog:
    return RawLog(
        where=where,
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        time_ns=record.time_unix_nano or record.observed_time_unix_nano,
        event_name=record.event_name,
        body=any_value(record.body),
        attributes=attributes(record.attributes),
        resource=resource,
    )


def points(body: bytes, rejected: list[Rejected]) -> Iterator[RawPoint]:
    """Every data point of an ExportMetricsServiceRequest; those that cannot be read go to `rejected`.

    Raises:
        InputError: the body as a whole cannot be decoded.
    """
    request = ExportMetricsServiceRequest()
    _parse(body, request, rejected)
    for i, group in enumerate(request.resource_metrics):
        resource = _resource(group.resource.attributes, f"resourceMetrics[{i}].resource", rejected)
        for j, scoped in enumerate(group.scope_metrics):
            for k, metric in enumerate(scoped.metrics):
                yield from _points(metric, (i, j, k), resource, rejected)


def _points(metric: Metric, where: tuple[int, int, int], resource: Attributes, rejected: list[Rejected]) -> Iterator[RawPoint]:
    which = metric.WhichOneof("data")
    if which is None:
        return
    for n, point in enumerate(getattr(metric, which).data_points):
        try:
            yield RawPoint(
                where=(*where, n),
                time_ns=point.time_unix_nano,
                name=metric.name,
                unit=metric.unit,
                value=None if point.flags & _NO_RECORDED_VALUE else _number(point, which),
                attributes=attributes(point.attributes),
                resource=resource,
            )
        except InputError as error:
            place = "resourceMetrics[{}].scopeMetrics[{}].metrics[{}].dataPoints[{}]".format(*where, n)
            rejected.append(Rejected(place + error.where, error.message))


def _number(point: Any, which: str) -> float | None:
    if which in ("gauge", "sum"):
        value = point.WhichOneof("value")
        return None if value is None else float(getattr(point, value))
    return point.sum / point.count if point.count else math.nan


def _resource(items: Iterable[KeyValue], where: str, rejected: list[Rejected]) -> Attributes:
    try:
        return attributes(items)
    except InputError as error:
        rejected.append(Rejected(where + error.where, error.message, lost=False))
        return {}


def attributes(items: Any) -> Attributes:
    """Key-values as a dict.

    Raises:
        InputError: more than `MAX_ATTRIBUTES`, or one nested deeper than `MAX_DEPTH`.
    """
    if len(items) > MAX_ATTRIBUTES:
        raise InputError(f"{len(items)} attributes are more than {MAX_ATTRIBUTES}", ".attributes")
    found: Attributes = {}
    for item in items:
        value = item.value
        # Most values are strings; asking for that one first saves the look-up of which it is.
        found[item.key] = value.string_value or any_value(value)
    return found


def any_value(value: AnyValue, depth: int = 0) -> Any:
    """An AnyValue as a Python value. Bytes become text, base64 where they are none.

    Raises:
        InputError: nested deeper than `MAX_DEPTH`.
    """
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which not in _COMPOUND:
        return getattr(value, which)
    if depth >= MAX_DEPTH:
        raise InputError(f"attribute is nested deeper than {MAX_DEPTH} levels", ".attributes")
    if which == "array_value":
        return [any_value(item, depth + 1) for item in value.array_value.values]
    if which == "kvlist_value":
        return {item.key: any_value(item.value, depth + 1) for item in value.kvlist_value.values}
    return text_of(value.bytes_value)


def text_of(data: bytes) -> str:
    """Bytes as text: UTF-8 where they are, base64 where not."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()
