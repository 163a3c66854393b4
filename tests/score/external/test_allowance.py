"""What is spent in an hour stays within what the hour allows."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast.core.errors import BackpressureError
from holdfast.score.external.allowance import Allowance
from holdfast.testing.clock import FakeClock


def spend(allowance: Allowance, times: int, usd: float = 0.0) -> int:
    """How many of so many requests were allowed."""
    allowed = 0
    for _ in range(times):
        try:
            allowance.take(usd)
        except BackpressureError:
            continue
        allowed += 1
    return allowed


def test_no_more_requests_than_allowed() -> None:
    assert spend(Allowance(5, 1.0, FakeClock()), 20) == 5


def test_no_more_dollars_than_allowed() -> None:
    assert spend(Allowance(100, 1.0, FakeClock()), 20, 0.3) == 3


def test_a_free_endpoint_is_bound_by_requests_only() -> None:
    assert spend(Allowance(7, 1e-9, FakeClock()), 20) == 7


def test_the_next_hour_allows_again() -> None:
    clock = FakeClock()
    allowance = Allowance(5, 1.0, clock)
    assert spend(allowance, 9) == 5
    clock.advance(3601)
    assert spend(allowance, 9) == 5


def test_what_was_spent_late_in_an_hour_still_counts_early_in_the_next() -> None:
    clock = FakeClock()
    allowance = Allowance(5, 1.0, clock)
    clock.advance(59 * 60)
    assert spend(allowance, 9) == 5
    clock.advance(60)
    assert spend(allowance, 9) == 0


def test_what_a_request_did_not_cost_may_be_spent_again() -> None:
    allowance = Allowance(100, 1.0, FakeClock())
    allowance.take(0.9)
    allowance.correct(-0.8)
    assert spend(allowance, 9, 0.3) == 3


def test_a_refusal_says_which_bound_it_was_and_when_to_come_back() -> None:
    allowance = Allowance(1, 1.0, FakeClock())
    allowance.take(0)
    with pytest.raises(BackpressureError, match="calls_per_hour") as raised:
        allowance.take(0)
    assert 0 < raised.value.retry_after_s <= 3600
    with pytest.raises(BackpressureError, match="usd_per_hour"):
        Allowance(9, 1.0, FakeClock()).take(1.5)


def test_many_threads_together_spend_no_more() -> None:
    allowance = Allowance(50, 1.0, FakeClock())
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: spend(allowance, 20), range(8))) == 50
