"""One who sends too much waits; the others do not."""

import pytest

from holdfast.api.rate import RateLimit, RatePolicy
from holdfast.core.errors import BackpressureError
from holdfast.testing.clock import FakeClock


def test_a_burst_passes_and_then_requests_wait() -> None:
    clock = FakeClock()
    rate = RateLimit(clock, RatePolicy(per_s=1, burst=3))
    for _ in range(3):
        rate.take("a", writing=False)
    with pytest.raises(BackpressureError) as raised:
        rate.take("a", writing=False)
    assert raised.value.retry_after_s == pytest.approx(1)
    rate.take("b", writing=False)
    clock.advance(1)
    rate.take("a", writing=False)


def test_writing_costs_more() -> None:
    rate = RateLimit(FakeClock(), RatePolicy(per_s=1, burst=10, write_cost=10))
    rate.take("a", writing=True)
    with pytest.raises(BackpressureError):
        rate.take("a", writing=False)


def test_memory_is_bounded() -> None:
    rate = RateLimit(FakeClock(), RatePolicy(remembered=5))
    for number in range(50):
        rate.take(str(number), writing=False)
    assert len(rate._buckets) == 5
