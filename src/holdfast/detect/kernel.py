"""The SR-mixture e-detector over many streams at once (Shin, Ramdas & Rinaldo, "E-detectors"; Shiryaev–Roberts form).

For an observation x in [0, 1], a null mean m and alternatives ρ·m the bets are L = 1 + λ(x − m), and R ← (1 + R)·L.
Under "the conditional mean is at most m" the mean over ρ of R, less the number of observations, is a supermartingale, so
the expected time to a false alarm is at least the threshold, whatever the distribution and the dependence. Beside it runs
a CUSUM, W ← max(W, 1)·L: where it was last at or below 1 is the estimate of the onset.

The loop is over positions, and each step updates every stream that has an observation at that position: the result does
not depend on how observations were cut into batches.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RATIOS: Floats = np.array([1.3, 1.7, 2.5, 4.0, 8.0, 20.0])
"""Alternatives ρ: multiples of the null mean that are bet on, each with the same weight."""

WEIGHT = 1.0 / len(RATIOS)


class Layout(NamedTuple):
    """Observations ordered for the loop: by position within their stream, and by falling length of stream within a position.

    `groups` are the stream ids, G of them, longest first; `at` (N) says which observation stands in a row, `group` (N) whose
    it is; row range of position p is `offsets[p]:offsets[p + 1]`, and holds exactly the groups 0..that length.
    """

    groups: Ints
    at: Ints
    group: Ints
    position: Ints
    offsets: Ints


def layout(stream: Ints) -> Layout:
    """Order N ≥ 1 observations, given the stream of each, keeping their order within a stream."""
    n = len(stream)
    order = np.argsort(stream, kind="stable")
    ordered = stream[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    counts = np.diff(np.append(starts, n))
    longest_first = np.argsort(-counts, kind="stable")
    rank = np.empty(len(counts), np.int64)
    rank[longest_first] = np.arange(len(counts))
    position = np.arange(n) - np.repeat(starts, counts)
    group = np.repeat(rank, counts)
    longer = len(counts) - np.cumsum(np.bincount(counts))[:-1]
    offsets = np.concatenate(([0], np.cumsum(longer)))
    row = offsets[position] + group
    at, group_of, position_of = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    at[row], group_of[row], position_of[row] = order, group, position
    return Layout(ordered[starts][longest_first], at, group_of, position_of, offsets)


def stakes(null: Floats) -> Floats:
    """What is bet, shape N × K, against null means in (0, 1): λ of the betting factors 1 + λ(x − m).

    A bet never risks more than nine tenths, so the factors are at least 0.1 also where ρ·m exceeds 1.
    """
    return np.asarray(np.minimum((RATIOS - 1) / (1 - null)[:, None], 0.9 / null[:, None]), np.float64)


def bets(x: Floats, null: Floats, stake: Floats) -> Floats:
    """Betting factors L, shape N × K, of observations x in [0, 1] against null means, with the stakes against them."""
    factors = stake * (x - null)[:, None]
    factors += 1
    return factors


class Run(NamedTuple):
    """What the loop leaves.

    R and W at the end (G × K), M after each row (N), and the position at which W was last at or below 1 (G × K, −1: never).
    """

    evidence: Floats
    cusum: Floats
    mixture: Floats
    zero: Ints


def run(evidence: Floats, cusum: Floats, factors: Floats, offsets: Ints) -> Run:
    """Run the recursion from R and W (G × K, in the order of the layout's groups) over factors in row order (N × K)."""
    r, w = evidence.copy(), cusum.copy()
    zero = np.full(r.shape, -1, np.int64)
    history = np.empty_like(factors)
    bounds = offsets.tolist()
    for position in range(len(bounds) - 1):
        low, high = bounds[position], bounds[position + 1]
        size = high - low
        factor = factors[low:high]
        rs, ws = r[:size], w[:size]
        rs += 1
        rs *= factor
        history[low:high] = rs
        np.maximum(ws, 1, out=ws)
        ws *= factor
        np.copyto(zero[:size], position, where=ws <= 1)
    return Run(r, w, history.mean(axis=1), zero)
