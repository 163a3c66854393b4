"""The over-blocking budget: a guard that stops harmless people is relaxed, and an attacker cannot relax it."""

from holdfast.gateway.over_blocking import HALF_LIFE_S, OverBlocking
from holdfast.testing.clock import FakeClock

BUDGET = 0.01


def test_a_guard_that_is_unsure_of_what_it_blocks_spends_its_budget_and_is_relaxed() -> None:
    clock = FakeClock()
    estimate = OverBlocking(clock.now_ns())
    for n in range(500):
        estimate.record(0.02, False, f"u{n}", BUDGET, clock.now_ns())
    relaxed = [estimate.record(0.55, True, f"v{n}", BUDGET, clock.now_ns()) for n in range(30)]
    assert not relaxed[0]
    assert relaxed[-1]
    assert 0.01 < estimate.share(clock.now_ns()) < 0.05


def test_a_guard_that_is_sure_is_not_relaxed() -> None:
    clock = FakeClock()
    estimate = OverBlocking(clock.now_ns())
    for n in range(1000):
        estimate.record(0.01, False, f"u{n}", BUDGET, clock.now_ns())
        assert not estimate.record(0.9995, True, f"a{n}", BUDGET, clock.now_ns())


def test_one_user_who_is_blocked_again_and_again_cannot_switch_the_guard_off() -> None:
    clock = FakeClock()
    estimate = OverBlocking(clock.now_ns())
    for _ in range(100):
        estimate.record(0.02, False, "", BUDGET, clock.now_ns())
    assert not any(estimate.record(0.6, True, "mallory", BUDGET, clock.now_ns()) for _ in range(5000))


def test_a_few_requests_prove_nothing() -> None:
    clock = FakeClock()
    estimate = OverBlocking(clock.now_ns())
    assert not estimate.record(0.5, True, "a", BUDGET, clock.now_ns())
    assert not estimate.record(0.5, True, "b", BUDGET, clock.now_ns())


def test_it_is_in_force_again_when_the_share_is_well_below_the_budget() -> None:
    clock = FakeClock()
    estimate = OverBlocking(clock.now_ns())
    for n in range(20):
        estimate.record(0.5, True, f"u{n}", BUDGET, clock.now_ns())
    assert estimate.relaxed
    clock.advance(12 * HALF_LIFE_S)
    for _ in range(2000):
        estimate.record(0.02, False, "", BUDGET, clock.now_ns())
    assert not estimate.relaxed


def test_a_block_that_support_lifted_counts_in_full() -> None:
    clock = FakeClock()
    estimate = OverBlocking(clock.now_ns())
    for _ in range(100):
        estimate.record(0.0, False, "", BUDGET, clock.now_ns())
    before = estimate.share(clock.now_ns())
    estimate.lifted(clock.now_ns())
    assert estimate.share(clock.now_ns()) > before
