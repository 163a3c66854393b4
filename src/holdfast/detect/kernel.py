"""The SR-mixture e-detector over many streams at once (Shin, Ramdas & Rinaldo, "E-detectors"; Shiryaev–Roberts form).

For an observation x in [0, 1], a null mean m and alternatives ρ·m the bets are L = 1 + λ(x − m), and R ← (1 + R)·L.
Under "the conditional mean is at most m" the mean over ρ of R, less the number of observations, is a supermartingale, so
the expected time to a false alarm is at least the threshold, whatever the distribution and the dependence. Beside it runs
a CUSUM, W ← max(W·L, 1): where it last was 1 is the estimate of the onset.

Most observations of a healthy flag are 0, and n zeros in a row are one step: with c = 1 − λm they take R to
cⁿ·R + c·(1 − cⁿ) ÷ (1 − c), and W to max(cⁿ·W, 1). So a row of the loop is an observation with the zeros before it. The loop is
over positions, and each step updates every stream that has a row at that position.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RATIOS: Floats = np.array([1.3, 1.7, 2.5, 4.0, 8.0, 20.0])
"""Alternatives ρ: multiples of the null mean that are bet on, each with the same weight."""

_WEIGHTS: Floats = np.full(len(RATIOS), 1.0 / len(RATIOS))


def stakes(null: Floats) -> Floats:
    """What is bet, shape G × K, against null means in (0, 1): λ of the betting factors 1 + λ(x − m).

    A bet never risks more than nine tenths, so the factors are at least 0.1 also where ρ·m exceeds 1.
    """
    return np.asarray(np.minimum((RATIOS - 1) / (1 - null)[:, None], 0.9 / null[:, None]), np.float64)


@dataclass(frozen=True)
class Bets:
    """Null means (G) and stakes (G × K) of G streams."""

    null: Floats
    stake: Floats

    @cached_property
    def of_zero(self) -> Floats:
        """Betting factors c of an observation of 0 (G × K)."""
        return np.asarray(1 - self.stake * self.null[:, None], np.float64)

    def foldable(self, limit: Floats) -> Bools:
        """Whether no zero can take M to `limit` (G) from below: M becomes at most c·(1 + M) with the largest c of the stream."""
        most = self.of_zero.max(axis=1)
        return np.asarray((most < 1) & (most <= (1 - most) * limit), np.bool_)


class Rows(NamedTuple):
    """Rows of G streams, each of which has at least one, ordered by stream and then by time.

    Row i says that stream `group[i]` saw `zeros[i]` zeros and then its observation number `rank[i]`, which was `x[i]`. Where
    `ends[i]`, it was the last zero itself, which `zeros[i]` includes, and x is 0.
    """

    group: Ints
    rank: Ints
    zeros: Ints
    x: Floats
    ends: Bools

    def take(self, at: Ints) -> "Rows":
        """Some of them, in this order."""
        return Rows(self.group[at], self.rank[at], self.zeros[at], self.x[at], self.ends[at])


class Run(NamedTuple):
    """What the loop leaves.

    R and W at the end (G × K); M after each row (N); and where W last was 1 (G × K): 2·row + 1 after that row, 2·row after
    its zeros, −1 never.
    """

    evidence: Floats
    cusum: Floats
    mixture: Floats
    zero: Ints


def run(evidence: Floats, cusum: Floats, bets: Bets, rows: Rows) -> Run:
    """Run the recursion from R and W (both G × K, N ≥ 1 rows)."""
    counts = np.bincount(rows.group, minlength=len(evidence))
    starts = np.cumsum(counts) - counts
    longest_first = np.argsort(-counts, kind="stable")
    standing = np.empty_like(longest_first)
    standing[longest_first] = np.arange(len(counts))
    longer = len(counts) - np.cumsum(np.bincount(counts))[:-1]
    offsets = np.concatenate(([0], np.cumsum(longer)))
    # By position within the stream, then by falling length: the streams of a step are the first ones of the step before.
    to = offsets[np.arange(len(rows.group)) - starts[rows.group]] + standing[rows.group]
    at = np.empty_like(to)
    at[to] = np.arange(len(to))
    ordered = rows.take(at)
    steps, folded = _steps(bets, ordered)
    _loop(evidence[longest_first], np.maximum(cusum, 1.0)[longest_first], steps, offsets.tolist())
    grown, _, still, factor = steps
    # W was at rest: 2 after the observation, 1 after the zeros before it, without which that is where it was after the last one.
    rest = 2 * (factor <= 1).view(np.int8)
    rest[folded] = np.maximum(rest[folded], (still[folded] <= 1) & (ordered.rank[folded] > 0)[:, None])
    last = starts + counts - 1
    end = to[last]
    return Run(grown[end], factor[end], (grown @ _WEIGHTS)[to], _last_rest(rest[to], starts, last))


def _last_rest(rest: npt.NDArray[np.int8], starts: Ints, last: Ints) -> Ints:
    """Where W was at rest last (G × K), as of `Run.zero`; `rest` is N × K, the rows of a stream are those from start to last."""
    rest = np.ascontiguousarray(rest.T)
    at = np.where(rest > 0, np.arange(rest.shape[1], dtype=np.int32), np.int32(-1))
    found = np.maximum.accumulate(at, axis=1, out=at)[:, last].astype(np.int64)
    code = np.take_along_axis(rest, np.maximum(found, 0), axis=1)
    return np.where(found >= starts, 2 * found + code - 1, -1).T


def _steps(bets: Bets, rows: Rows) -> tuple[tuple[Floats, Floats, Floats, Floats], Ints | slice]:
    """Of each row (N × K): cⁿ·L; what its zeros and the observation add to R; cⁿ of the zeros; the factor L of the observation.

    And which rows have zeros, or all.
    """
    c, away = bets.of_zero, rows.x - bets.null[rows.group]
    away[rows.ends] = 0.0
    factor = bets.stake[rows.group]
    factor *= away[:, None]
    factor += 1
    grown, above, still = factor.copy(), factor.copy(), np.ones_like(factor)
    above[rows.ends] = 0.0
    folded: Ints | slice = np.flatnonzero(rows.zeros)
    if 2 * len(rows.zeros[folded]) > len(rows.zeros):
        # To compute what is 0 is cheaper than to pick the others.
        folded = slice(None)
    group, own = rows.group[folded], factor[folded]
    still[folded] = shrunk = np.exp(np.log(c)[group] * rows.zeros[folded, None])
    grown[folded] = shrunk * own
    above[folded] += (c / (1 - c))[group] * (1 - shrunk) * own
    return (grown, above, still, factor), folded


def _loop(r: Floats, w: Floats, steps: tuple[Floats, Floats, Floats, Floats], bounds: list[int]) -> None:
    """Turn, in place, cⁿ·L into R after each row, cⁿ into W before its observation, and L into W after it."""
    grown, above, still, factor = steps
    for low, high in pairwise(bounds):
        size = high - low
        before, after, rs = still[low:high], factor[low:high], grown[low:high]
        rs *= r[:size]
        rs += above[low:high]
        before *= w[:size]
        np.maximum(before, 1, out=before)
        after *= before
        np.maximum(after, 1, out=after)
        r, w = rs, after
