from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from holdfast.diagnose.venn_abers import lower_bound, lower_steps

CASES = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=60)


def table(score: list[float], right: list[float], weight: float = 1.0) -> tuple[tuple[float, float], ...]:
    return lower_steps(np.array(score), np.array(right), np.full(len(score), weight))


def by_hand(cases: list[tuple[int, bool]], score: float) -> float:
    """p0 from its definition: isotonic regression of all cases and the new one, which is wrong."""
    points = sorted([(s / 20, float(r)) for s, r in cases] + [(score, 0.0)])
    levels = sorted({s for s, _ in points})
    weight = np.array([sum(s == level for s, _ in points) for level in levels], float)
    mean = np.array([np.mean([r for s, r in points if s == level]) for level in levels])
    return float(isotonic_regression(mean, weights=weight).x[levels.index(score)])


@settings(deadline=None)
@given(CASES, st.integers(0, 20))
def test_at_a_calibration_score_it_is_the_fit_with_the_new_case_wrong(cases: list[tuple[int, bool]], at: int) -> None:
    score = cases[at % len(cases)][0] / 20
    bound = lower_bound(table([s / 20 for s, _ in cases], [float(r) for _, r in cases]), score)
    assert by_hand(cases, score) - 0.01 - 1e-9 <= bound <= by_hand(cases, score) + 1e-9


@settings(deadline=None)
@given(CASES, st.floats(0, 1))
def test_between_scores_it_never_promises_more_than_the_definition(cases: list[tuple[int, bool]], score: float) -> None:
    bound = lower_bound(table([s / 20 for s, _ in cases], [float(r) for _, r in cases]), score)
    assert 0 <= bound <= by_hand(cases, score) + 1e-9


@settings(deadline=None)
@given(CASES)
def test_steps_rise_in_both(cases: list[tuple[int, bool]]) -> None:
    steps = table([s / 20 for s, _ in cases], [float(r) for _, r in cases])
    assert all(a < b and p < q for (a, p), (b, q) in pairwise(steps))
    assert all(0 <= score <= 1 and 0 < low < 1 for score, low in steps)


def test_few_cases_promise_little_however_right_they_were() -> None:
    assert lower_bound(table([0.9] * 4, [1.0] * 4), 0.95) == pytest.approx(0.8)
    assert lower_bound(table([0.9] * 99, [1.0] * 99), 0.95) == pytest.approx(0.99)


def test_a_story_told_thrice_counts_once() -> None:
    assert lower_bound(table([0.9] * 12, [1.0] * 12, 1 / 3), 0.95) == pytest.approx(0.8)


def test_below_all_that_was_seen_nothing_is_promised() -> None:
    steps = table([0.5] * 9 + [0.9] * 9, [1.0] * 18)
    assert lower_bound(steps, 0.49) == 0
    assert lower_bound((), 0.99) == 0


def test_only_wrong_ones_give_no_table() -> None:
    assert table([0.5, 0.9], [0.0, 0.0]) == ()


def test_it_holds_out_of_sample_however_overconfident_the_scores_are() -> None:
    random = np.random.default_rng(5)
    truth = random.random(4000)
    right = (random.random(4000) < truth).astype(float)
    sure = truth**0.3
    steps = table(sure[:500].tolist(), right[:500].tolist())
    bounds = np.array([lower_bound(steps, s) for s in sure[500:]])
    passed = bounds >= 0.8
    assert passed.mean() > 0.05
    assert right[500:][passed].mean() >= 0.8
    assert right[500:][sure[500:] >= 0.8].mean() < 0.8, "what the plain score would have let pass"
