import numpy as np
import pytest

from holdfast.detect.kernel import RATIOS, Bets, Floats, Ints, Rows, Run, run, stakes

K = len(RATIOS)


def bets(null: Floats) -> Bets:
    return Bets(null, stakes(null))


def rows(group: Ints, x: Floats) -> Rows:
    """One row for every observation."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    rank = np.arange(len(x)) - np.searchsorted(ordered, ordered)
    return Rows(ordered, rank, np.zeros(len(x), np.int64), x[order], np.zeros(len(x), np.bool_))


def folded(group: Ints, x: Floats) -> Rows:
    """The same, zeros folded into the observation that follows them."""
    found = list[tuple[int, int, int, float, bool]]()
    for g in range(int(group.max()) + 1):
        mine, zeros = x[group == g], 0
        for rank, value in enumerate(mine.tolist()):
            zeros += value == 0
            if value or rank == len(mine) - 1:
                found.append((g, rank, zeros, value, not value))
                zeros = 0
    columns = [np.array(column) for column in zip(*found, strict=True)]
    return Rows(columns[0], columns[1], columns[2], columns[3], columns[4])


def fresh(streams: int) -> tuple[Floats, Floats]:
    return np.zeros((streams, K)), np.ones((streams, K))


def by_hand(x: Floats, null: float) -> tuple[Floats, Floats, list[float], list[int]]:
    """R, W, M after each observation, and the number of the last observation at which each W was 1."""
    r, w, mixture, zero = np.zeros(K), np.ones(K), list[float](), [-1] * K
    for rank, value in enumerate(x.tolist()):
        factor = 1 + stakes(np.array([null]))[0] * (value - null)
        r, w = (1 + r) * factor, np.maximum(w * factor, 1)
        mixture.append(float(r.mean()))
        zero = [rank if w[k] <= 1 else zero[k] for k in range(K)]
    return r, w, mixture, zero


def zeros_of(found: Run, of: Rows) -> list[list[int]]:
    """Number of the observation at which each W last was 1."""
    row, after = np.divmod(found.zero, 2)
    return np.where(found.zero < 0, -1, of.rank[row] + after - 1).tolist()  # type: ignore[no-any-return]


def some(seed: int, graded: bool) -> tuple[Ints, Floats]:
    rng = np.random.default_rng(seed)
    group = np.concatenate((np.arange(7), np.minimum(rng.geometric(0.4, 300) - 1, 6)))
    bad = rng.random(307) < 0.1
    return group, np.where(bad, rng.random(307) if graded else 1.0, 0.0)


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_all_streams_together_give_what_each_gives_alone_call_by_call(seed: int, graded: bool) -> None:
    group, x = some(seed, graded)
    null = np.linspace(0.01, 0.6, 7)
    for of in (rows(group, x), folded(group, x)):
        found = run(*fresh(7), bets(null), of)
        where = zeros_of(found, of)
        for g in range(7):
            evidence, cusum, mixture, zero = by_hand(x[group == g], float(null[g]))
            assert np.allclose(found.evidence[g], evidence, rtol=1e-10)
            assert np.allclose(found.cusum[g], cusum, rtol=1e-10)
            assert where[g] == zero
            mine = of.group == g
            assert np.allclose(found.mixture[mine], np.array(mixture)[of.rank[mine]], rtol=1e-10)


def test_cutting_a_run_in_two_changes_nothing() -> None:
    group, x = some(3, graded=True)
    whole = run(*fresh(7), bets(np.full(7, 0.2)), folded(group, x))
    evidence, cusum = fresh(7)
    for low, high in ((0, 90), (90, 200), (200, 307)):
        there = np.unique(group[low:high])
        part = folded(np.searchsorted(there, group[low:high]), x[low:high])
        found = run(evidence[there], cusum[there], bets(np.full(len(there), 0.2)), part)
        evidence[there], cusum[there] = found.evidence, found.cusum
    assert np.allclose(evidence, whole.evidence, rtol=1e-10)
    assert np.allclose(cusum, whole.cusum, rtol=1e-10)


def test_a_bet_is_fair_at_the_null_and_never_ruinous() -> None:
    for null in (0.001, 0.05, 0.5, 0.98):
        stake = stakes(np.array([null]))[0]
        lost, won = 1 - stake * null, 1 + stake * (1 - null)
        assert np.allclose((1 - null) * lost + null * won, 1.0)
        assert (lost >= 0.1 - 1e-9).all()


@pytest.mark.parametrize("null", [0.001, 0.02, 0.3, 0.95])
def test_zeros_that_may_be_folded_never_cross_and_others_may(null: float) -> None:
    of = bets(np.array([null]))
    rest = float(of.of_zero.max())
    least = rest / (1 - rest)
    assert of.foldable(np.array([least * 1.001])).tolist() == [True]
    assert of.foldable(np.array([least * 0.999])).tolist() == [False]
    for start in (0.0, 0.5, 0.999):
        # All evidence in the bet that zeros take away most slowly is the worst case.
        evidence = np.zeros(K)
        evidence[0] = start * K * least
        highest = 0.0
        for _ in range(2000):
            evidence = (1 + evidence) * of.of_zero[0]
            highest = max(highest, float(evidence.mean()))
        assert highest <= least * 1.001


def test_a_bet_on_recovery_is_never_folded_because_zeros_are_its_evidence() -> None:
    assert not Bets(np.array([0.3]), np.full((1, K), -2.0)).foldable(np.array([1e9])).any()


def test_the_time_to_a_false_alarm_is_at_least_the_threshold_on_average() -> None:
    rng = np.random.default_rng(7)
    streams, calls, null, threshold = 400, 600, 0.1, 300.0
    x = (rng.random(streams * calls) < null).astype(float)
    of = rows(np.tile(np.arange(streams), calls), x)
    mixture = run(*fresh(streams), bets(np.full(streams, null)), of).mixture
    over = mixture.reshape(streams, calls) >= threshold
    first = np.where(over.any(axis=1), over.argmax(axis=1) + 1, calls)
    # Cut off at 600 calls the mean is only a lower bound of the run length, which makes this the stricter check.
    assert first.mean() >= threshold


def test_zero_is_where_the_cusum_last_stood_still() -> None:
    x = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0])
    group = np.zeros(6, np.int64)
    for of in (rows(group, x), folded(group, x)):
        found = run(*fresh(1), bets(np.array([0.05])), of)
        assert zeros_of(found, of)[0][1] == 1
