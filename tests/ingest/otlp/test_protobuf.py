import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from holdfast.core.errors import InputError
from holdfast.ingest.limits import MAX_DEPTH
from holdfast.ingest.otlp.protobuf import any_value, attributes, spans, text_of
from tests.ingest.otlp.bodies import NOW, SPAN, TRACE, as_protobuf, span, traces


def deep(levels: int) -> AnyValue:
    top = AnyValue()
    value = top
    for _ in range(levels):
        value = value.array_value.values.add()
    value.string_value = "x"
    return top


def test_ids_are_hex_and_times_nanoseconds() -> None:
    (found,) = spans(as_protobuf(traces(span())), [])
    assert (found.trace_id, found.span_id, found.parent_span_id) == (TRACE, SPAN, "")
    assert (found.start_ns, found.end_ns) == (NOW, NOW + 1_500_000_000)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (AnyValue(string_value=""), ""),
        (AnyValue(int_value=0), 0),
        (AnyValue(bool_value=False), False),
        (AnyValue(double_value=0.5), 0.5),
        (AnyValue(bytes_value=b"\xff"), "/w=="),
        (AnyValue(bytes_value=b"hi"), "hi"),
        (AnyValue(), None),
    ],
)
def test_values_that_are_empty_or_zero_are_not_lost(value: AnyValue, read: object) -> None:
    assert attributes([KeyValue(key="k", value=value)]) == {"k": read}


def test_the_deepest_value_allowed_is_read_and_one_deeper_is_not() -> None:
    any_value(deep(MAX_DEPTH))
    with pytest.raises(InputError, match=f"deeper than {MAX_DEPTH}"):
        any_value(deep(MAX_DEPTH + 1))


def test_bytes_are_text_where_they_can_be() -> None:
    assert (text_of(b"caf\xc3\xa9"), text_of(b"\x80")) == ("café", "gA==")
