import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from holdfast.core.errors import InputError
from holdfast.ingest.otlp.salvage import salvage
from holdfast.ingest.record import Rejected
from tests.ingest.otlp.bodies import as_protobuf, span, traces

KIND = ExportTraceServiceRequest.DESCRIPTOR


def test_a_sound_body_comes_back_as_it_is() -> None:
    body = as_protobuf(traces(span({"a": 1, "b": [1.5, "x"]}, kind=3), span()))
    rejected: list[Rejected] = []
    assert ExportTraceServiceRequest.FromString(salvage(body, KIND, rejected)) == ExportTraceServiceRequest.FromString(body)
    assert rejected == []


def test_a_damaged_span_is_emptied_so_that_the_places_of_the_others_stay_true() -> None:
    body = as_protobuf(traces(span(name="bad!"), span(name="good")))
    at = body.index(b"bad!") - 1
    rejected: list[Rejected] = []
    request = ExportTraceServiceRequest.FromString(salvage(body[:at] + b"\x7f" + body[at + 1 :], KIND, rejected))
    bad, good = request.resource_spans[0].scope_spans[0].spans
    assert (bad.ByteSize(), good.name) == (0, "good")
    assert [r.where for r in rejected] == ["resourceSpans[0].scopeSpans[0].spans[0]"]


@pytest.mark.parametrize("body", [b"\x0b", b"\x00", b"\x0a\xff", b"\xff" * 20, b"\x0a\x05ab"])
def test_damage_around_the_items_loses_the_body(body: bytes) -> None:
    with pytest.raises(InputError, match="not OTLP protobuf"):
        salvage(body, KIND, [])


def test_unknown_fields_are_kept() -> None:
    unknown = b"\xfa\x3f\x03abc"
    assert salvage(unknown, KIND, []) == unknown
