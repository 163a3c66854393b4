import pytest

from holdfast.core.errors import InputError
from holdfast.ingest.otlp.raw import RawLog, RawPoint, check_log, check_span, check_time, checked_id
from tests.ingest.otlp.bodies import NOW, SPAN, TRACE, raw_span


def test_ids_are_lower_case() -> None:
    assert checked_id(TRACE.upper(), 32, "traceId") == TRACE


@pytest.mark.parametrize("value", ["", "0" * 16, "g" * 16, "a" * 15, "é" * 16])
def test_an_id_that_is_none_is_refused_and_named(value: str) -> None:
    with pytest.raises(InputError, match="spanId"):
        checked_id(value, 16, "spanId")


def test_a_span_of_the_past_is_kept_however_old() -> None:
    span = raw_span(start_ns=1, end_ns=2)
    check_span(span, NOW)
    assert span.start_ns == 1


def test_without_a_clock_the_future_is_not_judged() -> None:
    check_span(raw_span(start_ns=2**62, end_ns=2**62), None)


def test_a_log_needs_no_span_but_a_time() -> None:
    log = RawLog((0, 0, 0), "", "0" * 16, NOW, "", None, {}, {})
    check_log(log, NOW)
    assert log.span_id == ""
    with pytest.raises(InputError, match="timeUnixNano"):
        check_log(RawLog((0, 0, 0), TRACE, SPAN, 0, "", None, {}, {}), None)


@pytest.mark.parametrize("time_ns", [0, -1, 2**63, NOW + 2 * 24 * 3600 * 10**9])
def test_a_time_that_cannot_be_is_refused(time_ns: int) -> None:
    with pytest.raises(InputError):
        check_time(time_ns, NOW)


def test_places_are_paths_in_the_body() -> None:
    assert raw_span(where=(1, 2, 3)).place == "resourceSpans[1].scopeSpans[2].spans[3]"
    assert RawLog((1, 2, 3), "", "", 1, "", None, {}, {}).place == "resourceLogs[1].scopeLogs[2].logRecords[3]"
    assert RawPoint((1, 2, 3, 4), 1, "", "", None, {}, {}).place == "resourceMetrics[1].scopeMetrics[2].metrics[3].dataPoints[4]"
