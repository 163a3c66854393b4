import pytest

from holdfast.core.errors import InputError, TooLargeError
from holdfast.ingest.limits import MAX_EVENTS, MAX_HEAD_BYTES, MAX_ITEM_BYTES, MAX_ITEMS
from holdfast.ingest.otlp import Encoding, decode_metrics, decode_traces
from holdfast.ingest.otlp.json_bounds import check_count, check_size, check_weight
from tests.ingest.otlp.bodies import Words, as_json, as_protobuf, metrics, span, traces

MIB = 2**20


def test_a_long_text_weighs_little_and_many_empty_values_much() -> None:
    check_weight(b'"' + b"x" * 8 * MIB + b'"')
    for body in (b"{}," * 3 * MIB, b"[]," * 5 * MIB, b"1," * 9 * MIB):
        with pytest.raises(TooLargeError, match="send less at a time"):
            check_weight(body)


def test_json_that_would_take_too_much_memory_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TooLargeError, match="memory"):
        decode_traces(b'{"resourceSpans":[' + b"{}," * 3 * MIB, Encoding.JSON, Words())


@pytest.mark.parametrize("names", [("resourceSpans", "scopeSpans", "spans"), ("resourceLogs", "scopeLogs", "logRecords")])
def test_more_items_than_allowed_are_refused(names: tuple[str, str, str]) -> None:
    groups, scopes, items = names
    check_count({groups: [{scopes: [{items: [{}] * MAX_ITEMS}]}]})
    with pytest.raises(TooLargeError, match=f"more than {MAX_ITEMS} items"):
        check_count({groups: [{scopes: [{items: [{}] * MAX_ITEMS}, {items: [{}] * MAX_ITEMS}]}]})


def test_data_points_are_counted_in_both_encodings() -> None:
    document = metrics({"name": "m", "gauge": {"dataPoints": [{}] * (2 * MAX_ITEMS + 1)}})
    with pytest.raises(TooLargeError, match="items"):
        decode_metrics(as_json(document), Encoding.JSON, Words())
    with pytest.raises(TooLargeError, match="data points"):
        decode_metrics(as_protobuf(document), Encoding.PROTOBUF, Words())


@pytest.mark.parametrize(
    "document", [{}, {"resourceSpans": 1}, {"resourceSpans": [1, {"scopeSpans": {}}, {"scopeSpans": [{"spans": 1}]}]}]
)
def test_what_is_no_request_is_left_to_those_who_read_it(document: dict[str, object]) -> None:
    check_count(document)


def test_a_part_over_its_limit_is_refused_and_one_that_cannot_be_measured_is_not() -> None:
    check_size({"a": "x" * 10}, 18)
    with pytest.raises(InputError, match="18 bytes are more than 17"):
        check_size({"a": "x" * 10}, 17)
    check_size({"a": 2**70}, 1)


def test_an_item_or_resource_that_is_too_large_is_named_and_the_others_kept() -> None:
    document = traces(span({"a": "x" * MAX_ITEM_BYTES}), span(name="good"), resource={"a": "x" * MAX_HEAD_BYTES})
    found = decode_traces(as_json(document), Encoding.JSON, Words())
    assert len(found.records) == 1
    assert [(r.where.rpartition(".")[2], r.lost) for r in found.rejected] == [("resource", False), ("spans[0]", True)]


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_span_with_events_without_number_is_refused_by_name(encoding: Encoding) -> None:
    document = traces(span(events=[{"name": "e"}] * (MAX_EVENTS + 1)), span())
    found = decode_traces(as_json(document) if encoding is Encoding.JSON else as_protobuf(document), encoding, Words())
    assert len(found.records) == 1
    assert [r.reason for r in found.rejected] == [f"{MAX_EVENTS + 1} events are more than {MAX_EVENTS}"]
