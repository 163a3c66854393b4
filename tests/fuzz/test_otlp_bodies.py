"""Whatever arrives: an InputError for the body, a Rejected for an item, and the good spans beside it."""

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.call import Call
from holdfast.core.errors import InputError
from holdfast.ingest.otlp import Encoding, decode_document, decode_logs, decode_metrics, decode_traces
from holdfast.ingest.otlp.application import LISTS, OWN, RULES
from holdfast.ingest.otlp.conventions import CONVENTIONS
from holdfast.ingest.record import decode_record, encode_record
from tests.ingest.otlp.bodies import NOW, SPAN, TRACE, Words, as_json, as_protobuf, key_values, logs, metrics, span, traces

DECODERS = (decode_traces, decode_logs, decode_metrics)
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=20
)
KEYS = (
    "resourceSpans resource attributes scopeSpans scope spans traceId spanId parentSpanId name kind "
    "startTimeUnixNano endTimeUnixNano status code message events links key value stringValue intValue doubleValue "
    "boolValue bytesValue arrayValue kvlistValue values resourceLogs scopeLogs logRecords body eventName "
    "timeUnixNano resourceMetrics scopeMetrics metrics gauge sum histogram dataPoints asDouble asInt count flags"
)
shaped = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4),
    max_leaves=25,
)

NAMES = sorted({rule.attribute for rule in (*OWN, *RULES)} | {r.attribute for c in CONVENTIONS for r in c.rules})
PREFIXES = sorted({rule.attribute for rule in LISTS} | {r.attribute for c in CONVENTIONS for r in c.lists})
LEAVES = (
    "message.role message.content message.contents.0.message_content.text "
    "message.tool_calls.0.tool_call.function.name role content finish_reason tool_calls.0.name document.content "
    "document.score document.metadata evaluation.name evaluation.score annotation.label verdict name tenant user_id "
    "logprobs"
)
spread = st.builds(
    lambda p, n, leaf: f"{p}.{n}.{leaf}",
    st.sampled_from(PREFIXES),
    st.sampled_from(["0", "1", "x", "00", "٣"]),
    st.sampled_from(LEAVES.split()),
)
attribute_names = st.sampled_from(NAMES) | spread | st.text(max_size=10)
CONTENT_KEYS = (
    "role content parts type text tool_calls function name arguments id documents score metadata source messages "
    "message output input kwargs args verdict passed choices outputs page_content updated_at distance response "
    "model response_format tools json_schema"
)
content = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(CONTENT_KEYS.split()), inner, max_size=4),
    max_leaves=15,
)
attribute_values = st.one_of(
    st.text(max_size=30),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
    content.map(lambda v: orjson.dumps(v, default=str).decode() if _dumps(v) else "[]"),
    st.sampled_from(
        [
            "chat",
            "LLM",
            "task",
            "RETRIEVER",
            "TOOL",
            "GUARDRAIL",
            "workflow",
            "CHAIN",
            "execute_tool",
            "retrieval",
            "nan",
            "[[",
            '{"a":',
        ]
    ),
)


def _dumps(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("decode", DECODERS)
@given(body=st.binary(max_size=300))
@quick
def test_random_bytes_are_refused_or_read(decode: Any, encoding: Encoding, body: bytes) -> None:
    with suppress(InputError):
        decode(body, encoding, Words(), NOW)


BODIES = [
    as_protobuf(traces(span({"gen_ai.operation.name": "chat", "n": [1, {"a": 2.5}]}, name="caf\u00e9"), span({"b": True}))),
    as_protobuf(
        logs(
            {
                "timeUnixNano": str(NOW),
                "eventName": "gen_ai.choice",
                "traceId": TRACE,
                "spanId": SPAN,
                "attributes": key_values({"content": "x"}),
            }
        )
    ),
    as_protobuf(metrics({"name": "m", "histogram": {"dataPoints": [{"timeUnixNano": str(NOW), "count": "2", "sum": 3.0}]}})),
]


@given(data=st.data())
@settings(quick, max_examples=400)
def test_a_damaged_body_is_refused_or_read(data: st.DataObject) -> None:
    which = data.draw(st.integers(0, 2))
    body = bytearray(BODIES[which])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(0, len(body)))] if data.draw(st.booleans()) else body
    try:
        found = DECODERS[which](bytes(body), Encoding.PROTOBUF, Words(), None)
    except InputError:
        return
    for record in found.records:
        assert decode_record(encode_record(record)) is not None


@given(document=trees | shaped)
@settings(quick, max_examples=300)
def test_json_of_any_shape_is_refused_or_read(document: Any) -> None:
    try:
        body = orjson.dumps(document)
    except TypeError:  # integers that JSON libraries of this kind cannot write
        return
    for decode in DECODERS:
        with suppress(InputError):
            decode(body, Encoding.JSON, Words(), NOW)


@given(faulty=shaped)
@settings(quick, max_examples=200)
def test_a_good_span_is_kept_beside_a_faulty_one(faulty: Any) -> None:
    found = decode_document(traces(span(name="good"), faulty, span(name="too")), Words())
    assert [r.name for r in found.records if isinstance(r, Call)][:: len(found.records) - 1] == ["good", "too"]
    assert len(found.records) + len(found.rejected) >= 3


@given(attributes=st.dictionaries(attribute_names, attribute_values, max_size=14))
@settings(quick, max_examples=400)
def test_any_attributes_make_a_call_that_survives_the_journal(attributes: dict[str, Any]) -> None:
    found = decode_traces(as_json(traces(span(attributes))), Encoding.JSON, Words())
    (call,) = found.records
    assert isinstance(call, Call)
    again = decode_record(encode_record(call))
    assert isinstance(again, Call)
    assert again.key == call.key
    assert all(values and all(0 < len(v) <= 256 for v in values) for values in call.dimensions.values())


@given(
    name=st.sampled_from(["gen_ai.evaluation.result", "gen_ai.user.message", "gen_ai.choice", "user_feedback", "other", ""]),
    attributes=st.dictionaries(
        st.sampled_from(
            ["gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.event.content", "score", "event.name"]
        )
        | st.text(),
        attribute_values,
    ),
    events=st.booleans(),
)
@settings(quick, max_examples=150)
def test_any_event_is_read_or_refused(name: str, attributes: dict[str, Any], events: bool) -> None:
    entry = {
        "name": name,
        "eventName": name,
        "timeUnixNano": str(NOW),
        "traceId": TRACE,
        "spanId": SPAN,
        "attributes": key_values(attributes),
    }
    found = decode_document(traces(span({}, events=[entry])) if events else logs(entry), Words())
    assert len(found.records) + len(found.rejected) >= 1


@pytest.mark.parametrize("opening", ['{"output":', '{"inputs":', '{"messages":[', "[[", '{"document":', '{"message":'])
@pytest.mark.parametrize(
    "name",
    ["input.value", "output.value", "gen_ai.input.messages", "metadata", "gen_ai.retrieval.documents", "traceloop.entity.output"],
)
@pytest.mark.parametrize("depth", [200, 500, 5000])
def test_json_nested_without_end_inside_an_attribute_is_no_crash(opening: str, name: str, depth: int) -> None:
    closing = "".join({"{": "}", "[": "]"}[c] for c in reversed(opening) if c in "{[")
    value = opening * depth + "1" + closing * depth
    for kind in ("GUARDRAIL", "CHAIN", "LLM", "RETRIEVER", "TOOL"):
        found = decode_traces(as_json(traces(span({"openinference.span.kind": kind, name: value}))), Encoding.JSON, Words())
        assert len(found.records) == 1
