import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from holdfast.core.errors import InputError
from holdfast.ingest.otlp.salvage import salvage
from tests.ingest.otlp.test_protobuf import deep

KIND = Span.DESCRIPTOR


def salvaged(body: bytes) -> Span:
    return Span.FromString(salvage(memoryview(body), KIND))


def sound() -> Span:
    span = Span(trace_id=bytes(range(16)), name="cafe", kind=Span.SPAN_KIND_CLIENT, start_time_unix_nano=7)
    span.attributes.add(key="a").value.double_value = 1.5
    span.events.add(name="e")
    return span


def test_a_sound_message_comes_back_as_it_is() -> None:
    assert salvaged(sound().SerializeToString()) == sound()


def test_a_bad_string_is_put_right_at_any_depth_and_the_rest_stays() -> None:
    span = sound()
    span.attributes[0].value.array_value.values.add(string_value="deep")
    found = salvaged(span.SerializeToString().replace(b"deep", b"d\xffep").replace(b"cafe", b"caf\xe9"))
    assert (found.name, found.attributes[0].value.array_value.values[0].string_value) == ("caf\ufffd", "d\ufffdep")
    assert (found.trace_id, found.start_time_unix_nano) == (span.trace_id, 7)


@pytest.mark.parametrize("body", [b"\x0b", b"\x00", b"\x0a\xff", b"\xff" * 20, b"\x0a\x05ab", b"\x80" * 12])
def test_other_damage_loses_the_message(body: bytes) -> None:
    with pytest.raises(InputError, match="not OTLP protobuf"):
        salvage(memoryview(body), KIND)


def test_a_value_without_end_is_refused() -> None:
    span = sound()
    span.attributes.add(key="deep").value.CopyFrom(deep(60))
    with pytest.raises(InputError, match="too deep"):
        salvage(memoryview(span.SerializeToString()), KIND)


def test_unknown_fields_are_kept() -> None:
    unknown = b"\xfa\x3f\x03abc"
    assert salvage(memoryview(unknown), KIND) == unknown
