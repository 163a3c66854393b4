import numpy as np
import pytest

from holdfast.detect.kernel import RATIOS, Floats, Ints, layout, run, stakes
from holdfast.detect.kernel import bets as bets_with

K = len(RATIOS)


def bets(x: Floats, null: Floats) -> Floats:
    return bets_with(x, null, stakes(null))


def by_hand(stream: Ints, x: Floats, null: float) -> tuple[dict[int, Floats], dict[int, Floats], dict[int, list[float]]]:
    evidence, cusum, mixture = dict[int, Floats](), dict[int, Floats](), dict[int, list[float]]()
    for s, value in zip(stream.tolist(), x.tolist(), strict=True):
        factor = bets(np.array([value]), np.array([null]))[0]
        evidence[s] = (1 + evidence.get(s, np.zeros(K))) * factor
        cusum[s] = np.maximum(cusum.get(s, np.zeros(K)), 1) * factor
        mixture.setdefault(s, []).append(float(evidence[s].mean()))
    return evidence, cusum, mixture


@pytest.mark.parametrize("seed", range(5))
def test_all_streams_together_give_what_each_gives_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stream = rng.integers(0, 7, 200) ** 2
    x = rng.random(200) * (rng.random(200) < 0.3)
    plan = layout(stream)
    factors = bets(x[plan.at], np.full(200, 0.1))
    zeros = np.zeros((len(plan.groups), K))
    found = run(zeros, zeros, factors, plan.offsets)
    evidence, cusum, mixture = by_hand(stream, x, 0.1)
    for g, s in enumerate(plan.groups.tolist()):
        assert np.array_equal(found.evidence[g], evidence[s])
        assert np.array_equal(found.cusum[g], cusum[s])
        assert np.allclose(found.mixture[plan.group == g], mixture[s], rtol=1e-12)


def test_cutting_a_run_in_two_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    stream, x = rng.integers(0, 4, 90), rng.random(90)

    def run_all(cuts: list[int]) -> Floats:
        evidence = np.zeros((4, K))
        for low, high in zip([0, *cuts], [*cuts, 90], strict=True):
            plan = layout(stream[low:high])
            factors = bets(x[low:high][plan.at], np.full(high - low, 0.4))
            evidence[plan.groups] = run(evidence[plan.groups], np.zeros((len(plan.groups), K)), factors, plan.offsets).evidence
        return evidence

    assert np.array_equal(run_all([]), run_all([17, 18, 55]))


def test_a_bet_is_fair_at_the_null_and_never_ruinous() -> None:
    for null in (0.001, 0.05, 0.5, 0.98):
        lost, won = bets(np.array([0.0, 1.0]), np.array([null, null]))
        assert np.allclose((1 - null) * lost + null * won, 1.0)
        assert (lost >= 0.1 - 1e-9).all()


def test_the_time_to_a_false_alarm_is_at_least_the_threshold_on_average() -> None:
    rng = np.random.default_rng(7)
    streams, calls, null, threshold = 400, 600, 0.1, 300.0
    x = (rng.random(streams * calls) < null).astype(float)
    plan = layout(np.tile(np.arange(streams), calls))
    zeros = np.zeros((streams, K))
    mixture = run(zeros, zeros, bets(x[plan.at], np.full(len(x), null)), plan.offsets).mixture
    over = mixture.reshape(calls, streams) >= threshold
    first = np.where(over.any(axis=0), over.argmax(axis=0) + 1, calls)
    # Cut off at 600 calls the mean is only a lower bound of the run length, which makes this the stricter check.
    assert first.mean() >= threshold


def test_zero_is_where_the_cusum_last_stood_still() -> None:
    x = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0])
    plan = layout(np.zeros(6, np.int64))
    zeros = np.zeros((1, K))
    found = run(zeros, zeros, bets(x, np.full(6, 0.05)), plan.offsets)
    assert found.zero[0, 1] == 1
