"""Many breakers: each for its own target and scope, and what a target may be asked."""

from holdfast.control.snapshot import BreakerRule, BreakerSignal
from holdfast.core.call import Dimensions
from holdfast.gateway.breaker import BreakerState
from holdfast.gateway.breakers import MAX_BREAKERS, Breakers, Outcome
from holdfast.testing.clock import FakeClock

TRANSPORT = BreakerRule(name="transport", signal=BreakerSignal.TRANSPORT, min_count=3, cool_s=5, probes=2)
QUALITY = BreakerRule(
    name="quality", signal=BreakerSignal.QUALITY, dimensions=("tenant",), min_count=3, cool_s=5, probes=2, guard="toxicity"
)
BAD = Outcome(BreakerSignal.TRANSPORT, 1.0)
POOR = Outcome(BreakerSignal.QUALITY, 1.0, "toxicity")
ACME: Dimensions = {"tenant": ("acme",)}
OTHER: Dimensions = {"tenant": ("other",)}


def after(rule: BreakerRule, outcome: Outcome, count: int = 3) -> tuple[Breakers, FakeClock]:
    clock = FakeClock()
    breakers = Breakers(clock)
    for _ in range(count):
        breakers.record((rule,), "a", ACME, (outcome,))
    return breakers, clock


def test_only_the_sick_cohort_loses_its_target() -> None:
    breakers, _ = after(QUALITY, POOR)
    assert breakers.admission((QUALITY,), "a", ACME).closed_by == ("quality",)
    assert breakers.admission((QUALITY,), "a", OTHER).closed_by == ()
    assert breakers.admission((QUALITY,), "b", ACME).closed_by == ()


def test_a_quality_breaker_hears_only_its_own_guard() -> None:
    breakers, _ = after(QUALITY, Outcome(BreakerSignal.QUALITY, 1.0, "policy"))
    assert breakers.admission((QUALITY,), "a", ACME).closed_by == ()


def test_a_shadow_breaker_counts_and_forbids_nothing() -> None:
    rule = BreakerRule(name="shadow", signal=BreakerSignal.TRANSPORT, min_count=3, shadow=True)
    breakers, _ = after(rule, BAD)
    assert breakers.admission((rule,), "a", ACME).closed_by == ()
    assert [t.after for t in breakers.transitions] == [BreakerState.OPEN]
    assert breakers.transitions[0].shadow


def test_a_half_open_transport_breaker_lets_users_calls_probe() -> None:
    breakers, clock = after(TRANSPORT, BAD)
    clock.advance(6)
    admission = breakers.admission((TRANSPORT,), "a", ACME)
    assert (admission.closed_by, admission.probes) == ((), ("transport",))


def test_a_half_open_quality_breaker_never_shows_a_user_its_target() -> None:
    breakers, clock = after(QUALITY, POOR)
    clock.advance(6)
    admission = breakers.admission((QUALITY,), "a", ACME)
    assert (admission.closed_by, admission.copies, admission.probes) == (("quality",), ("quality",), ())


def test_latency_and_cost_are_bad_above_the_limit_only() -> None:
    rule = BreakerRule(name="slow", signal=BreakerSignal.LATENCY, limit=2.0)
    assert [Outcome(BreakerSignal.LATENCY, v).bad_for(rule) for v in (1.9, 2.0, 2.1)] == [False, False, True]
    dear = BreakerRule(name="dear", signal=BreakerSignal.COST, limit=0.5)
    assert [Outcome(BreakerSignal.COST, v).bad_for(dear) for v in (0.5, 0.6)] == [False, True]


def test_a_transition_says_what_was_counted() -> None:
    breakers, _ = after(QUALITY, POOR)
    told = breakers.transitions[0]
    assert (told.breaker, told.target, told.scope, told.seen, told.bad) == ("quality", "a", "tenant=acme", 3, 3)


def test_the_table_is_bounded_however_many_cohorts_there_are() -> None:
    breakers = Breakers(FakeClock())
    for n in range(MAX_BREAKERS + 50):
        breakers.record((QUALITY,), "a", {"tenant": (str(n),)}, (POOR,))
    assert len(breakers.states()) == MAX_BREAKERS


def test_a_changed_rule_counts_for_breakers_that_exist() -> None:
    breakers, _ = after(TRANSPORT, BAD, count=2)
    stricter = BreakerRule(name="transport", signal=BreakerSignal.TRANSPORT, min_count=10)
    breakers.record((stricter,), "a", ACME, (BAD,))
    assert breakers.admission((stricter,), "a", ACME).closed_by == ()
