"""OTLP bodies for tests, from plain attributes."""

import base64
import math
from typing import Any

import orjson
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from holdfast.core.call import Call
from holdfast.ingest.otlp import Encoding, decode_traces
from holdfast.ingest.otlp.raw import RawEvent, RawSpan
from holdfast.ingest.otlp.spans import map_span

NOW = 1_790_000_000_000_000_000
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
PARENT = "00f067aa0ba902b7"


class Words:
    """A redactor that really replaces: every e-mail address of example.com becomes a placeholder."""

    def text(self, text: str) -> str:
        return text.replace("bob@example.com", "<EMAIL>")

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(v) for v in value]
        if isinstance(value, dict):
            return {self.text(k): self.value(v) for k, v in value.items()}
        return value


_NON_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _NON_FINITE.get(value, "NaN")}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(v) for v in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": key_values(value)}}
    return {"stringValue": value}


def key_values(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": k, "value": any_value(v)} for k, v in attributes.items()]


def span(attributes: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A span in OTLP/JSON; `fields` replace its own."""
    return {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "step",
        "startTimeUnixNano": str(NOW),
        "endTimeUnixNano": str(NOW + 1_500_000_000),
        "attributes": key_values(attributes or {}),
        **fields,
    }


def traces(*spans: Any, resource: dict[str, Any] | None = None, scope: str = "") -> dict[str, Any]:
    held = {"attributes": key_values(resource if resource is not None else {"service.name": "support"})}
    return {"resourceSpans": [{"resource": held, "scopeSpans": [{"scope": {"name": scope}, "spans": list(spans)}]}]}


def logs(*records: dict[str, Any], resource: dict[str, Any] | None = None) -> dict[str, Any]:
    held = {"attributes": key_values(resource if resource is not None else {"service.name": "support"})}
    return {"resourceLogs": [{"resource": held, "scopeLogs": [{"logRecords": list(records)}]}]}


def metrics(*items: dict[str, Any]) -> dict[str, Any]:
    held = {"attributes": key_values({"service.name": "support"})}
    return {"resourceMetrics": [{"resource": held, "scopeMetrics": [{"metrics": list(items)}]}]}


_REQUESTS = {
    "resourceSpans": ExportTraceServiceRequest,
    "resourceLogs": ExportLogsServiceRequest,
    "resourceMetrics": ExportMetricsServiceRequest,
}


def as_json(document: Any) -> bytes:
    return orjson.dumps(document)


def as_protobuf(document: dict[str, Any]) -> bytes:
    """The same document in protobuf: there ids are bytes, which protobuf's own JSON form writes in base64."""
    request = _REQUESTS[next(iter(document))]()
    ParseDict(_with_base64_ids(document), request, ignore_unknown_fields=True, max_recursion_depth=1000)
    body: bytes = request.SerializeToString()
    return body


def _with_base64_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_base64_ids(v) for v in value]
    if not isinstance(value, dict):
        return value
    ids = ("traceId", "spanId", "parentSpanId")
    return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in ids else _with_base64_ids(v) for k, v in value.items()}


def call_of(attributes: dict[str, Any], *, scope: str = "", resource: dict[str, Any] | None = None, **fields: Any) -> Call:
    """The one call that a span with these attributes becomes, through both encodings, which must agree."""
    document = traces(span(attributes, **fields), resource=resource, scope=scope)
    found = [
        decode_traces(as_json(document), Encoding.JSON, Words()),
        decode_traces(as_protobuf(document), Encoding.PROTOBUF, Words()),
    ]
    assert [d.rejected for d in found] == [(), ()]
    (first,), (second,) = (d.records for d in found)
    assert isinstance(first, Call)
    assert first == second
    return first


def raw_span(attributes: dict[str, Any] | None = None, **fields: Any) -> RawSpan:
    base: dict[str, Any] = {
        "where": (0, 0, 0),
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_span_id": "",
        "name": "step",
        "kind": 1,
        "start_ns": NOW,
        "end_ns": NOW + 1_500_000_000,
        "status": 0,
        "status_message": "",
        "attributes": dict(attributes or {}),
        "events": [],
        "links": 0,
        "resource": {"service.name": "support"},
        "scope": "",
    }
    return RawSpan(**{**base, **fields})


def event(name: str, attributes: dict[str, Any], after_ns: int = 0) -> RawEvent:
    return RawEvent(name, NOW + after_ns, attributes)


def mapped(attributes: dict[str, Any] | None = None, **fields: Any) -> Call:
    """The call that a raw span becomes; nothing of it may be refused."""
    call, faults = map_span(raw_span(attributes, **fields))
    assert faults == []
    return call
