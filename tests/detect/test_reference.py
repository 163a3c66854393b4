import numpy as np

from holdfast.detect.reference import CLIP, Reference

VALUES = np.random.default_rng(2).lognormal(6, 1, 500)


def frozen() -> Reference:
    reference = Reference(500)
    assert reference.offer(VALUES, np.empty(0))
    return reference


def test_a_reference_freezes_when_it_has_enough_and_not_before() -> None:
    reference = Reference(500)
    assert not reference.offer(VALUES[:100], VALUES[100:499])
    assert reference.offer(VALUES[:100], VALUES[100:])


def test_ranks_of_the_reference_itself_are_uniform() -> None:
    ranks = frozen().rank(VALUES)
    assert abs(float(ranks.mean()) - 0.5) < 0.01
    assert 0 < ranks.min() < ranks.max() < 1


def test_a_value_beyond_everything_has_a_rank_below_one() -> None:
    ranks = frozen().rank(np.array([-1.0, 1e12]))
    assert ranks[0] < 0.01 < 0.99 < ranks[1] < 1


def test_ties_share_one_rank() -> None:
    reference = Reference(10)
    reference.offer(np.full(10, 3.0), np.empty(0))
    assert reference.rank(np.array([3.0]))[0] == 0.5


def test_few_values_are_in_the_tail() -> None:
    assert 0.01 < float(np.mean(frozen().tail < VALUES)) < 0.04


def test_one_outlier_cannot_move_a_mean_by_much() -> None:
    reference = frozen()
    assert reference.clip(np.array([1e15]))[0] == CLIP * reference.tail


def test_a_reference_of_zeros_clips_nothing() -> None:
    reference = Reference(4)
    reference.offer(np.zeros(4), np.empty(0))
    assert reference.clip(np.array([5.0]))[0] == 5.0


GRADED = np.random.default_rng(3).normal(0.2, 0.03, 500).clip(0, 1)


def scores(values: np.ndarray) -> Reference:
    reference = Reference(len(values))
    assert reference.offer(values, np.empty(0))
    return reference


def test_one_in_a_hundred_of_the_reference_is_an_outlier_on_the_side_that_is_worse() -> None:
    high, low = scores(GRADED).outliers(GRADED, falling=False), scores(GRADED).outliers(GRADED, falling=True)
    assert high is not None
    assert low is not None
    assert 0 < high.mean() <= 0.01
    assert 0 < low.mean() <= 0.01
    assert not (high * low).any()


def test_a_score_far_from_usual_is_an_outlier_though_it_is_small() -> None:
    assert scores(GRADED).outliers(np.array([0.2, 0.45, 0.0]), falling=False).tolist() == [0.0, 1.0, 0.0]  # type: ignore[union-attr]


def test_yes_or_no_has_no_outliers() -> None:
    assert scores(np.array([0.0] * 99 + [1.0])).outliers(np.array([1.0]), falling=False) is None


def test_a_score_that_is_often_as_bad_as_can_be_has_no_outliers() -> None:
    assert scores(np.array([0.1] * 90 + [0.97] * 10)).outliers(np.array([1.0]), falling=False) is None


def test_a_value_that_is_hardly_worse_than_the_others_is_no_outlier() -> None:
    assert scores(np.full(300, 0.002)).outliers(np.array([0.003, 0.2]), falling=False).tolist() == [0.0, 1.0]  # type: ignore[union-attr]
