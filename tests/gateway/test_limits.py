"""Misuse limits: whoever is over one waits, and only they."""

from holdfast.control.snapshot import RateLimit
from holdfast.gateway.limits import MAX_HOLDERS, MAX_WAIT_S, Limits
from holdfast.gateway.refusal import Reason
from holdfast.testing.clock import FakeClock

USER = Reason.USER_LIMIT


def test_who_has_no_limit_is_not_even_remembered() -> None:
    limits = Limits(FakeClock())
    assert limits.admit(USER, ("user", "a"), RateLimit()) is None
    assert len(limits._holders) == 0


def test_what_is_refused_costs_nothing() -> None:
    clock = FakeClock()
    limits = Limits(clock)
    bound = RateLimit(requests_per_s=1.0, burst_s=1.0)
    assert limits.admit(USER, ("u",), bound) is None
    for _ in range(100):
        assert limits.admit(USER, ("u",), bound) is not None
    clock.advance(1)
    assert limits.admit(USER, ("u",), bound) is None


def test_cost_is_counted_by_the_hour() -> None:
    clock = FakeClock()
    limits = Limits(clock)
    bound = RateLimit(usd_per_hour=3.6)
    limits.admit(USER, ("u",), bound)
    limits.charge(("u",), 0, 3.7)
    excess = limits.admit(USER, ("u",), bound)
    assert excess is not None
    assert excess.what == "cost"
    clock.advance(150)
    assert limits.admit(USER, ("u",), bound) is None


def test_workers_share_a_limit() -> None:
    limits = Limits(FakeClock(), workers=2)
    bound = RateLimit(requests_per_s=2.0, burst_s=2.0)
    assert [limits.admit(USER, ("u",), bound) is None for _ in range(4)] == [True, True, False, False]


def test_the_hint_is_never_longer_than_an_hour() -> None:
    limits = Limits(FakeClock())
    bound = RateLimit(requests_per_s=1e-9)
    limits.admit(USER, ("u",), bound)
    excess = limits.admit(USER, ("u",), bound)
    assert excess is not None
    assert excess.wait_s == MAX_WAIT_S


def test_the_table_of_holders_is_bounded() -> None:
    limits = Limits(FakeClock())
    bound = RateLimit(requests_per_s=1.0)
    for n in range(MAX_HOLDERS + 10):
        limits.admit(USER, (str(n),), bound)
    assert len(limits._holders) == MAX_HOLDERS
