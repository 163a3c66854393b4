import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from holdfast.core.errors import InputError
from holdfast.ingest.limits import MAX_VALUES
from holdfast.ingest.otlp.wire import check_values, fields, varint
from tests.ingest.otlp.test_protobuf import deep


def numbers(data: bytes) -> list[int]:
    return [number for number, *_ in fields(memoryview(data))]


def test_fields_of_every_wire_type_are_found_with_their_bounds() -> None:
    span = Span(trace_id=b"t" * 16, kind=Span.SPAN_KIND_CLIENT, start_time_unix_nano=7, flags=3)
    data = span.SerializeToString()
    found = list(fields(memoryview(data)))
    assert [number for number, *_ in found] == [1, 6, 7, 16]
    _, start, inner, end = found[0]
    assert (start, data[inner:end]) == (0, b"t" * 16)
    assert found[-1][3] == len(data)


@pytest.mark.parametrize("data", [b"\x0b", b"\x00", b"\x0a\xff", b"\xff" * 20, b"\x0a\x05ab", b"\x0d\x01", b"\x80" * 12])
def test_what_is_no_message_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(InputError, match="not OTLP protobuf") as caught:
        list(fields(memoryview(data), "spans[3]"))
    assert caught.value.where == "spans[3]"


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**63])
def test_a_varint_reads_as_what_was_written(value: int) -> None:
    assert numbers(b"\x08" + varint(value) + b"\x10\x01") == [1, 2]


def test_empty_values_without_number_are_refused_before_they_are_parsed() -> None:
    empty_attribute = b"\x4a\x00"
    check_values(memoryview(empty_attribute * MAX_VALUES), Span.DESCRIPTOR)
    with pytest.raises(InputError, match=f"more than {MAX_VALUES} values"):
        check_values(memoryview(empty_attribute * (MAX_VALUES + 1)), Span.DESCRIPTOR)


def test_values_are_counted_at_every_depth_and_in_packed_numbers() -> None:
    span = Span()
    span.attributes.add(key="a").value.array_value.SetInParent()
    array = b"\x0a\x00" * (MAX_VALUES + 1)
    value = b"\x2a" + varint(len(array)) + array
    item = b"\x12" + varint(len(value)) + value
    with pytest.raises(InputError, match="values"):
        check_values(memoryview(b"\x4a" + varint(len(item)) + item), Span.DESCRIPTOR)
    metric = Metric()
    metric.exponential_histogram.data_points.add().positive.bucket_counts.extend([1] * (MAX_VALUES + 1))
    with pytest.raises(InputError, match="values"):
        check_values(memoryview(metric.SerializeToString()), Metric.DESCRIPTOR)


def test_a_long_text_is_one_value() -> None:
    check_values(memoryview(Span(name="x" * (2 * MAX_VALUES)).SerializeToString()), Span.DESCRIPTOR)


def test_a_value_without_end_is_refused() -> None:
    span = Span()
    span.attributes.add(key="deep").value.CopyFrom(deep(60))
    with pytest.raises(InputError, match="too deep"):
        check_values(memoryview(span.SerializeToString()), Span.DESCRIPTOR)
