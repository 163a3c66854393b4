"""Figures with their uncertainty: proportions, means over clustered drills, rates of rare events, calibration."""

from collections.abc import Callable, Sequence
from statistics import NormalDist

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 1000
CALIBRATION_BINS = 15
FEWEST_A_BIN = 10


class Figure(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval, from `count` observations; None where there is no observation."""

    value: float | None
    low: float | None
    high: float | None
    count: int


NOTHING = Figure(None, None, None, 0)


def wilson(successes: float, count: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22)."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    share = successes / count
    middle = share + z * z / (2 * count)
    half = z * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)))
    scale = 1 + z * z / count
    return max((middle - half) / scale, 0.0), min((middle + half) / scale, 1.0)


def proportion(values: Sequence[bool], clusters: Sequence[str]) -> Figure:
    """Share of true values. Drills of one fault resemble each other, so whole faults are resampled; where each fault is there
    once, or resampling shows no spread, the interval is Wilson's with the number of faults as its sample size.
    """
    if not values:
        return NOTHING
    share, groups = float(np.mean(values)), len(set(clusters))
    low, high = _resampled(np.asarray(values, dtype=np.float64), clusters, np.mean)
    if groups == len(values) or groups < 2 or low == high:
        size = groups if groups > 1 else len(values)
        low, high = wilson(share * size, size)
    return Figure(share, low, high, len(values))


def average(values: Sequence[float], clusters: Sequence[str]) -> Figure:
    """Mean, with whole faults resampled."""
    if not values:
        return NOTHING
    low, high = _resampled(np.asarray(values, dtype=np.float64), clusters, np.mean)
    return Figure(float(np.mean(values)), low, high, len(values))


def middle(values: Sequence[float], clusters: Sequence[str]) -> Figure:
    """Median, with whole faults resampled."""
    if not values:
        return NOTHING
    low, high = _resampled(np.asarray(values, dtype=np.float64), clusters, np.median)
    return Figure(float(np.median(values)), low, high, len(values))


def rate(events: int, exposure: float) -> Figure:
    """Events per unit of exposure with the exact Poisson interval (Garwood 1936, Biometrika 28)."""
    if exposure <= 0:
        return NOTHING
    tail = (1 - LEVEL) / 2
    low = float(chi2.ppf(tail, 2 * events)) / 2 if events else 0.0
    high = float(chi2.ppf(1 - tail, 2 * (events + 1))) / 2
    return Figure(events / exposure, low / exposure, high / exposure, events)


def brier(confidence: Sequence[float], right: Sequence[bool], clusters: Sequence[str]) -> Figure:
    """Mean squared distance between confidence and truth, 0 best."""
    return average([(c - float(r)) ** 2 for c, r in zip(confidence, right, strict=True)], clusters)


class Bin(msgspec.Struct, frozen=True):
    """One bin of a reliability plot."""

    confidence: float
    right: float
    count: int


def reliability(confidence: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    """Bins of equal mass, in order of confidence: at most 15, each of at least ten diagnoses where there are so many."""
    if not confidence:
        return []
    sure, true = np.asarray(confidence), np.asarray(right, dtype=np.float64)
    bins = int(np.clip(sure.size // FEWEST_A_BIN, 1, CALIBRATION_BINS))
    parts = np.array_split(np.argsort(sure, kind="stable"), bins)
    return [Bin(float(sure[p].mean()), float(true[p].mean()), int(p.size)) for p in parts]


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error over the bins (Naeini et al. 2015); None without any."""
    total = sum(b.count for b in bins)
    return sum(b.count * abs(b.confidence - b.right) for b in bins) / total if total else None


def _resampled(values: Floats, clusters: Sequence[str], statistic: Callable[[Floats], np.floating]) -> tuple[float, float]:
    """Percentiles of the statistic when whole clusters are drawn with replacement."""
    random = np.random.default_rng(0)
    names = sorted(set(clusters))
    of = np.asarray(clusters)
    groups = [values[of == name] for name in names]
    drawn = [
        float(statistic(np.concatenate([groups[i] for i in random.integers(0, len(groups), len(groups))])))
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
