import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import ConfigurationError
from holdfast.core.score import Direction
from holdfast.detect.objective import PAIRS, Bins, Budget, Count, Objective, Tally
from tests.detect.simulation import METRICS, metric

ANSWERS = Objective(name="answers", metric="error", share=0.99)
DAY = 24 * 60


def tallied(objective: Objective, *counts: tuple[int, float, float]) -> Tally:
    tally = Tally(objective)
    for minute, calls, bad in counts:
        tally.add(minute, Count(calls, bad, bad))
    return tally


@pytest.mark.parametrize(
    ("given_", "key"),
    [
        ({"share": 1.0}, "share"),
        ({"share": 0.2}, "share"),
        ({"days": 0.5}, "days"),
        ({"where": {"route": "/a", "tenant": "acme"}}, "where"),
    ],
)
def test_an_objective_that_cannot_be_kept_is_refused_by_its_key(given_: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"objectives\.fast\.{key}"):
        Objective(**{"name": "fast", "metric": "latency", "share": 0.99, **given_})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["latency", "relevance"])
def test_an_amount_and_a_judgement_of_what_is_good_need_a_limit(name: str) -> None:
    with pytest.raises(ConfigurationError, match="bad_from"):
        Objective(name="o", metric=name, share=0.99).check(METRICS)
    Objective(name="o", metric=name, share=0.99, bad_from=1.0).check(METRICS)


def test_a_metric_that_nobody_defines_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="'erorr'"):
        Objective(name="o", metric="erorr", share=0.99).check(METRICS)


def test_a_limit_turns_amounts_into_bad_calls_in_the_direction_that_is_worse() -> None:
    slow = Objective(name="o", metric="latency", share=0.99, bad_from=2000.0)
    assert slow.bad(np.array([100.0, 2000.0, 9000.0]), METRICS["latency"]).tolist() == [0, 1, 1]
    poor = Objective(name="o", metric="relevance", share=0.99, bad_from=0.5)
    assert poor.bad(np.array([0.4, 0.5, 0.9]), metric("relevance", direction=Direction.DOWN_IS_WORSE)).tolist() == [1, 1, 0]


def test_probabilities_are_added_up_as_they_are() -> None:
    assert ANSWERS.bad(np.array([0.0, 0.25, 1.5]), METRICS["error"]).tolist() == [0, 0.25, 1]


def test_the_burn_rate_is_what_was_bad_against_what_was_allowed() -> None:
    assert Count(1000, 20, 0).burn(0.01) == pytest.approx(2.0)
    assert Count(0, 0, 0).burn(0.01) == 0


def test_a_promise_that_is_kept_is_never_certain_to_be_broken() -> None:
    assert Count(1000, 10, 0).certainty(0.01) == 0
    assert Count(0, 0, 0).certainty(0.01) == 0
    assert Count(10, 10, 0).certainty(0.01) == pytest.approx(10 * math.log(100))
    assert Count(1000, 20, 0).certainty(0.01) > 3


def test_bins_forget_what_is_older_than_they_reach() -> None:
    bins = Bins(5)
    for number in range(12):
        bins.add(number, Count(1, 0, 0))
    assert bins.last(11, 5) == Count(5, 0, 0)
    assert bins.last(11, 100) == Count(5, 0, 0)
    assert bins.last(50, 5) == Count(0, 0, 0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=60), st.integers(1, 20))
def test_bins_agree_with_counting_by_hand(given_: list[tuple[int, int]], bins: int) -> None:
    kept, ordered = Bins(20), sorted(given_)
    for number, bad in ordered:
        kept.add(number, Count(9, bad, 2.5 * bad))
    last = ordered[-1][0] if ordered else 0
    inside = [bad for number, bad in ordered if last - bins < number <= last]
    assert kept.last(last, bins) == pytest.approx((9 * len(inside), sum(inside), 2.5 * sum(inside)))


def test_the_onset_is_where_the_excess_began() -> None:
    bins = Bins(60)
    for number in range(50):
        bins.add(number, Count(100, 30 if number >= 33 else 1, 0))
    assert bins.onset(49, 60, 0.1) == 33


def test_nothing_seen_has_its_onset_now() -> None:
    assert Bins(10).onset(7, 5, 0.1) == 7


def test_minutes_count_to_the_minute_and_days_to_the_hour() -> None:
    tally = tallied(ANSWERS, (0, 10, 1), (90, 10, 2), (359, 10, 3), (3000, 10, 4))
    assert tally.last(359, 360) == Count(30, 6, 6)
    assert tally.last(359, 269) == Count(10, 3, 3)
    assert tally.last(3000, PAIRS[-1].long_min) == Count(40, 10, 10)


def test_a_month_without_bad_calls_leaves_the_whole_budget_for_ever() -> None:
    budget = tallied(ANSWERS, *((minute, 1, 0) for minute in range(0, 30 * DAY, 60))).budget(30 * DAY - 1, 0.0)
    assert budget.left == 1
    assert math.isinf(budget.days_to_go)
    assert str(budget) == "100% of the budget is left"


def test_a_month_at_the_limit_uses_up_the_budget() -> None:
    budget = tallied(ANSWERS, *((minute, 100, 1) for minute in range(0, 30 * DAY, 60))).budget(30 * DAY - 1, 1.0)
    assert budget.left == pytest.approx(0, abs=1e-9)
    assert budget.known_days == 30
    assert "used up" in str(budget)


def test_one_bad_day_of_ten_times_the_rate_leaves_two_thirds() -> None:
    days = [(minute, 100, 10.0 if minute // DAY == 3 else 0.0) for minute in range(0, 30 * DAY, 60)]
    budget = tallied(ANSWERS, *days).budget(30 * DAY - 1, 2.0)
    assert budget.left == pytest.approx(2 / 3)
    assert budget.days_to_go == pytest.approx(10)


def test_a_young_objective_reckons_with_the_traffic_of_its_first_days() -> None:
    budget = tallied(ANSWERS, *((minute, 100, 5) for minute in range(0, 3 * DAY, 60))).budget(3 * DAY - 1, 5.0)
    assert budget.known_days == 3
    assert budget.left == pytest.approx(0.5)
    assert str(budget) == "50% of the budget is left, for 3.0 days at this rate"


@pytest.mark.parametrize(
    ("left", "words"),
    [(0.4, "40% of the budget is left"), (0.0, "the budget is used up"), (-0.5, "the budget is used up, 50% over")],
)
def test_what_is_left_is_said_in_words(left: float, words: str) -> None:
    assert str(Budget(left=left, known_days=30, days_to_go=math.inf)) == words


def test_a_tally_goes_on_where_its_state_was_taken() -> None:
    tally, again = tallied(ANSWERS, (0, 10, 1), (400, 20, 2)), Tally(ANSWERS)
    again.load(tally.state())
    assert (again.began, again.full(60, PAIRS[0]), again.full(58, PAIRS[0])) == (0, True, False)
    for one in (tally, again):
        one.add(401, Count(5, 5, 5))
    assert again.state() == tally.state()
    assert again.last(401, 60) == Count(25, 7, 7)


def test_a_period_that_was_made_shorter_keeps_what_it_still_reaches() -> None:
    month = tallied(ANSWERS, *((minute, 100, 1) for minute in range(0, 20 * DAY, 60)))
    week = Tally(Objective(name="answers", metric="error", share=0.99, days=7))
    week.load(month.state())
    assert week.period(20 * DAY - 1).calls == pytest.approx(7 * 24 * 100)
