"""Retries: with jitter, within a budget, and as the target asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.snapshot import Retries
from holdfast.gateway.retries import MAX_RETRY_AFTER_S, RetryBudget, pause_s, retry_after_s

NOW_NS = 1_800_000_000 * 1_000_000_000


def test_in_the_long_run_retries_are_a_tenth_of_the_requests() -> None:
    budget = RetryBudget()
    spent = 0
    for _ in range(1000):
        budget.request(0.1)
        spent += budget.spend()
    assert 100 <= spent <= 111


def test_a_quiet_night_saves_up_no_storm() -> None:
    budget = RetryBudget()
    for _ in range(100_000):
        budget.request(0.1)
    assert sum(budget.spend() for _ in range(1000)) == 10


@given(st.integers(1, 10_000), st.floats(0, 0.999999))
def test_a_pause_is_never_longer_than_the_cap(attempt: int, draw: float) -> None:
    assert 0 <= pause_s(Retries(base_s=0.05, cap_s=1.0), attempt, lambda: draw) <= 1.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        (" 0.5 ", 0.5),
        ("-4", 0.0),
        ("1e9", MAX_RETRY_AFTER_S),
        ("nan", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Fri, 15 Jan 2027 08:00:05 GMT", 5.0),
        ("Fri, 99 Foo 2027 08:00:05 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    found = retry_after_s(header, NOW_NS)
    assert found == (seconds if seconds is None else pytest.approx(seconds, abs=0.01))


@given(st.text(max_size=40))
def test_whatever_a_target_writes_there_is_a_bounded_number_or_nothing(header: str) -> None:
    found = retry_after_s(header, NOW_NS)
    assert found is None or 0 <= found <= MAX_RETRY_AFTER_S
