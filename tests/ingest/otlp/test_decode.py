from typing import Any

import pytest

from holdfast.core.call import Call, EvaluationRecord, MetricPoint
from holdfast.core.errors import InputError
from holdfast.ingest.limits import MAX_ATTRIBUTES
from holdfast.ingest.otlp import Encoding, decode_document, decode_logs, decode_metrics, decode_traces
from holdfast.ingest.record import Decoded, Rejected
from tests.ingest.otlp.bodies import (
    NOW,
    SPAN,
    TRACE,
    Words,
    any_value,
    as_json,
    as_protobuf,
    key_values,
    logs,
    metrics,
    span,
    traces,
)

ENCODINGS = pytest.mark.parametrize("encoding", list(Encoding))
DAY = 24 * 3600 * 10**9


def decoded(document: dict[str, Any], encoding: Encoding, now_ns: int | None = None) -> Decoded:
    body = as_json(document) if encoding is Encoding.JSON else as_protobuf(document)
    return decode_traces(body, encoding, Words(), now_ns)


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@ENCODINGS
@pytest.mark.parametrize(
    ("faulty", "reason"),
    [
        (span(traceId=""), "traceId is missing"),
        (span(spanId=""), "spanId is missing"),
        (span(traceId="ab"), "traceId must have 32 hex digits"),
        (span(spanId="abcdef"), "spanId must have 16 hex digits"),
        (span(parentSpanId="abcd"), "parentSpanId must have 16 hex digits"),
        (span(traceId="0" * 32), "traceId is all zero"),
        (span(spanId="0" * 16), "spanId is all zero"),
        (span(startTimeUnixNano="0"), "startTimeUnixNano is missing or zero"),
        (span(startTimeUnixNano=str(NOW + DAY + 1)), "more than 24 h in the future"),
        (span(startTimeUnixNano=str(2**63), endTimeUnixNano=str(2**63)), "after the year 2262"),
        (
            span({f"k{i}": i for i in range(MAX_ATTRIBUTES + 1)}),
            f"{MAX_ATTRIBUTES + 1} attributes are more than {MAX_ATTRIBUTES}",
        ),
        (span({"deep": nested(40)}), "nested"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_faulty_span_is_refused_alone_with_its_place_and_the_reason(
    faulty: dict[str, Any], reason: str, encoding: Encoding
) -> None:
    good = [span(name="before"), span(name="after")]
    found = decoded(traces(good[0], faulty, good[1]), encoding, now_ns=NOW)
    assert [r.name for r in found.records if isinstance(r, Call)] == ["before", "after"]
    (refused,) = found.rejected
    assert refused.where.startswith("resourceSpans[0].scopeSpans[0].spans[1]")
    assert reason in refused.reason
    assert found.rejected_count == 1


def test_an_id_in_base64_is_refused_and_named() -> None:
    found = decoded(traces(span(traceId="CvdlGRbNQ92ESOshHIAxnA==")), Encoding.JSON)
    assert "traceId must have 32 hex digits" in found.rejected[0].reason


@pytest.mark.parametrize("value", [nested(60), nested(33)])
def test_a_value_nested_deeper_than_protobuf_itself_allows_costs_only_its_span(value: Any) -> None:
    found = decoded(traces(span(name="good"), span({"deep": value})), Encoding.PROTOBUF)
    assert len(found.records) == 1
    assert "nested" in found.rejected[0].reason
    assert len(found.rejected) == 1


@ENCODINGS
def test_a_span_that_ends_before_it_starts_is_kept_and_noted(encoding: Encoding) -> None:
    (call,) = decoded(traces(span(endTimeUnixNano=str(NOW - 5))), encoding).records
    assert isinstance(call, Call)
    assert call.end_ns == call.start_ns == NOW
    assert str(NOW - 5) in call.attributes["holdfast.ingest.note"]


@ENCODINGS
def test_a_parent_of_zeros_is_no_parent(encoding: Encoding) -> None:
    (call,) = decoded(traces(span(parentSpanId="0" * 16)), encoding).records
    assert isinstance(call, Call)
    assert call.parent_span_id == ""


@ENCODINGS
def test_everything_is_redacted_before_anything_is_derived(encoding: Encoding) -> None:
    secret = "bob@example.com"
    document = traces(
        span(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": f'[{{"role":"user","parts":[{{"type":"text","content":"I am {secret}"}}]}}]',
                "metadata": f'{{"user_id": "{secret}"}}',
                secret: "a name",
                "nested": {"deep": [secret]},
            },
            name=f"chat {secret}",
            status={"code": 2, "message": f"no mail to {secret}"},
            events=[{"name": "exception", "timeUnixNano": str(NOW), "attributes": key_values({"exception.message": secret})}],
        ),
        resource={"service.name": "support", "owner": secret},
        scope=secret,
    )
    (call,) = decoded(document, encoding).records
    assert isinstance(call, Call)
    assert secret not in repr(call)
    assert call.input_messages[0].content == "I am <EMAIL>"
    assert call.dimensions["user"] == ("<EMAIL>",)


@ENCODINGS
def test_an_empty_request_is_no_error(encoding: Encoding) -> None:
    assert decode_traces(b"{}" if encoding is Encoding.JSON else b"", encoding, Words()) == Decoded()


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"null", b'"x"', b"{", b"\xff\xfe", b"[" * 100_000])
def test_json_that_is_no_object_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(InputError, match=r"JSON"):
        decode_traces(body, Encoding.JSON, Words())


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_protobuf_that_is_cut_off_is_refused_as_a_whole(cut: int) -> None:
    with pytest.raises(InputError, match=r"cut off|not OTLP"):
        decode_traces(as_protobuf(traces(span()))[:-cut], Encoding.PROTOBUF, Words())


