import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.clock import NS_PER_MS, NS_PER_S, SystemClock, from_iso, to_iso

_TIMES = st.integers(0, 253_402_300_799_999).map(lambda ms: ms * NS_PER_MS)
"""Up to the year 9999, in whole milliseconds."""


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    assert to_iso(1_763_870_706_789_123_456) == "2025-11-23T04:05:06.789Z"


@given(_TIMES)
def test_a_written_time_is_read_as_the_same_time(ns: int) -> None:
    assert from_iso(to_iso(ns)) == ns


def test_an_offset_is_taken_into_account() -> None:
    assert from_iso("2025-11-23T05:05:06+01:00") == from_iso("2025-11-23T04:05:06Z")


def test_a_time_without_offset_is_utc() -> None:
    assert from_iso("2025-11-23T04:05:06") == from_iso("2025-11-23T04:05:06Z")


def test_microseconds_are_kept() -> None:
    assert from_iso("1970-01-01T00:00:01.000002Z") == NS_PER_S + 2_000


@pytest.mark.parametrize("text", ["", "yesterday", "2025-13-01T00:00:00Z", "2025-02-30", "2025-11-23T25:00:00Z", "12345"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_iso(text)


def test_the_clock_of_the_machine_runs_in_nanoseconds_since_1970() -> None:
    assert SystemClock().now_ns() > from_iso("2024-01-01T00:00:00Z")
