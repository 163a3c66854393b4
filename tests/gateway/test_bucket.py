"""Token buckets: nobody gets more than the bucket gives, whatever the clock does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.clock import NS_PER_S
from holdfast.gateway.bucket import Bounded, Bucket


def test_a_full_bucket_gives_its_capacity_at_once_and_then_its_rate() -> None:
    bucket = Bucket(2.0, 4.0, 0)
    for _ in range(4):
        assert bucket.wait_s(1, 0) == 0
        bucket.charge(1, 0)
    assert bucket.wait_s(1, 0) == pytest.approx(0.5)
    assert bucket.wait_s(1, NS_PER_S // 2) == 0


def test_a_clock_that_steps_back_gives_nothing() -> None:
    bucket = Bucket(1.0, 1.0, 100 * NS_PER_S)
    bucket.charge(1, 100 * NS_PER_S)
    assert bucket.refill(50 * NS_PER_S) == pytest.approx(0.0)
    assert bucket.refill(51 * NS_PER_S) == pytest.approx(1.0)


def test_debt_is_bounded_so_that_one_huge_answer_does_not_lock_somebody_out_for_a_year() -> None:
    bucket = Bucket(1.0, 10.0, 0)
    bucket.charge(1e12, 0)
    assert bucket.wait_s(1, 0) == pytest.approx(101.0)


def test_more_than_the_bucket_can_hold_waits_for_a_full_one_only() -> None:
    assert Bucket(1.0, 5.0, 0).wait_s(50, 0) == 0


def test_a_lower_limit_takes_hold_at_once() -> None:
    bucket = Bucket(10.0, 100.0, 0)
    bucket.configure(1.0, 2.0)
    assert bucket.refill(0) == 2.0


@given(st.lists(st.tuples(st.integers(0, 5 * NS_PER_S), st.floats(0.1, 3.0)), max_size=50), st.floats(0.1, 5), st.floats(1, 10))
def test_what_is_let_through_never_exceeds_burst_plus_rate(asks: list[tuple[int, float]], per_s: float, capacity: float) -> None:
    bucket, now, given_out = Bucket(per_s, capacity, 0), 0, 0.0
    for step, amount in asks:
        now += step
        if amount <= capacity and bucket.wait_s(amount, now) == 0:
            bucket.charge(amount, now)
            given_out += amount
    assert given_out <= capacity + per_s * now / NS_PER_S + 1e-6


def test_a_bounded_table_forgets_what_was_not_used_for_longest() -> None:
    table: Bounded[list[int]] = Bounded(2)
    for key in ("a", "b", "a", "c"):
        table.get(key, list)
    assert [key for key, _ in table.items()] == ["a", "c"]
    assert table.forgotten == 1
