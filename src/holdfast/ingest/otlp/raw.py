"""OTLP without its encoding: what protobuf and JSON bodies are turned into before anything is interpreted."""

from typing import Any

import msgspec

from holdfast.core.errors import InputError
from holdfast.ingest.limits import MAX_FUTURE_NS, MAX_TIME_NS

Attributes = dict[str, Any]
"""Attribute name → str, bool, int, float, None, list or dict of these."""

CLAMPED = "holdfast.ingest.note"
"""Attribute that says what was put right when a span was taken."""


class RawEvent(msgspec.Struct):
    """A span event."""

    name: str
    time_ns: int
    attributes: Attributes


class RawSpan(msgspec.Struct):
    """A span. Ids are lower-case hex, times nanoseconds since the epoch, `kind` and `status` OTLP's numbers.

    `where` is its place in the body: indexes of resource, scope and span.
    """

    where: tuple[int, int, int]
    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    status: int
    status_message: str
    attributes: Attributes
    events: list[RawEvent]
    links: int
    resource: Attributes
    scope: str
    trace_state: str = ""

    @property
    def place(self) -> str:
        """Where it stood in the body, such as ``resourceSpans[0].scopeSpans[1].spans[3]``."""
        return "resourceSpans[{}].scopeSpans[{}].spans[{}]".format(*self.where)


class RawLog(msgspec.Struct):
    """A log record. Ids are empty where it has none."""

    where: tuple[int, int, int]
    trace_id: str
    span_id: str
    time_ns: int
    event_name: str
    body: Any
    attributes: Attributes
    resource: Attributes

    @property
    def place(self) -> str:
        """Where it stood in the body."""
        return "resourceLogs[{}].scopeLogs[{}].logRecords[{}]".format(*self.where)


class RawPoint(msgspec.Struct):
    """One data point of a metric. `value` is the number, or the mean of a histogram; None where it has none."""

    where: tuple[int, int, int, int]
    time_ns: int
    name: str
    unit: str
    value: float | None
    attributes: Attributes
    resource: Attributes

    @property
    def place(self) -> str:
        """Where it stood in the body."""
        return "resourceMetrics[{}].scopeMetrics[{}].metrics[{}].dataPoints[{}]".format(*self.where)


_HEX = frozenset("0123456789abcdef")


def checked_id(value: str, digits: int, field: str) -> str:
    """`value` in lower case.

    Raises:
        InputError: it is missing, has another length, is not hex or is all zero.
    """
    value = value.lower()
    if not value:
        raise InputError(f"{field} is missing")
    if len(value) != digits:
        raise InputError(f"{field} must have {digits} hex digits, not {len(value)} characters")
    if not _HEX.issuperset(value):
        raise InputError(f"{field} must be hex digits, not {value!r} (OTLP/JSON does not encode ids in base64)")
    if value.count("0") == digits:
        raise InputError(f"{field} is all zero")
    return value


def check_span(span: RawSpan, now_ns: int | None) -> None:
    """Put a span's times and ids right, or refuse it.

    Raises:
        InputError: it has no usable id or time.
    """
    span.trace_id = checked_id(span.trace_id, 32, "traceId")
    span.span_id = checked_id(span.span_id, 16, "spanId")
    parent = span.parent_span_id.strip("0")
    span.parent_span_id = checked_id(span.parent_span_id, 16, "parentSpanId") if parent else ""
    if span.start_ns <= 0:
        raise InputError("startTimeUnixNano is missing or zero")
    if max(span.start_ns, span.end_ns) > MAX_TIME_NS:
        raise InputError("time is after the year 2262")
    if now_ns is not None and span.start_ns > now_ns + MAX_FUTURE_NS:
        raise InputError("startTimeUnixNano is more than 24 h in the future")
    if span.end_ns < span.start_ns:
        span.attributes[CLAMPED] = f"endTimeUnixNano {span.end_ns} is before the start; taken as the start"
        span.end_ns = span.start_ns


def check_log(log: RawLog, now_ns: int | None) -> None:
    """Refuse a log record whose ids or time cannot be used; one without a span is fine.

    Raises:
        InputError: a malformed id, no time, or a time in the far future.
    """
    log.trace_id = checked_id(log.trace_id, 32, "traceId") if log.trace_id.strip("0") else ""
    log.span_id = checked_id(log.span_id, 16, "spanId") if log.span_id.strip("0") else ""
    check_time(log.time_ns, now_ns)


def check_time(time_ns: int, now_ns: int | None) -> None:
    """Refuse a time that is missing or far in the future.

    Raises:
        InputError: it is.
    """
    if not 0 < time_ns <= MAX_TIME_NS:
        raise InputError("timeUnixNano is missing or out of range")
    if now_ns is not None and time_ns > now_ns + MAX_FUTURE_NS:
        raise InputError("timeUnixNano is more than 24 h in the future")
