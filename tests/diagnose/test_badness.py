"""Flags, probabilities and amounts become badness in one scale."""

import numpy as np

from holdfast.diagnose.badness import falls, is_rate, rank, watch
from tests.diagnose.incidents import CALLS, METRICS, ONSET, Shop


def test_a_value_above_all_of_health_has_rank_one_and_the_median_a_half() -> None:
    healthy = np.arange(1.0, 102.0)
    np.testing.assert_allclose(rank(np.array([500.0, 51.0, 0.0]), healthy), [1.0, 0.5, 0.0])
    np.testing.assert_array_equal(rank(np.array([3.0]), np.zeros(0)), [0.5])


def test_a_known_metric_is_read_by_its_unit_and_an_unknown_one_by_its_looks() -> None:
    assert not is_rate("latency", METRICS["latency"], np.array([0.1]))
    assert is_rate("evaluation.helpful", None, np.array([0.0, 1.0]))
    assert not is_rate("evaluation.stars", None, np.array([1.0, 5.0]))


def test_what_falls_is_bad_when_lower_is_worse_or_when_either_way_is_and_it_fell() -> None:
    assert falls(METRICS["latency"], 100.0, 50.0)
    assert not falls(METRICS["refusal"], 0.5, 0.1)
    assert falls(None, 0.5, 0.1)


def test_badness_since_onset_is_compared_with_what_health_lets_expect() -> None:
    shop = Shop().break_(["refusal"])
    frame = shop.frame()
    watched = watch(frame, frame.columns["refusal"], METRICS["refusal"], is_fall=False)
    late = watched.since(ONSET)
    assert late.observed.mean() > 5 * late.expected.mean()
    np.testing.assert_allclose(watched.expected.mean(), 0.056, atol=0.01)


def test_a_fall_of_an_amount_is_badness_too() -> None:
    frame = Shop().scale("retrieval_score", 0.3).frame()
    target = watch(frame, frame.columns["retrieval_score"], METRICS["retrieval_score"], is_fall=True).since(ONSET)
    assert target.observed.mean() > 0.9
    assert target.dispersion < 0.3


def test_without_a_healthy_past_something_is_still_expected() -> None:
    frame = Shop().frame(onset_ns=0)
    target = watch(frame, frame.columns["refusal"], METRICS["refusal"], is_fall=False).since(0)
    assert len(target.call) == CALLS
    assert 0 < target.expected[0] < target.observed.mean()
