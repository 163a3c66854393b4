"""A few good scores correct many cheap ones, and the interval says how far that can be trusted."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.observations import Observations
from holdfast.core.prediction_powered import FEWEST, corrected_rate, rate_of

Floats = npt.NDArray[np.float64]


def calls(rate: float, count: int, judged: int, sharpness: float, seed: int = 1) -> tuple[Floats, Floats]:
    """Cheap scores of `count` calls, and the truth of the first `judged` ones."""
    random = np.random.default_rng(seed)
    failed = (random.random(count) < rate).astype(np.float64)
    cheap = 1 / (1 + np.exp(-(random.normal(size=count) + sharpness * failed - 1)))
    good = np.full(count, np.nan)
    good[:judged] = failed[:judged]
    return cheap, good


def test_a_cheap_score_that_is_off_is_put_right() -> None:
    rate = corrected_rate(*calls(0.05, 20_000, 1_000, 3.0))
    assert rate is not None
    assert rate.cheap > 0.25
    assert rate.low < 0.05 < rate.high
    assert abs(rate.value - 0.05) < 0.02


@pytest.mark.parametrize("judged", [0, 1, FEWEST - 1])
def test_too_few_judged_calls_correct_nothing(judged: int) -> None:
    assert corrected_rate(*calls(0.05, 1_000, judged, 3.0)) is None


def test_a_good_cheap_score_makes_the_interval_narrower_than_the_judged_calls_alone() -> None:
    cheap, good = calls(0.2, 10_000, 200, 4.0)
    with_it, without = corrected_rate(cheap, good), corrected_rate(np.zeros_like(cheap), good)
    assert with_it is not None
    assert without is not None
    assert with_it.high - with_it.low < 0.7 * (without.high - without.low)
    assert with_it.weight > 0.5
    assert without.weight == 0


def test_a_cheap_score_that_says_nothing_does_no_harm() -> None:
    cheap, good = calls(0.2, 10_000, 200, 0.0)
    with_it, without = corrected_rate(cheap, good), corrected_rate(np.zeros_like(cheap), good)
    assert with_it is not None
    assert without is not None
    assert with_it.high - with_it.low < 1.02 * (without.high - without.low)


def test_twenty_good_answers_are_no_proof_of_perfection() -> None:
    rate = corrected_rate(np.full(1_000, 0.01), np.where(np.arange(1_000) < 20, 0.0, np.nan))
    assert rate is not None
    assert rate.value == 0
    assert rate.high > 0.1


def test_when_every_call_was_judged_the_cheap_score_does_not_count() -> None:
    cheap, good = calls(0.3, 500, 500, 3.0)
    rate = corrected_rate(cheap, good)
    assert rate is not None
    assert rate.weight == 0
    assert rate.value == pytest.approx(good.mean())


@pytest.mark.parametrize(
    ("rate", "judged", "sharpness"), [(0.02, 60, 0.0), (0.02, 60, 4.0), (0.1, 100, 2.0), (0.5, 40, 4.0)], ids=str
)
def test_the_interval_covers_the_truth_as_often_as_it_says(rate: float, judged: int, sharpness: float) -> None:
    found = [corrected_rate(*calls(rate, 1_500, judged, sharpness, seed)) for seed in range(300)]
    assert sum(r is not None and r.low <= rate <= r.high for r in found) >= 0.91 * 300


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=FEWEST, max_size=60),
    st.lists(st.floats(0, 1), max_size=60),
)
def test_whatever_comes_the_rate_is_a_probability_within_its_interval(
    pairs: list[tuple[float, float]], rest: list[float]
) -> None:
    cheap = np.array([f for f, _ in pairs] + rest)
    good = np.array([y for _, y in pairs] + [np.nan] * len(rest))
    rate = corrected_rate(cheap, good)
    assert rate is not None
    assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert 0 <= rate.weight <= 1


def test_nothing_missed_leaves_the_interval_as_it_is() -> None:
    rate = corrected_rate(*calls(0.1, 2_000, 200, 2.0))
    assert rate is not None
    assert (rate.not_judged, rate.lowest, rate.highest) == (0, rate.low, rate.high)


@pytest.mark.parametrize("sharpness", [0.0, 3.0])
def test_a_judge_that_loses_the_bad_calls_misleads_the_estimate_but_not_its_bounds(sharpness: float) -> None:
    covered, bounded = 0, 0
    for seed in range(100):
        cheap, good = calls(0.2, 3_000, 400, sharpness, seed)
        lost = (good == 1) & (np.random.default_rng(1_000 + seed).random(3_000) < 0.7)
        rate = corrected_rate(cheap, np.where(lost, np.nan, good), lost)
        assert rate is not None
        assert rate.not_judged == lost.sum()
        covered += rate.low <= 0.2 <= rate.high
        bounded += rate.lowest <= 0.2 <= rate.highest
    assert covered < 60
    assert bounded >= 95


def test_calls_that_were_lost_at_random_move_the_estimate_little() -> None:
    cheap, good = calls(0.2, 3_000, 400, 3.0)
    lost = ~np.isnan(good) & (np.random.default_rng(1_001).random(3_000) < 0.3)
    whole, rest = corrected_rate(cheap, good), corrected_rate(cheap, np.where(lost, np.nan, good), lost)
    assert whole is not None
    assert rest is not None
    assert abs(whole.value - rest.value) < 0.03
    assert rest.lowest < rest.low < rest.high < rest.highest


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=FEWEST, max_size=40), st.lists(st.floats(0, 1), max_size=40)
)
def test_whatever_is_missed_the_bounds_hold_the_interval(pairs: list[tuple[float, float]], lost: list[float]) -> None:
    cheap = np.array([f for f, _ in pairs] + lost)
    good = np.array([y for _, y in pairs] + [np.nan] * len(lost))
    rate = corrected_rate(cheap, good, np.isnan(good))
    assert rate is not None
    assert rate.not_judged == len(lost)
    assert 0 <= rate.lowest <= rate.low <= rate.high <= rate.highest <= 1


def test_each_cheap_score_needs_a_good_one_or_a_gap() -> None:
    with pytest.raises(ValueError, match="one good score or NaN"):
        corrected_rate(np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match="one good score or NaN"):
        corrected_rate(np.zeros(3), np.zeros(3), np.zeros(2, np.bool_))


def observed(traces: list[str], values: list[float], route: str = "/chat") -> Observations:
    count = len(traces)
    return Observations.of(
        metric="x",
        time_ns=np.arange(count),
        value=np.array(values, np.float64),
        trace_id=traces,
        span_id=["1" * 16] * count,
        dimensions=[{"service.name": ("shop",), "route": (route if i % 2 else "/other",)} for i in range(count)],
    )


def test_good_and_cheap_scores_are_brought_together_by_trace() -> None:
    names = [f"trace {i}" for i in range(200)]
    cheap = observed(names, [0.9 if i < 20 else 0.1 for i in range(200)])
    good = observed(names[10:60], [1.0 if i < 20 else 0.0 for i in range(10, 60)])
    rate = rate_of(cheap, good)
    assert rate is not None
    assert (rate.calls, rate.judged) == (200, 50)
    assert rate.value == pytest.approx(0.1, abs=0.02)


def test_only_the_cohort_counts() -> None:
    names = [f"trace {i}" for i in range(200)]
    rate = rate_of(observed(names, [0.1] * 200), observed(names, [0.0] * 200), {"route": "/chat"})
    assert rate is not None
    assert (rate.calls, rate.judged) == (100, 100)


def test_a_trace_with_several_cheap_scores_is_one_call_by_its_last() -> None:
    names = [f"trace {i}" for i in range(40)] * 2
    rate = rate_of(observed(names, [1.0] * 40 + [0.0] * 40), observed(names[:30], [0.0] * 30))
    assert rate is not None
    assert (rate.calls, rate.cheap) == (40, 0.0)


def test_what_the_judge_missed_is_counted_within_the_cohort_and_only_where_it_did_not_judge_after_all() -> None:
    names = [f"trace {i}" for i in range(200)]
    cheap, good = observed(names, [0.1] * 200), observed(names[:100], [0.0] * 100)
    missed = frozenset([*names[98:110], "of another application"])
    whole, cohort = rate_of(cheap, good, missed=missed), rate_of(cheap, good, {"route": "/chat"}, missed)
    assert whole is not None
    assert cohort is not None
    assert (whole.judged, whole.not_judged) == (100, 10)
    assert (cohort.judged, cohort.not_judged) == (50, 5)


def test_nothing_observed_is_no_rate() -> None:
    assert rate_of(observed([], []), observed([], [])) is None
    assert rate_of(observed([], []), observed(["a"] * 30, [1.0] * 30)) is None
