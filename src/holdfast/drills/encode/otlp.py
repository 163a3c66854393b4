"""OTLP from encoded spans: JSON lines for files, protobuf messages for the wire."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from holdfast.core.call import Call, Status
from holdfast.ingest.any_value import Value, json_value

Attributes = dict[str, Value]


class SpanText(msgspec.Struct, frozen=True):
    """How a convention writes one call: its span name, OTLP kind (1 internal, 3 client), and attributes."""

    name: str
    kind: int
    attributes: Attributes


Convention = Callable[[Call], SpanText]
"""Writes one call. Calls without parent are roots."""

STATUS = {Status.UNSET: 0, Status.OK: 1, Status.ERROR: 2}
CODES = {
    Status.UNSET: trace_pb2.Status.STATUS_CODE_UNSET,
    Status.OK: trace_pb2.Status.STATUS_CODE_OK,
    Status.ERROR: trace_pb2.Status.STATUS_CODE_ERROR,
}
KINDS = {1: trace_pb2.Span.SPAN_KIND_INTERNAL, 2: trace_pb2.Span.SPAN_KIND_SERVER, 3: trace_pb2.Span.SPAN_KIND_CLIENT}


def resource_attributes(call: Call, replica: str, convention: str) -> Attributes:
    """Attributes of the process that a call ran in."""
    return {
        "service.name": call.service,
        "service.version": "2.13.0",
        "service.instance.id": replica,
        "deployment.environment.name": "production",
        "cloud.region": call.dimensions.get("region", ("eu-central-1",))[0],
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
    }


def json_span(call: Call, text: SpanText) -> dict[str, Any]:
    """A call as an OTLP/JSON span: hex ids, integers of 64 bits as strings, lowerCamelCase."""
    span: dict[str, Any] = {
        "traceId": call.trace_id,
        "spanId": call.span_id,
        "name": text.name,
        "kind": text.kind,
        "startTimeUnixNano": str(call.start_ns),
        "endTimeUnixNano": str(call.end_ns),
        "attributes": [{"key": key, "value": json_value(value)} for key, value in text.attributes.items()],
        "status": {},
    }
    if call.parent_span_id:
        span["parentSpanId"] = call.parent_span_id
    if call.status is not Status.UNSET:
        span["status"] = {"code": STATUS[call.status], "message": call.error_message}
    return span


def json_line(resource: Attributes, scope: str, spans: Sequence[dict[str, Any]]) -> bytes:
    """One line: an export request of the spans of one process."""
    attributes = [{"key": key, "value": json_value(value)} for key, value in resource.items()]
    scoped = {"scope": {"name": scope, "version": "1.0.0"}, "spans": spans}
    request = {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [scoped]}]}
    return orjson.dumps(request) + b"\n"


def proto_request(resource: Attributes, scope: str, spans: Iterable[tuple[Call, SpanText]]) -> ExportTraceServiceRequest:
    """The same export request as a protobuf message."""
    scoped = trace_pb2.ScopeSpans(
        scope=InstrumentationScope(name=scope, version="1.0.0"), spans=[proto_span(call, text) for call, text in spans]
    )
    process = Resource(attributes=[KeyValue(key=k, value=proto_value(v)) for k, v in resource.items()])
    return ExportTraceServiceRequest(resource_spans=[trace_pb2.ResourceSpans(resource=process, scope_spans=[scoped])])


def proto_span(call: Call, text: SpanText) -> trace_pb2.Span:
    """A call as an OTLP protobuf span."""
    return trace_pb2.Span(
        trace_id=bytes.fromhex(call.trace_id),
        span_id=bytes.fromhex(call.span_id),
        parent_span_id=bytes.fromhex(call.parent_span_id),
        name=text.name,
        kind=KINDS[text.kind],
        start_time_unix_nano=call.start_ns,
        end_time_unix_nano=call.end_ns,
        attributes=[KeyValue(key=k, value=proto_value(v)) for k, v in text.attributes.items()],
        status=trace_pb2.Status(code=CODES[call.status], message=call.error_message),
    )


def proto_value(value: Value) -> AnyValue:
    """An OTLP protobuf AnyValue."""
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    found = AnyValue()
    found.array_value.values.extend(proto_value(item) for item in value)
    return found
