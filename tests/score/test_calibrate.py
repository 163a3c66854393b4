"""A calibration is learnt only where it helps, and is judged by labels that it has not seen."""

import numpy as np
import numpy.typing as npt
import pytest

from holdfast.score.beta_map import BetaMap
from holdfast.score.calibrate import FEWEST_LABELS, FEWEST_OF_EACH, expected_error, fit, learn

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]


def names(count: int) -> list[str]:
    return [f"trace {number}" for number in range(count)]


def overconfident(count: int, seed: int = 1) -> tuple[Floats, Truth]:
    """Scores that say 0.95 where 0.7 is true, and 0.05 where 0.3 is."""
    random = np.random.default_rng(seed)
    true = random.uniform(0.2, 0.8, count)
    odds = 2.5 * np.log(true / (1 - true))
    return 1 / (1 + np.exp(-odds)), random.random(count) < true


def honest(count: int, seed: int = 1) -> tuple[Floats, Truth]:
    random = np.random.default_rng(seed)
    true = random.uniform(0.02, 0.98, count)
    return true, random.random(count) < true


def test_scores_that_are_too_sure_are_calmed() -> None:
    scores, failed = overconfident(400)
    learnt = learn(scores, failed, names(400))
    assert learnt.refused == ""
    assert learnt.brier_after < learnt.brier_before
    assert learnt.ece_after < learnt.ece_before
    assert learnt.map.of(0.95) < 0.9
    assert learnt.map.of(0.05) > 0.1


def test_the_promise_holds_on_labels_that_come_later() -> None:
    scores, failed = overconfident(400)
    learnt = learn(scores, failed, names(400))
    later, truth = overconfident(4_000, seed=2)
    assert np.square(learnt.map(later) - truth).mean() < np.square(later - truth).mean()
    assert expected_error(learnt.map(later), truth) < 0.5 * expected_error(later, truth)


@pytest.mark.parametrize("seed", range(8))
def test_honest_scores_are_left_alone(seed: int) -> None:
    scores, failed = honest(200, seed)
    learnt = learn(scores, failed, names(200))
    assert learnt.refused
    assert "no improvement" in learnt.refused


def test_a_score_that_says_nothing_becomes_the_rate() -> None:
    random = np.random.default_rng(3)
    scores, failed = random.random(500), random.random(500) < 0.1
    learnt = learn(scores, failed, names(500))
    assert learnt.refused == ""
    assert all(abs(learnt.map.of(score) - 0.1) < 0.08 for score in (0.1, 0.5, 0.9))


def test_a_score_that_is_upside_down_is_ignored_and_never_turned_round() -> None:
    scores, failed = honest(400)
    learnt = fit(1 - scores, failed)
    assert learnt.of(0.9) >= learnt.of(0.1)


@pytest.mark.parametrize(
    ("count", "bad"),
    [(0, 0), (1, 1), (FEWEST_LABELS - 1, 20), (200, FEWEST_OF_EACH - 1), (200, 200 - FEWEST_OF_EACH + 1), (200, 0), (200, 200)],
)
def test_too_few_labels_teach_nothing_and_it_is_said_how_many_are_needed(count: int, bad: int) -> None:
    learnt = learn(np.full(count, 0.5), np.arange(count) < bad, names(count))
    assert f"{count} labels, {bad} of them failed: {FEWEST_LABELS} with {FEWEST_OF_EACH}" in learnt.refused
    assert learnt.map == BetaMap()


def test_labels_that_can_be_told_apart_perfectly_do_not_break_it() -> None:
    scores = np.concatenate([np.full(40, 0.1), np.full(40, 0.9)])
    learnt = learn(scores, scores > 0.5, names(80))
    assert learnt.map.of(0.9) > 0.9
    assert learnt.map.of(0.1) < 0.1


def test_scores_at_the_very_ends_are_finite() -> None:
    scores = np.array([0.0, 1.0] * 50)
    learnt = learn(scores, np.array([False, True] * 49 + [True, False]), names(100))
    assert 0 < learnt.map.of(0.0) < learnt.map.of(1.0) < 1


def test_labels_of_one_trace_are_never_on_both_sides() -> None:
    random = np.random.default_rng(4)
    noise = random.random(100)
    scores, failed = np.repeat(noise, 4), np.repeat(random.random(100) < 0.5, 4)
    groups = [f"trace {number // 4}" for number in range(400)]
    alone = [f"label {number}" for number in range(400)]
    assert learn(scores, failed, groups).brier_after >= learn(scores, failed, alone).brier_after


def test_the_same_labels_teach_the_same() -> None:
    scores, failed = overconfident(200)
    assert learn(scores, failed, names(200)) == learn(scores, failed, names(200))


def test_as_many_scores_as_labels_are_needed() -> None:
    with pytest.raises(ValueError, match="2 scores, 3 labels and 1 groups"):
        learn(np.zeros(2), np.zeros(3, np.bool_), ["a"])
