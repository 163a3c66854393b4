from typing import Any, Self

from holdfast.context.entities import Entity, Treatment
from holdfast.context.redact import RedactionPolicy, Redactor
from holdfast.ingest.otlp import Encoding, decode_logs, decode_traces
from holdfast.ingest.otlp.raw import RawLog, RawPoint
from holdfast.ingest.otlp.redaction import Redaction
from tests.ingest.otlp.bodies import NOW, Words, any_value, as_json, event, logs, mapped, raw_span, span, traces


class Counting(Words):
    """Counts how often a resource is redacted, and knows one application with a policy of its own."""

    def __init__(self, service: str = "") -> None:
        self.service = service
        self.resources = 0

    def value(self, value: Any) -> Any:
        self.resources += isinstance(value, dict) and "service.name" in value
        return value if self.service == "open" else super().value(value)

    def for_service(self, service: str) -> Self:
        return type(self)("open") if service == "open" else self


def test_every_text_of_a_span_is_redacted() -> None:
    secret = "bob@example.com"
    span = raw_span({secret: [secret, 5]}, name=secret, status_message=secret, scope=secret, trace_state=secret)
    span.events = [event(secret, {"a": {"b": secret}})]
    span.resource = {"service.name": secret}
    Redaction(Words()).span(span)
    assert secret not in repr(span)
    assert span.attributes == {"<EMAIL>": ["<EMAIL>", 5]}


def test_logs_and_points_are_redacted_too() -> None:
    secret = "bob@example.com"
    log = RawLog((0, 0, 0), "", "", NOW, secret, {"x": secret}, {"a": secret}, {"r": secret})
    point = RawPoint((0, 0, 0, 0), NOW, secret, "", 1.0, {"a": secret}, {"r": secret})
    Redaction(Words()).log(log)
    Redaction(Words()).point(point)
    assert secret not in repr((log, point))


def test_a_resource_is_redacted_once_for_all_its_spans() -> None:
    redactor = Counting()
    decode_traces(as_json(traces(*(span() for _ in range(5)))), Encoding.JSON, redactor)
    assert redactor.resources == 1


def test_an_application_with_a_policy_of_its_own_is_treated_by_it() -> None:
    secret = {"note": "bob@example.com"}
    one, two = traces(span(secret), resource={"service.name": "open"}), traces(span(secret), resource={"service.name": "shut"})
    body = as_json({"resourceSpans": one["resourceSpans"] + two["resourceSpans"]})
    calls = decode_traces(body, Encoding.JSON, Counting()).records
    assert ["bob@example.com" in repr(c) for c in calls] == [True, False]


def test_json_messages_survive_the_real_redactor() -> None:
    real = Redactor(RedactionPolicy(), b"0123456789abcdef")
    span = raw_span(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": '[{"role":"user","content":"Hi\\nbob@example.com, 4111111111111111"}]',
        }
    )
    Redaction(real).span(span)
    call = mapped(span.attributes)
    assert "bob@" not in repr(call)
    assert "4111" not in repr(call)
    assert call.input_messages[0].content.startswith("Hi\n<EMAIL_ADDRESS")


SEALING = RedactionPolicy(services={"support": {Entity.EMAIL_ADDRESS: Treatment.SEAL}})
REAL = Redactor(SEALING, b"0123456789abcdef")


def test_originals_come_with_the_records_that_they_were_taken_from() -> None:
    found = decode_traces(
        as_json(traces(span({"input.value": "bob@example.com"}), span({"x": "bob@example.com"}))), Encoding.JSON, REAL
    )
    (original,) = found.originals
    assert (original.application, original.value, original.time_ns) == ("support", "bob@example.com", NOW + 1_500_000_000)
    assert "bob@example.com" not in repr(found)


def test_of_a_span_that_is_refused_nothing_is_sealed() -> None:
    found = decode_traces(as_json(traces(span({"x": "bob@example.com"}, traceId="nonsense"))), Encoding.JSON, REAL)
    assert len(found.rejected) == 1
    assert found.originals == ()


def test_of_a_log_that_is_not_ours_to_keep_nothing_is_sealed() -> None:
    ours = {"eventName": "gen_ai.user.message", "body": any_value({"content": "bob@example.com"}), "attributes": []}
    theirs = {"eventName": "", "body": any_value("login of eve@example.com"), "attributes": []}
    records = [{"timeUnixNano": str(NOW), **record} for record in (theirs, ours, theirs)]
    found = decode_logs(as_json(logs(*records)), Encoding.JSON, REAL)
    assert [o.value for o in found.originals] == (["bob@example.com"] if found.records else [])
    assert all("eve" not in o.value for o in found.originals)
