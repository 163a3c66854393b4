import numpy as np
import pytest

from holdfast.detect.baseline import SHARPEST, STRONGEST, Floats, null_mean, sharpness, sibling_strengths, upper_bound


def one(value: float) -> Floats:
    return np.array([value])


def bound(calls: float, total: float, quantile: float = 0.8, mean: float = 0.5, strength: float = 1.0) -> float:
    return float(upper_bound(one(mean), one(strength), one(total), one(calls), one(quantile))[0])


def test_the_bound_lies_over_the_mean_and_closes_in_with_more_calls() -> None:
    assert 0.04 < bound(20_000, 800) < bound(2000, 80) < bound(200, 8) < bound(50, 2)


def test_the_bound_holds_as_often_as_its_quantile_says() -> None:
    rng = np.random.default_rng(1)
    totals = rng.binomial(500, 0.05, 4000).astype(float)
    n = len(totals)
    upper = upper_bound(np.full(n, 0.5), np.ones(n), totals, np.full(n, 500.0), np.full(n, 0.8))
    assert 0.75 <= float(np.mean(upper >= 0.05)) <= 0.9


def test_a_prior_holds_a_young_stream_near_its_application() -> None:
    assert bound(0, 0, mean=0.04, strength=200) < 0.06
    assert bound(0, 0, mean=0.04, strength=20) > bound(0, 0, mean=0.04, strength=200)


def test_a_stream_without_a_single_failure_has_a_bound_above_zero() -> None:
    assert bound(200, 0) > 0


def test_the_null_mean_keeps_margin_floor_and_doubt() -> None:
    def null(mean: float, upper: float, margin: float = 1.25, floor: float = 0.01) -> float:
        return float(null_mean(one(mean), one(upper), one(margin), one(floor))[0])

    assert null(0.1, 0.1) == 0.125
    assert null(0.0, 0.001) == 0.01
    assert 0.14 < null(0.1, 0.14) < 0.14 * 1.25
    assert null(0.6, 0.6, margin=2.0) == 0.76, "two fifths of what was right may not be lost"
    assert null(0.7, 0.9, margin=2.0) == 0.9
    assert null(0.998, 0.999, floor=0.05) > 0.999, "what cannot get worse by the floor can never alarm"


def test_scores_that_hardly_vary_are_known_better_than_events() -> None:
    rng = np.random.default_rng(3)
    events, levels = (rng.random(4000) < 0.2).astype(float), rng.normal(0.2, 0.05, 4000)

    def of(x: Floats, calls: int = 4000) -> float:
        return float(sharpness(one(calls), one(x[:calls].sum()), one((x[:calls] ** 2).sum()))[0])

    assert of(events) == pytest.approx(1.0, abs=0.01)
    assert of(levels) == SHARPEST
    assert of(levels, 59) == 1.0


def test_siblings_that_agree_give_a_strong_prior_and_others_a_weak_one() -> None:
    rng = np.random.default_rng(5)
    calls = np.full(8, 500.0)
    same = rng.binomial(500, 0.1, 8).astype(float)
    apart = rng.binomial(500, np.linspace(0.01, 0.4, 8)).astype(float)
    group, groups = np.repeat([0, 1, 2], [8, 8, 1]), (np.append(np.concatenate((apart, same)), 50.0),) * 2
    weak, strong, alone = sibling_strengths(group, np.append(np.concatenate((calls, calls)), 1000.0), *groups)
    assert 0 < weak < 40 < 200 < strong <= STRONGEST
    assert alone == 0.0, "one says nothing of how much others differ"


def test_siblings_with_few_calls_say_nothing_and_do_not_disturb_the_others() -> None:
    young = sibling_strengths(np.zeros(3, np.int64), np.array([500.0, 59.0, 59.0]), *(np.array([5.0, 59.0, 0.0]),) * 2)
    assert young.tolist() == [0.0]
    calls, total = np.array([500.0, 500.0]), np.array([5.0, 100.0])
    two = sibling_strengths(np.zeros(2, np.int64), calls, total, total)
    three = sibling_strengths(np.zeros(3, np.int64), np.append(calls, 59.0), *(np.append(total, 59.0),) * 2)
    assert two[0] == three[0] > 0
    assert not len(sibling_strengths(np.empty(0, np.int64), *(np.empty(0),) * 3))
