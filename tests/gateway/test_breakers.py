"""Many breakers: each for its own target and scope, and what a target may be asked."""

from typing import Any

import msgspec
import pytest

from holdfast.control.probes import ProbeVerdict
from holdfast.control.snapshot import BreakerRule, BreakerSignal
from holdfast.core.call import Dimensions
from holdfast.gateway.breaker import BreakerState
from holdfast.gateway.breakers import MAX_BREAKERS, Breakers, Outcome
from holdfast.gateway.siblings import Tripped
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


def verdict(good: bool = True, **changes: Any) -> ProbeVerdict:
    said = ProbeVerdict(rule="quality", target="a", good=good, judge="toxicity", dimensions={"tenant": "acme"})
    return msgspec.structs.replace(said, **changes)


def test_a_judge_elsewhere_closes_a_half_open_breaker_with_as_many_good_probes_as_it_asks_for() -> None:
    breakers, clock = after(QUALITY, POOR)
    clock.advance(6)
    breakers.judged((QUALITY,), verdict())
    assert breakers.admission((QUALITY,), "a", ACME).closed_by == ("quality",)
    breakers.judged((QUALITY,), verdict())
    assert breakers.admission((QUALITY,), "a", ACME).closed_by == ()
    assert breakers.transitions[-1].after is BreakerState.CLOSED


def test_a_judge_elsewhere_opens_it_again_with_a_bad_one() -> None:
    breakers, clock = after(QUALITY, POOR)
    clock.advance(6)
    breakers.judged((QUALITY,), verdict(good=False))
    assert breakers.admission((QUALITY,), "a", ACME).copies == ()


@pytest.mark.parametrize(
    "changes",
    [{"judge": "policy"}, {"target": "b"}, {"dimensions": {"tenant": "other"}}, {"dimensions": {}}],
    ids=["judge", "target", "cohort", "no-cohort"],
)
def test_a_verdict_on_something_else_changes_nothing(changes: dict[str, Any]) -> None:
    breakers, clock = after(QUALITY, POOR)
    clock.advance(6)
    for _ in range(5):
        breakers.judged((QUALITY,), verdict(**changes))
    assert breakers.admission((QUALITY,), "a", ACME).closed_by == ("quality",)
    assert len(breakers.states()) == 1


def test_verdicts_from_elsewhere_neither_make_nor_open_nor_hasten_a_breaker() -> None:
    breakers, _ = after(QUALITY, POOR, count=2)
    for _ in range(20):
        breakers.judged((QUALITY, TRANSPORT), verdict(good=False))
    assert breakers.admission((QUALITY,), "a", ACME).closed_by == ()
    opened, _ = after(QUALITY, POOR)
    for _ in range(20):
        opened.judged((QUALITY,), verdict())
    assert opened.admission((QUALITY,), "a", ACME).copies == ()


def test_a_breaker_that_opened_in_a_sibling_opens_here_for_the_same_cohort_and_closes_on_probes_of_its_own() -> None:
    told: list[Tripped] = []
    clock = FakeClock()
    there, here = Breakers(FakeClock()), Breakers(clock)
    there.on_trip, here.on_trip = told.append, told.append
    for _ in range(5):
        there.record((QUALITY,), "a", ACME, (POOR,))
    assert told == [Tripped("quality", "a", ("acme",))]
    here.tripped_elsewhere((QUALITY,), told[0])
    assert here.admission((QUALITY,), "a", ACME).closed_by == ("quality",)
    assert here.admission((QUALITY,), "a", OTHER).closed_by == ()
    assert here.transitions[-1].after is BreakerState.OPEN
    clock.advance(6)
    for _ in range(2):
        here.record((QUALITY,), "a", ACME, (Outcome(BreakerSignal.QUALITY, 0.0, "toxicity"),), ("quality",))
    assert here.admission((QUALITY,), "a", ACME).closed_by == ()
    assert len(told) == 1, "what is passed on is not passed on again"


def test_what_a_sibling_says_of_rules_that_only_watch_or_are_others_by_now_changes_nothing() -> None:
    breakers = Breakers(FakeClock())
    shadow = msgspec.structs.replace(QUALITY, shadow=True)
    breakers.tripped_elsewhere((shadow,), Tripped("quality", "a", ("acme",)))
    breakers.tripped_elsewhere((QUALITY,), Tripped("quality", "a", ("acme", "v7")))
    breakers.tripped_elsewhere((), Tripped("gone", "a", ()))
    assert breakers.states() == []


def test_a_breaker_that_is_open_already_does_not_begin_anew_when_a_sibling_opens() -> None:
    breakers, clock = after(QUALITY, POOR)
    clock.advance(4)
    breakers.tripped_elsewhere((QUALITY,), Tripped("quality", "a", ("acme",)))
    clock.advance(2)
    assert breakers.admission((QUALITY,), "a", ACME).copies == ("quality",)
