"""OTLP protobuf → raw spans, log records and data points."""

import base64
import math
from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from holdfast.core.errors import InputError, TooLargeError
from holdfast.ingest.limits import MAX_ATTRIBUTES, MAX_DEPTH, MAX_EVENTS, MAX_HEAD_BYTES, MAX_ITEM_BYTES, MAX_ITEMS
from holdfast.ingest.otlp.raw import Attributes, RawEvent, RawLog, RawPoint, RawSpan
from holdfast.ingest.otlp.salvage import salvage
from holdfast.ingest.otlp.split import split
from holdfast.ingest.otlp.wire import check_values
from holdfast.ingest.record import Rejected

_COMPOUND = ("array_value", "kvlist_value", "bytes_value")
_COUNTED_BYTES = 256 * 1024
"""Larger items are looked through for how many values they hold; smaller ones cannot hold many."""
_NO_RECORDED_VALUE = 1
"""DataPointFlags.FLAG_NO_RECORDED_VALUE"""


_Item = TypeVar("_Item", bound=Message)


def _parsed(kind: type[_Item], data: bytes) -> _Item:
    """One message.

    Raises:
        InputError: it cannot be read, is too large, or would be when parsed.
    """
    if len(data) > MAX_ITEM_BYTES:
        raise InputError(f"{len(data)} bytes are more than {MAX_ITEM_BYTES}")
    if len(data) > _COUNTED_BYTES:
        check_values(memoryview(data), kind.DESCRIPTOR)
    try:
        return kind.FromString(data)
    except DecodeError:
        # upb refuses a whole message for one bad string; what is good in it is still wanted.
        repaired = salvage(memoryview(data), kind.DESCRIPTOR)
    try:
        return kind.FromString(repaired)
    except DecodeError as error:
        raise InputError(f"not OTLP protobuf: {error}") from error


class _Found(NamedTuple, Generic[_Item]):
    item: _Item
    where: tuple[int, int, int]
    resource: Attributes
    scope: str


def _items(body: bytes, kind: type[_Item], names: tuple[str, str, str], rejected: list[Rejected]) -> Iterator[_Found[_Item]]:
    """Every item of an export request, one parsed at a time; those that cannot be read go to `rejected`."""
    for i, group in enumerate(split(body, names[:2])):
        place = f"{names[0]}[{i}]"
        resource = _head(
            lambda data: attributes(_parsed(Resource, data).attributes), group.resource, f"{place}.resource", rejected
        )
        for j, scoped in enumerate(group.scopes):
            inside = f"{place}.{names[1]}[{j}]"
            scope = _head(lambda data: _parsed(InstrumentationScope, data).name, scoped.scope, f"{inside}.scope", rejected)
            for k, (begin, end) in enumerate(scoped.items):
                try:
                    item = _parsed(kind, body[begin:end])
                except InputError as error:
                    rejected.append(Rejected(f"{inside}.{names[2]}[{k}]", error.message))
                else:
                    yield _Found(item, (i, j, k), resource or {}, scope or "")


_Head = TypeVar("_Head")


def _head(read: Callable[[bytes], _Head], data: bytes, where: str, rejected: list[Rejected]) -> _Head | None:
    try:
        if len(data) > MAX_HEAD_BYTES:
            raise InputError(f"{len(data)} bytes are more than {MAX_HEAD_BYTES}")
        return read(data)
    except InputError as error:
        rejected.append(Rejected(where + error.where, error.message, lost=False))
        return None


def spans(body: bytes, rejected: list[Rejected]) -> Iterator[RawSpan]:
    """Every span of an ExportTraceServiceRequest; those that cannot be read go to `rejected`.

    Raises:
        InputError: the body as a whole cannot be decoded.
    """
    for span, where, resource, scope in _items(body, Span, ("resourceSpans", "scopeSpans", "spans"), rejected):
        try:
            yield _span(span, where, resource, scope)
        except InputError as error:
            rejected.append(Rejected("resourceSpans[{}].scopeSpans[{}].spans[{}]".format(*where) + error.where, error.message))


def _span(span: Span, where: tuple[int, int, int], resource: Attributes, scope: str) -> RawSpan:
    status = span.status
    events = span.events
    if len(events) > MAX_EVENTS:
        raise InputError(f"{len(events)} events are more than {MAX_EVENTS}", ".events")
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
    for record, where, resource, _ in _items(body, LogRecord, ("resourceLogs", "scopeLogs", "logRecords"), rejected):
        try:
            yield _log(record, where, resource)
        except InputError as error:
            rejected.append(Rejected("resourceLogs[{}].scopeLogs[{}].logRecords[{}]".format(*where) + error.where, error.message))


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
    seen = 0
    for metric, where, resource, _ in _items(body, Metric, ("resourceMetrics", "scopeMetrics", "metrics"), rejected):
        which = metric.WhichOneof("data")
        if which is None:
            continue
        seen += len(getattr(metric, which).data_points)
        if seen > MAX_ITEMS:
            raise TooLargeError(f"body holds more than {MAX_ITEMS} data points; send fewer at a time")
        yield from _points(metric, which, where, resource, rejected)


def _points(
    metric: Metric, which: str, where: tuple[int, int, int], resource: Attributes, rejected: list[Rejected]
) -> Iterator[RawPoint]:
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
