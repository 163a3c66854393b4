"""Baselines: how high the mean of a bounded score may be before it is worse than normal."""

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

Floats = npt.NDArray[np.float64]

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


def sibling_strength(calls: Floats, total: Floats, squares: Floats) -> float:
    """Strength of the beta prior that siblings suggest, by the method of moments; 0 where fewer than two can say.

    `calls`, `total`, `squares` are n, Σx and Σx² of each sibling. Siblings that differ a lot give a weak prior, and so a
    wide bound for one that is new.
    """
    enough = calls >= ENOUGH
    if int(enough.sum()) < 2:
        return 0.0
    n, means = calls[enough], total[enough] / calls[enough]
    within = np.maximum(squares[enough] / n - means**2, 0.0)
    everyone = n.sum()
    mean = float((means * n).sum() / everyone)
    spread = float((n * (means - mean) ** 2).sum() - (within * (1 - n / everyone)).sum())
    between = spread / float(everyone - (n**2).sum() / everyone)
    if between <= 0:
        return STRONGEST
    return float(np.clip(mean * (1 - mean) / between - 1, WEAKEST, STRONGEST))
