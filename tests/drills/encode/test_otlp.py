import orjson

from holdfast.core.call import Call, Status
from holdfast.drills.encode.otlp import SpanText, json_line, json_span, proto_request

CALL = Call(
    trace_id="a" * 32,
    span_id="b" * 16,
    parent_span_id="c" * 16,
    start_ns=1_790_000_000_000_000_001,
    end_ns=1_790_000_000_000_000_002,
    status=Status.ERROR,
    error_message="no",
)


def test_json_has_hex_ids_numeric_enums_and_long_integers_as_strings() -> None:
    span = json_span(CALL, SpanText("chat m", 3, {"n": 5}))
    assert span["traceId"] == "a" * 32
    assert span["startTimeUnixNano"] == "1790000000000000001"
    assert span["kind"] == 3
    assert span["status"] == {"code": 2, "message": "no"}
    assert span["attributes"] == [{"key": "n", "value": {"intValue": "5"}}]


def test_a_root_has_no_parent() -> None:
    root = Call(trace_id="a" * 32, span_id="b" * 16)
    assert "parentSpanId" not in json_span(root, SpanText("r", 1, {}))
    (span,) = proto_request({}, "s", [(root, SpanText("r", 1, {}))]).resource_spans[0].scope_spans[0].spans
    assert span.parent_span_id == b""


def test_a_protobuf_span_is_the_same_as_the_json_one() -> None:
    text = SpanText("chat m", 3, {"s": "x", "b": True})
    (span,) = proto_request({"service.name": "a"}, "scope", [(CALL, text)]).resource_spans[0].scope_spans[0].spans
    assert span.trace_id.hex() == CALL.trace_id
    assert span.start_time_unix_nano == CALL.start_ns
    assert (span.kind, span.status.code, span.status.message) == (3, 2, "no")
    assert {a.key for a in span.attributes} == {"s", "b"}


def test_a_line_ends_with_its_only_line_break() -> None:
    line = json_line({"service.name": "a\nb"}, "scope", [json_span(CALL, SpanText("n", 1, {"t": "x\ny"}))])
    assert line.count(b"\n") == 1
    assert orjson.loads(line)["resourceSpans"][0]["scopeSpans"][0]["scope"]["name"] == "scope"
