"""Guessing passwords gets slower and slower, for everybody who shares the account or the address."""

import pytest

from holdfast.access.throttle import Throttle, ThrottlePolicy
from holdfast.core.errors import BackpressureError
from holdfast.testing.clock import FakeClock


def wait_of(throttle: Throttle, account: str = "ada", address: str = "a") -> float:
    try:
        throttle.check(account, address)
    except BackpressureError as error:
        return error.retry_after_s
    return 0


def test_the_pause_doubles_with_each_failure_and_has_a_limit(clock: FakeClock) -> None:
    throttle = Throttle(clock, ThrottlePolicy(account_failures=2, longest_pause_s=30))
    waits = []
    for _ in range(7):
        throttle.failed("ada", "a")
        waits.append(wait_of(throttle))
    assert waits == [0, 5, 10, 20, 30, 30, 30]


def test_the_failure_with_which_a_pause_begins_is_told_once(clock: FakeClock) -> None:
    throttle = Throttle(clock, ThrottlePolicy(account_failures=3))
    assert [throttle.failed("ada", "a") for _ in range(5)] == [False, False, True, False, False]


def test_another_account_from_elsewhere_is_not_held_up(clock: FakeClock) -> None:
    throttle = Throttle(clock)
    for _ in range(10):
        throttle.failed("ada", "a")
    assert wait_of(throttle, "bob", "b") == 0


def test_an_address_that_tries_many_accounts_is_held_up(clock: FakeClock) -> None:
    throttle = Throttle(clock, ThrottlePolicy(address_failures=10))
    for number in range(10):
        throttle.failed(f"user{number}", "a")
    assert wait_of(throttle, "fresh", "a") > 0


def test_success_forgets_the_account_and_not_the_address(clock: FakeClock) -> None:
    throttle = Throttle(clock, ThrottlePolicy(account_failures=1, address_failures=1))
    throttle.failed("ada", "a")
    throttle.succeeded("ada")
    assert wait_of(throttle, "ada", "b") == 0
    assert wait_of(throttle, "ada", "a") > 0


def test_failures_are_forgotten_after_an_hour(clock: FakeClock) -> None:
    throttle = Throttle(clock, ThrottlePolicy(account_failures=1))
    throttle.failed("ada", "a")
    clock.advance(3601)
    assert wait_of(throttle) == 0


@pytest.mark.parametrize("names", [50, 500])
def test_memory_is_bounded(clock: FakeClock, names: int) -> None:
    throttle = Throttle(clock, ThrottlePolicy(remembered=20, account_failures=1))
    for number in range(names):
        throttle.failed(f"user{number}", f"address{number}")
    assert len(throttle._failures) == 20
    assert wait_of(throttle, f"user{names - 1}", "x") > 0
