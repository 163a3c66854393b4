import numpy as np

from holdfast.detect.columns import Column
from holdfast.detect.reference import CLIP, FAR, NEAR, Reference

VALUES = np.random.default_rng(2).lognormal(6, 1, 500)


def frozen() -> Reference:
    reference = Reference(500)
    assert reference.offer(VALUES)
    return reference


def test_a_reference_freezes_when_it_has_enough_and_not_before() -> None:
    reference = Reference(500)
    assert not reference.offer(VALUES[:499])
    assert reference.offer(VALUES)


def test_ranks_of_the_reference_itself_are_uniform() -> None:
    ranks = frozen().rank(VALUES)
    assert abs(float(ranks.mean()) - 0.5) < 0.01
    assert 0 < ranks.min() < ranks.max() < 1


def test_a_value_beyond_everything_has_a_rank_below_one() -> None:
    ranks = frozen().rank(np.array([-1.0, 1e12]))
    assert ranks[0] < 0.01 < 0.99 < ranks[1] < 1


def test_ties_share_one_rank() -> None:
    reference = Reference(10)
    reference.offer(np.full(10, 3.0))
    assert reference.rank(np.array([3.0]))[0] == 0.5


def test_few_values_are_in_the_tail() -> None:
    assert 0.01 < float(np.mean(frozen().tail < VALUES)) < 0.04


def test_one_outlier_cannot_move_a_mean_by_much() -> None:
    reference = frozen()
    assert reference.clip(np.array([1e15]))[0] == CLIP * reference.tail


def test_a_reference_of_zeros_clips_nothing() -> None:
    reference = Reference(4)
    reference.offer(np.zeros(4))
    assert reference.clip(np.array([5.0]))[0] == 5.0


GRADED = np.random.default_rng(3).normal(0.2, 0.03, 500).clip(0, 1)


OUTLIER = {side: Column("m", "outlier", side, 2.0, 0.02) for side in (False, True)}


def scores(values: np.ndarray) -> Reference:
    reference = Reference(len(values))
    assert reference.offer(values)
    return reference


def outliers(reference: np.ndarray, values: np.ndarray, falling: bool = False) -> np.ndarray:
    x, same = scores(reference).seen(OUTLIER[falling], values)
    assert same is values
    return x


def test_a_probability_clearly_above_the_median_is_an_outlier_though_it_is_small() -> None:
    assert outliers(GRADED, np.array([0.2, 0.34, 0.37, 1.0, 0.0])).tolist() == [0.0, 0.0, FAR, FAR, 0.0]


def test_questions_that_are_always_scored_badly_do_not_hide_answers_that_are_worse_than_usual() -> None:
    assert outliers(np.concatenate((GRADED, np.full(200, 0.6))), np.array([0.45])).tolist() == [FAR]


def test_where_low_is_bad_one_in_a_hundred_of_the_reference_is_an_outlier_and_hardly_one_far_so() -> None:
    low = outliers(GRADED, GRADED, falling=True)
    assert 0 < low.mean() <= 0.01
    worst = float(np.quantile(GRADED, 0.995))
    assert outliers(1 - GRADED, 1 - np.array([worst, 0.35, 1.0]), falling=True).tolist() == [NEAR, FAR, FAR]


def test_yes_or_no_has_no_outliers() -> None:
    assert not scores(np.array([0.0] * 99 + [1.0])).tells(OUTLIER[False])


def test_a_score_that_is_usually_bad_or_falls_as_low_as_can_be_often_has_no_outliers() -> None:
    assert not scores(np.array([0.1] * 40 + [0.8] * 60)).tells(OUTLIER[False])
    assert not scores(1 - np.array([0.1] * 90 + [0.97] * 10)).tells(OUTLIER[True])


def test_a_value_that_is_hardly_worse_than_the_others_is_no_outlier() -> None:
    assert outliers(np.full(300, 0.002), np.array([0.003, 0.2])).tolist() == [0.0, 1.0]


def test_a_bounded_score_as_it_is_needs_no_reference() -> None:
    assert not scores(GRADED).tells(Column("m", "score", False, 1.25, 0.02))


def test_a_rank_that_falls_is_mirrored_and_a_tail_is_yes_or_no() -> None:
    reference = frozen()
    rising, _ = reference.seen(Column("m", "rank", False, 1.15, 0.05), VALUES)
    falling, _ = reference.seen(Column("m", "rank", True, 1.15, 0.05), VALUES)
    tail, clipped = reference.seen(Column("m", "tail", False, 2.0, 0.02), np.array([1.0, 1e15]))
    assert np.allclose(rising + falling, 1.0)
    assert tail.tolist() == [0.0, 1.0]
    assert clipped[1] == CLIP * reference.tail


def test_what_leaves_no_doubt_counts_whatever_is_usual() -> None:
    sure = Column("m", "sure", False, 2.0, 0.002)
    graded = Reference(256, np.linspace(0.0, 0.6, 256))
    assert graded.tells(sure)
    assert graded.seen(sure, np.array([0.5, 0.89, 0.9, 1.0]))[0].tolist() == [0.0, 0.0, 1.0, 1.0]
    assert not Reference(256, np.array([0.0] * 128 + [1.0] * 128)).tells(sure), "of yes or no the mean says it"


def test_a_reference_says_each_time_the_same_of_which_columns_can_say_something() -> None:
    columns = [Column("m", "score", False, 1.25, 0.02), OUTLIER[False]]
    assert scores(GRADED).telling((0, 1), columns) == [1]
    flags = scores(np.array([0.0] * 99 + [1.0]))
    assert flags.telling((0, 1), columns) == flags.telling((0, 1), columns) == []
