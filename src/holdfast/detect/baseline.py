"""Baselines: how high the mean of a bounded score may be before it is worse than normal."""

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SPARED = 0.4
HIGHEST = 0.9999
ENOUGH, SHARPEST = 60.0, 8.0

WEAKEST, STRONGEST = 20.0, 2000.0
"""Range of the strength of a prior, in calls."""


def upper_bound(mean: Floats, strength: Floats, total: Floats, calls: Floats, quantile: Floats) -> Floats:
    """Quantile of the beta posterior of a mean.

    Prior: beta with `mean` in [0, 1] and `strength` in calls; data: `calls` observations in [0, 1] that sum to `total`. For
    scores that are not 0/1 the posterior is wider than it need be, never narrower.
    """
    a = np.maximum(mean * strength + total, 0.05)
    b = np.maximum((1 - mean) * strength + calls - total, 0.05)
    return np.asarray(betaincinv(a, b, quantile), dtype=np.float64)


def null_mean(mean: Floats, upper: Floats, margin: Floats, floor: Floats) -> Floats:
    """The largest mean that still counts as normal, in (0, 1).

    How much worse than normal a stream must be (`margin`) and how well normal is known (`upper` ÷ `mean`) are independent,
    so their logarithms add in quadrature: the product of both would ask for two pieces of bad luck at once. At least `upper`,
    and at least `floor` over the mean. A mean that is high anyway cannot be multiplied: losing `SPARED` of what was right is
    never normal.
    """
    known = np.maximum(mean, 1e-6)
    doubt = np.log(np.maximum(upper, known) / known)
    together = known * np.exp(np.sqrt(np.log(margin) ** 2 + doubt**2))
    together = np.minimum(together, mean + SPARED * (1 - mean))
    return np.asarray(np.clip(np.maximum(np.maximum(together, upper), mean + floor), 1e-4, HIGHEST), np.float64)


def sharpness(calls: Floats, total: Floats, squares: Floats) -> Floats:
    """How many 0/1 observations one of these scores is worth for knowing their mean, in 1..8: m·(1 − m) ÷ variance.

    `calls`, `total`, `squares` are n, Σx and Σx². Of fewer than 60 calls nothing is said.
    """
    n = np.maximum(calls, 1.0)
    mean = total / n
    variance = np.maximum(squares / n - mean**2, 1e-4)
    return np.where(calls >= ENOUGH, np.clip(mean * (1 - mean) / variance, 1.0, SHARPEST), 1.0)


def sibling_strengths(group: Ints, calls: Floats, total: Floats, squares: Floats) -> Floats:
    """Strength of the beta prior that the siblings of each of G groups suggest, by the method of moments; 0: they cannot say.

    `calls`, `total`, `squares` are n, Σx and Σx² of each sibling, `group` its group, 0..G − 1. Fewer than two with enough calls
    say nothing. Siblings that differ a lot give a weak prior, and so a wide bound for one that is new.
    """
    groups = int(group.max(initial=-1)) + 1
    enough = calls >= ENOUGH
    group, n, total, squares = group[enough], calls[enough], total[enough], squares[enough]

    def summed(values: Floats) -> Floats:
        return np.asarray(np.bincount(group, weights=values, minlength=groups), np.float64)

    means = total / n
    within = np.maximum(squares / n - means**2, 0.0)
    everyone = np.maximum(summed(n), 1.0)
    mean = summed(total) / everyone
    spread = summed(n * (means - mean[group]) ** 2) - summed(within * (1 - n / everyone[group]))
    between = spread / np.maximum(everyone - summed(n**2) / everyone, 1.0)
    apart = np.clip(mean * (1 - mean) / np.where(between > 0, between, 1.0) - 1, WEAKEST, STRONGEST)
    told = np.bincount(group, minlength=groups) >= 2
    return np.where(told, np.where(between > 0, apart, STRONGEST), 0.0)