@pytest.mark.parametrize("decode", [decode_traces, decode_logs, decode_metrics])
def test_bytes_that_are_no_protobuf_are_refused_by_every_signal(decode: Any) -> None:
    with pytest.raises(InputError):
        decode(b"this is not protobuf at all", Encoding.PROTOBUF, Words())


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"resourceSpans": {}}, "resourceSpans"),
        ({"resourceSpans": [1]}, "resourceSpans[0]"),
        ({"resourceSpans": [{"scopeSpans": "x"}]}, "resourceSpans[0].scopeSpans"),
        ({"resourceSpans": [{"scopeSpans": [{"spans": [None]}]}]}, "resourceSpans[0].scopeSpans[0].spans[0]"),
        (traces({**span(), "attributes": "x"}), "resourceSpans[0].scopeSpans[0].spans[0].attributes"),
        (traces({**span(), "attributes": [{"key": "a", "value": 1}]}), "resourceSpans[0].scopeSpans[0].spans[0].attributes"),
        (traces(span(startTimeUnixNano="soon")), "resourceSpans[0].scopeSpans[0].spans[0].startTimeUnixNano"),
        (traces(span(traceId=5)), "resourceSpans[0].scopeSpans[0].spans[0].traceId"),
        (traces(span(events=3)), "resourceSpans[0].scopeSpans[0].spans[0].events"),
        (traces(span(status="bad")), "resourceSpans[0].scopeSpans[0].spans[0].status"),
    ],
)
def test_json_of_the_wrong_shape_is_refused_where_it_is_wrong(document: dict[str, Any], where: str) -> None:
    found = decode_traces(as_json(document), Encoding.JSON, Words())
    assert [r.where for r in found.rejected] == [where]
    assert found.records == ()


def test_what_is_wrong_in_one_resource_leaves_the_next_alone() -> None:
    document = {"resourceSpans": [{"scopeSpans": 7}, *traces(span())["resourceSpans"]]}
    assert len(decode_traces(as_json(document), Encoding.JSON, Words()).records) == 1


def test_a_resource_that_cannot_be_read_does_not_cost_its_spans() -> None:
    document = traces(span())
    document["resourceSpans"][0]["resource"]["attributes"] = "broken"
    found = decode_traces(as_json(document), Encoding.JSON, Words())
    (call,) = found.records
    assert isinstance(call, Call)
    assert call.service == "unknown_service"
    assert [r.lost for r in found.rejected] == [False]
    assert found.rejected_count == 0


@ENCODINGS
def test_an_evaluation_that_is_no_number_is_refused_and_its_span_kept(encoding: Encoding) -> None:
    attributes = {
        "evaluations.0.evaluation.name": "faithful",
        "evaluations.0.evaluation.score": "NaN",
        "openinference.span.kind": "LLM",
    }
    found = decoded(traces(span(attributes)), encoding)
    (call,) = found.records
    assert isinstance(call, Call)
    assert call.evaluations == ()
    assert found.rejected == (
        Rejected("resourceSpans[0].scopeSpans[0].spans[0]", "score of evaluation 'faithful' is not a finite number", lost=False),
    )


def test_text_that_is_not_utf8_is_put_right_and_the_rest_kept() -> None:
    body = as_protobuf(traces(span({"note": "caf\u00e9"}, name="first"), span(name="second"))).replace(
        "caf\u00e9".encode(), b"caf\xe9!"
    )
    found = decode_traces(body, Encoding.PROTOBUF, Words())
    assert found.rejected == ()
    first, second = found.records
    assert isinstance(first, Call)
    assert isinstance(second, Call)
    assert first.attributes["note"] == "caf\ufffd!"
    assert second.name == "second"


