import numpy as np
import pytest

from holdfast.evaluation_figures import auprc, auroc, counted, ratio, reliability

LABELS = np.array([0, 0, 1, 1])


def test_a_perfect_order_has_area_one_and_a_reversed_one_zero() -> None:
    assert auroc(LABELS, np.array([0.1, 0.2, 0.3, 0.4])) == 1.0
    assert auroc(LABELS, np.array([0.4, 0.3, 0.2, 0.1])) == 0.0


def test_equal_scores_say_nothing() -> None:
    assert auroc(LABELS, np.full(4, 0.5)) == 0.5
    assert auprc(LABELS, np.full(4, 0.5)) == 0.5


def test_average_precision_of_a_known_order() -> None:
    assert auprc(np.array([1, 0, 1]), np.array([0.9, 0.8, 0.7])) == pytest.approx((1 + 2 / 3) / 2, abs=1e-6)


@pytest.mark.parametrize("labels", [np.zeros(3, int), np.ones(3, int)])
def test_areas_of_one_class_are_undefined(labels: np.ndarray) -> None:
    scores = np.array([0.1, 0.5, 0.9])
    assert auroc(labels, scores) is None
    assert auprc(labels, scores) is None


def test_counts_of_a_known_table() -> None:
    found = counted(np.array([1, 1, 1, 0, 0]), np.array([1, 1, 0, 1, 0]))
    assert found["accuracy"] == 0.6
    assert found["precision"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["recall"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["fpr"] == 0.5
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 0.5) / 2, abs=1e-6)


def test_without_positives_recall_and_what_rests_on_it_are_undefined() -> None:
    found = counted(np.zeros(4, int), np.array([0, 0, 0, 1]))
    assert (found["recall"], found["precision"], found["f1"], found["balanced_accuracy"]) == (None, None, None, None)
    assert (found["fpr"], found["accuracy"]) == (0.25, 0.75)


def test_without_negatives_the_false_positive_rate_is_undefined() -> None:
    found = counted(np.ones(2, int), np.array([0, 1]))
    assert (found["fpr"], found["balanced_accuracy"], found["recall"]) == (None, None, 0.5)
    assert found["f1"] == pytest.approx(2 / 3, abs=1e-6)


def test_precision_of_nothing_said_is_undefined() -> None:
    assert counted(np.array([1, 0]), np.array([0, 0]))["precision"] is None


def test_a_share_of_nothing_is_undefined() -> None:
    assert ratio(0, 0) is None


def test_calibrated_scores_have_no_calibration_error() -> None:
    labels = np.array([0, 0, 0, 1] * 25)
    found = reliability(labels, np.full(100, 0.25))
    assert found["ece"] == 0
    assert found["bins"] == [{"from": 0.2, "rows": 100, "said": 0.25, "observed": 0.25}]


def test_sure_and_wrong_is_the_worst_calibration() -> None:
    assert reliability(np.zeros(10, int), np.ones(10))["ece"] == 1.0
