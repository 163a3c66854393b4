"""One breaker: when it trips, and what alone closes it again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.snapshot import BreakerRule, BreakerSignal
from holdfast.core.clock import NS_PER_S
from holdfast.gateway.breaker import Breaker, BreakerState, Window

RULE = BreakerRule(
    name="b", signal=BreakerSignal.TRANSPORT, min_count=4, window_s=10, open_at=0.5, close_at=0.3, cool_s=5, probes=3
)
START = 1_800_000_000 * NS_PER_S


def at(seconds: float) -> int:
    return START + round(seconds * NS_PER_S)


def tripped() -> Breaker:
    breaker = Breaker(RULE, START)
    for n in range(4):
        breaker.record(True, at(n * 0.01))
    return breaker


def test_it_trips_with_the_call_that_reaches_the_threshold_and_not_before() -> None:
    breaker = Breaker(RULE, START)
    states = [breaker.record(True, at(0.001 * n))[1] for n in range(4)]
    assert states == [BreakerState.CLOSED] * 3 + [BreakerState.OPEN]


def test_it_does_not_trip_below_the_share() -> None:
    breaker = Breaker(RULE, START)
    for n in range(100):
        breaker.record(n % 3 == 1, at(n * 0.01))
    assert breaker.state is BreakerState.CLOSED


def test_failures_that_have_left_the_window_do_not_count() -> None:
    breaker = Breaker(RULE, START)
    for n in range(3):
        breaker.record(True, at(n))
    breaker.record(True, at(30))
    assert breaker.state is BreakerState.CLOSED


def test_time_alone_never_closes_it() -> None:
    breaker = tripped()
    assert breaker.look(at(10_000)) is BreakerState.HALF_OPEN


def test_calls_that_are_no_probes_never_close_it() -> None:
    breaker = tripped()
    breaker.look(at(10))
    for n in range(100):
        breaker.record(False, at(10 + n * 0.01))
    assert breaker.state is BreakerState.HALF_OPEN


def test_good_probes_close_it_and_no_fewer_than_asked_for() -> None:
    breaker = tripped()
    assert breaker.wants_probe(at(6))
    states = [breaker.record(False, at(6 + n), probe=True)[1] for n in range(3)]
    assert states == [BreakerState.HALF_OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]


def test_bad_probes_open_it_again_and_it_then_waits_twice_as_long() -> None:
    breaker = tripped()
    breaker.look(at(6))
    breaker.record(True, at(6), probe=True)
    assert breaker.state is BreakerState.OPEN
    assert breaker.look(at(6 + 9)) is BreakerState.OPEN
    assert breaker.look(at(6 + 10.1)) is BreakerState.HALF_OPEN


def test_no_more_probes_go_out_than_are_needed() -> None:
    breaker = tripped()
    sent = 0
    while breaker.wants_probe(at(6)) and sent < 50:
        breaker.begin_probe(at(6))
        sent += 1
    assert sent == RULE.probes


def test_a_probe_that_is_never_judged_is_given_up_so_that_the_breaker_cannot_stay_open_for_ever() -> None:
    breaker = tripped()
    breaker.look(at(6))
    for _ in range(RULE.probes):
        breaker.begin_probe(at(6))
    assert not breaker.wants_probe(at(7))
    assert breaker.wants_probe(at(6 + 3 * RULE.cool_s + 1))


def test_a_closed_breaker_begins_with_an_empty_window() -> None:
    breaker = tripped()
    breaker.look(at(6))
    for n in range(3):
        breaker.record(False, at(6 + n * 0.1), probe=True)
    breaker.record(True, at(7))
    assert breaker.state is BreakerState.CLOSED


def test_a_clock_that_steps_back_does_not_trip_or_close_anything() -> None:
    breaker = tripped()
    assert breaker.look(at(-100)) is BreakerState.OPEN
    fresh = Breaker(RULE, START)
    fresh.record(True, at(-50))
    assert fresh.state is BreakerState.CLOSED


@given(st.lists(st.tuples(st.floats(0, 3, allow_nan=False), st.booleans()), max_size=60))
def test_a_window_counts_what_a_list_would_count(calls: list[tuple[float, bool]]) -> None:
    window, now, told = Window(10.0), 0.0, []
    for step, bad in calls:
        now += step
        window.add(bad, at(now))
        told.append((now, bad))
    seen, wrong = window.counts(at(now))
    surely = [b for t, b in told if t > now - 9.0]
    perhaps = [b for t, b in told if t > now - 10.0 - 1e-6]
    assert len(surely) <= seen <= len(perhaps)
    assert sum(surely) <= wrong <= sum(perhaps)


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans(), st.booleans()), max_size=80))
def test_from_open_there_is_no_way_to_closed_but_through_probes(steps: list[tuple[float, bool, bool]]) -> None:
    breaker, now = tripped(), 1.0
    probes = 0
    for step, bad, probe in steps:
        now += step
        before, after = breaker.record(bad, at(now), probe)
        if before is BreakerState.HALF_OPEN:
            probes = probes + 1 if probe else probes
        if before is not BreakerState.CLOSED and after is BreakerState.CLOSED:
            assert before is BreakerState.HALF_OPEN
            assert probes >= RULE.probes
            return
        if after is BreakerState.OPEN:
            probes = 0


@pytest.mark.parametrize("count", [0, 1])
def test_a_rule_may_trip_on_the_first_call(count: int) -> None:
    rule = BreakerRule(name="b", signal=BreakerSignal.TRANSPORT, min_count=count)
    breaker = Breaker(rule, START)
    breaker.record(True, START)
    assert breaker.state is BreakerState.OPEN
