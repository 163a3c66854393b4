from typing import Any

import pytest

from holdfast.core.errors import InputError
from holdfast.ingest.otlp.json_body import any_value, attributes, load, logs, points, spans
from tests.ingest.otlp.bodies import NOW, span, traces


@pytest.mark.parametrize(
    ("wrapped", "value"),
    [
        ({"stringValue": "a"}, "a"),
        ({"intValue": "7"}, 7),
        ({"intValue": -7}, -7),
        ({"intValue": 7.0}, 7),
        ({"doubleValue": 1}, 1.0),
        ({"boolValue": False}, False),
        ({"bytesValue": "aGk="}, "hi"),
        ({"bytesValue": "/w=="}, "/w=="),
        ({"arrayValue": {}}, []),
        ({"arrayValue": {"values": [{"intValue": 1}, {}]}}, [1, None]),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}]}}, {"a": True}),
        ({"futureValue": 1}, None),
        ({"doubleValue": None}, None),
        ({"doubleValue": "Infinity"}, float("inf")),
        (None, None),
    ],
)
def test_every_kind_of_value_is_read(wrapped: Any, value: Any) -> None:
    assert any_value(wrapped) == value


@pytest.mark.parametrize(
    "wrapped",
    [
        "bare",
        {"intValue": "seven"},
        {"intValue": 1.5},
        {"intValue": "9" * 30},
        {"doubleValue": "x"},
        {"boolValue": "yes"},
        {"bytesValue": "?"},
        {"stringValue": 4},
        {"arrayValue": {"values": 4}},
        {"arrayValue": {"values": [4]}},
    ],
)
def test_a_value_of_the_wrong_shape_is_refused(wrapped: Any) -> None:
    with pytest.raises(InputError):
        any_value(wrapped)


@pytest.mark.parametrize("items", [{"a": 1}, [1], [{"value": {"stringValue": "x"}}], [{"key": 3}]])
def test_attributes_that_are_no_list_of_keys_and_values_are_refused(items: Any) -> None:
    with pytest.raises(InputError, match="key and value"):
        attributes(items)


def test_not_a_number_is_read_where_json_allows_none() -> None:
    assert str(load(b'{"a": NaN}')["a"]) == "nan"


def test_deep_json_is_an_error_not_a_crash() -> None:
    with pytest.raises(InputError, match="nested too deep"):
        load(b'{"a":' * 200_000)


def test_enums_are_numbers_or_names() -> None:
    rejected: list[Any] = []
    named = span(kind="SPAN_KIND_CLIENT", status={"code": "STATUS_CODE_ERROR"})
    numbered = span(kind=3, status={"code": 2})
    assert [(s.kind, s.status) for s in spans(traces(named, numbered), rejected)] == [(3, 2), (3, 2)]
    assert rejected == []


def test_a_log_without_a_time_takes_the_time_of_observation() -> None:
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"observedTimeUnixNano": NOW}]}]}]}
    assert [log.time_ns for log in logs(document, [])] == [NOW]


def test_snake_case_keys_are_unknown_and_ignored() -> None:
    assert list(spans({"resource_spans": []}, [])) == []


def test_a_data_point_of_the_wrong_shape_is_refused_with_its_place() -> None:
    rejected: list[Any] = []
    document = {
        "resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [{"asDouble": {}}]}}]}]}]
    }
    assert list(points(document, rejected)) == []
    assert rejected[0].where == "resourceMetrics[0].scopeMetrics[0].metrics[0].dataPoints[0].asDouble"