def test_json_that_is_not_utf8_or_has_lone_surrogates_is_put_right() -> None:
    body = as_json(traces(span({"note": "cafe", "other": "sur"}))).replace(b"cafe", b"caf\xe9").replace(b"sur", b"\\ud800")
    (call,) = decode_traces(body, Encoding.JSON, Words()).records
    assert isinstance(call, Call)
    assert call.attributes["note"] == "caf\ufffd"
    assert call.attributes["other"].encode()


@ENCODINGS
def test_events_links_and_kind_are_kept_with_the_attributes(encoding: Encoding) -> None:
    document = traces(
        span(
            {"any": "thing"},
            kind=3,
            traceState="a=b",
            events=[{"name": "note", "timeUnixNano": str(NOW), "attributes": key_values({"x": 1})}],
            links=[{"traceId": TRACE, "spanId": SPAN}],
        )
    )
    (call,) = decoded(document, encoding).records
    assert isinstance(call, Call)
    assert call.attributes == {
        "any": "thing",
        "holdfast.span.events": [{"name": "note", "time_ns": NOW, "attributes": {"x": 1}}],
        "holdfast.span.links": 1,
        "holdfast.span.kind": "client",
        "holdfast.span.trace_state": "a=b",
    }


@ENCODINGS
def test_logs_are_evaluations_content_or_not_ours(encoding: Encoding) -> None:
    base = {"timeUnixNano": str(NOW), "traceId": TRACE, "spanId": SPAN}
    evaluation = {"gen_ai.evaluation.name": "toxicity", "gen_ai.evaluation.score.value": 0.5}
    document = logs(
        {**base, "eventName": "gen_ai.evaluation.result", "attributes": key_values(evaluation)},
        {"timeUnixNano": str(NOW), "body": any_value("GET /health 200")},
        {
            **base,
            "eventName": "gen_ai.evaluation.result",
            "attributes": key_values({**evaluation, "gen_ai.evaluation.score.value": "x"}),
        },
        {**base, "traceId": "ab", "eventName": "gen_ai.evaluation.result", "attributes": key_values(evaluation)},
    )
    body = as_json(document) if encoding is Encoding.JSON else as_protobuf(document)
    found = decode_logs(body, encoding, Words())
    (record,) = found.records
    assert isinstance(record, EvaluationRecord)
    assert (record.span_id, record.evaluation.name, record.evaluation.value, record.service) == (SPAN, "toxicity", 0.5, "support")
    assert [(r.where[-3:], r.ignored) for r in found.rejected] == [("[1]", True), ("[2]", False), ("[3]", False)]
    assert found.rejected_count == 2


@ENCODINGS
def test_metrics_are_numbers_and_means(encoding: Encoding) -> None:
    point = {"timeUnixNano": str(NOW), "attributes": key_values({"model": "m"})}
    document = metrics(
        {"name": "gpu", "unit": "1", "gauge": {"dataPoints": [{**point, "asDouble": 0.5}]}},
        {"name": "requests", "sum": {"dataPoints": [{**point, "asInt": "3"}]}},
        {"name": "wait", "histogram": {"dataPoints": [{**point, "count": "4", "sum": 10.0}]}},
        {"name": "empty", "histogram": {"dataPoints": [{**point, "count": "0", "sum": 0.0}]}},
        {"name": "gone", "gauge": {"dataPoints": [{**point, "flags": 1}]}},
    )
    body = as_json(document) if encoding is Encoding.JSON else as_protobuf(document)
    found = decode_metrics(body, encoding, Words())
    assert [(r.name, r.value, r.unit, r.attributes) for r in found.records if isinstance(r, MetricPoint)] == [
        ("gpu", 0.5, "1", {"model": "m"}),
        ("requests", 3.0, "", {"model": "m"}),
        ("wait", 2.5, "", {"model": "m"}),
    ]
    assert [r.where for r in found.rejected] == ["resourceMetrics[0].scopeMetrics[0].metrics[3].dataPoints[0]"]


def test_one_document_may_hold_all_three_signals() -> None:
    point = {"name": "gpu", "gauge": {"dataPoints": [{"timeUnixNano": str(NOW), "asDouble": 1.0}]}}
    record = {
        "timeUnixNano": str(NOW),
        "eventName": "user_feedback",
        "attributes": key_values({"score": 0.0, "gen_ai.response.id": "r1"}),
    }
    found = decode_document({**traces(span()), **logs(record), **metrics(point)}, Words())
    assert [type(r).__name__ for r in found.records] == ["Call", "EvaluationRecord", "MetricPoint"]
