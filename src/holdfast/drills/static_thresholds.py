"""What static thresholds on the same scores would have seen: one number a metric for all applications, on half-hour means.

It is what a dashboard with alert rules does: no segments, no baselines, no seasons.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from holdfast.core.clock import NS_PER_S
from holdfast.core.score import Direction, Metric, Unit
from holdfast.core.trace import ScoredTrace

WINDOW_NS = 1800 * NS_PER_S
FEWEST = 20
"""A window with fewer scores of a metric is not judged."""
SHARES = tuple(share / 20 for share in range(10, 61))
"""Thresholds are tried at these multiples of the highest value that a metric had while nothing was broken."""


class WindowMean(msgspec.Struct, frozen=True):
    """Mean of a metric over the window that ended at `time_ns`."""

    time_ns: int
    metric: str
    value: float


class WindowMeans:
    """Gathers scores of rates of failure into windows. `metrics`: definitions by name; others are passed over."""

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        self._watched = {
            name for name, m in metrics.items() if m.unit is Unit.PROBABILITY and m.direction is Direction.UP_IS_WORSE
        }
        self._sums: dict[tuple[int, str], tuple[int, float]] = {}

    def add(self, scored: Sequence[ScoredTrace]) -> None:
        """Take the scores of traces, at the time at which each trace ended."""
        for item in scored:
            window = item.trace.end_ns // WINDOW_NS
            for score in item.scores:
                if score.metric in self._watched:
                    count, total = self._sums.get((window, score.metric), (0, 0.0))
                    self._sums[window, score.metric] = count + 1, total + score.value

    def means(self) -> list[WindowMean]:
        """Every window with enough scores, in order of time."""
        return [
            WindowMean((window + 1) * WINDOW_NS, metric, total / count)
            for (window, metric), (count, total) in sorted(self._sums.items())
            if count >= FEWEST
        ]


def peaks(means: Iterable[WindowMean]) -> dict[str, float]:
    """The highest mean of each metric."""
    highest: dict[str, float] = {}
    for mean in means:
        highest[mean.metric] = max(mean.value, highest.get(mean.metric, 0.0))
    return highest


def thresholds(quiet: Sequence[Mapping[str, float]], allowed: int) -> dict[str, float]:
    """The lowest thresholds at which no more than `allowed` of the quiet periods (peaks of each) would have alarmed.

    Each period is judged by thresholds that the others set: with a threshold a metric, its own would always fit.
    """
    first, second = dict[str, float](), dict[str, float]()
    for period in quiet:
        for metric, value in period.items():
            high = first.get(metric, 0.0)
            first[metric], second[metric] = max(high, value), max(second.get(metric, 0.0), min(high, value))
    for share in SHARES:
        others = [{m: share * (second[m] if v == first[m] else first[m]) for m, v in period.items()} for period in quiet]
        if sum(exceeds(period, limits) for period, limits in zip(quiet, others, strict=True)) <= allowed:
            break
    return {metric: share * value for metric, value in first.items()}


def exceeds(period: Mapping[str, float], limits: Mapping[str, float]) -> bool:
    """Whether any metric went over its threshold; one that was never seen in quiet times has none."""
    return any(value > limits.get(metric, 1.0) for metric, value in period.items())
