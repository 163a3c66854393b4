import numpy as np
import pytest

from holdfast.drills import statistics
from holdfast.drills.statistics import NOTHING, calibration_error, reliability


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    assert statistics.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I, case 1
    assert statistics.wilson(0, 20)[0] == pytest.approx(0.0)
    assert statistics.wilson(20, 20)[1] == pytest.approx(1.0)


def test_garwoods_interval_is_that_of_the_textbook() -> None:
    none = statistics.rate(0, 10.0)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.3689, abs=1e-4)
    five = statistics.rate(5, 1.0)
    assert five.low == pytest.approx(1.6235, abs=1e-4)
    assert five.high == pytest.approx(11.6683, abs=1e-4)


def test_nothing_observed_has_no_figure() -> None:
    assert statistics.proportion([], []) == NOTHING
    assert statistics.average([], []) == NOTHING
    assert statistics.middle([], []) == NOTHING
    assert statistics.rate(3, 0.0) == NOTHING
    assert calibration_error(reliability([], [])) is None


def test_drills_of_few_faults_are_less_certain_than_as_many_of_different_ones() -> None:
    values = [i % 4 < 2 for i in range(40)]
    alike = statistics.proportion(values, [f"f{i % 4}" for i in range(40)])
    different = statistics.proportion(values, [f"f{i}" for i in range(40)])
    assert alike.value == different.value == 0.5
    assert alike.low is not None
    assert different.low is not None
    assert alike.low < different.low


def test_all_right_is_not_certain() -> None:
    figure = statistics.proportion([True] * 9, ["a"] * 3 + ["b"] * 3 + ["c"] * 3)
    assert figure.value == 1.0
    assert figure.low is not None
    assert figure.low < 0.5


def test_a_median_is_not_moved_by_one_slow_drill() -> None:
    assert statistics.middle([1.0, 2.0, 3000.0], ["a", "b", "c"]).value == 2.0


def test_the_same_values_give_the_same_interval() -> None:
    values, clusters = [1.0, 2.0, 4.0, 8.0], ["a", "b", "c", "d"]
    assert statistics.average(values, clusters) == statistics.average(values, clusters)


def test_honest_confidence_has_hardly_any_calibration_error_and_boasting_has() -> None:
    random = np.random.default_rng(5)
    sure = random.uniform(0.3, 1.0, 3000)
    right = random.random(3000) < sure
    assert (calibration_error(reliability(sure.tolist(), right.tolist())) or 1.0) < 0.04
    boast = np.full(3000, 0.99)
    assert (calibration_error(reliability(boast.tolist(), right.tolist())) or 0.0) > 0.25


@pytest.mark.parametrize(("count", "bins"), [(1, 1), (25, 2), (150, 15), (5000, 15)])
def test_bins_have_equal_mass_and_are_few_for_few_diagnoses(count: int, bins: int) -> None:
    found = reliability([i / count for i in range(count)], [True] * count)
    assert len(found) == bins
    assert sum(b.count for b in found) == count
    assert max(b.count for b in found) - min(b.count for b in found) <= 1


def test_briers_score_punishes_wrong_confidence() -> None:
    assert statistics.brier([1.0, 1.0], [True, False], ["a", "b"]).value == 0.5
