"""Scores of any unit as badness in [0, 1], so that flags, probabilities and milliseconds go through one scan."""

from dataclasses import dataclass

import numpy as np

from holdfast.core.clock import NS_PER_S
from holdfast.core.score import Direction, Metric, Unit
from holdfast.diagnose.cohort import Target
from holdfast.diagnose.expectation import fit
from holdfast.diagnose.frame import Bools, Column, Floats, Frame

LEAST_BASELINE = 30
GUARDED_ROWS = 300
MOST_GUARD_NS = 2 * 3600 * NS_PER_S


def is_rate(metric: str, known: Metric | None, values: Floats) -> bool:
    """Whether the values are probabilities of a failure rather than amounts."""
    if known is not None:
        return known.unit is Unit.PROBABILITY
    return bool(values.size == 0 or (values.min() >= 0.0 and values.max() <= 1.0)) and not metric.endswith("_score")


def rank(values: Floats, reference: Floats) -> Floats:
    """Mid-rank of each value in the reference, in [0, 1]; 0.5 is the reference's median."""
    if not reference.size:
        return np.full(values.size, 0.5)
    ordered = np.sort(reference)
    low, high = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((low + high) / (2.0 * ordered.size), dtype=np.float64)


def badness(column: Column, reference: Floats, known: Metric | None, falls: bool) -> Floats:
    """Badness of each row in [0, 1]: the probability itself, else the rank in the healthy reference; mirrored for falls."""
    rate = is_rate(column.metric, known, reference)
    value = np.clip(column.value, 0.0, 1.0) if rate else rank(column.value, reference)
    return 1.0 - value if falls else value


def falls(metric: Metric | None, baseline: float, observed: float) -> bool:
    """Whether it is the fall of this metric that is the failure."""
    if metric is not None and metric.direction is Direction.DOWN_IS_WORSE:
        return True
    if metric is not None and metric.direction is Direction.UP_IS_WORSE:
        return False
    return observed < baseline


@dataclass(frozen=True)
class Watched:
    """A metric's whole column as badness: `observed` and `expected` in health (n each); `dispersion` is variance over mean."""

    column: Column
    observed: Floats
    expected: Floats
    dispersion: float
    is_fall: bool = False

    def since(self, onset_ns: int) -> Target:
        """The rows from `onset_ns` on."""
        late = self.column.time_ns >= onset_ns
        return Target(self.column.metric, self.column.call[late], self.observed[late], self.expected[late], self.dispersion)


def _healthy(column: Column, onset_ns: int) -> Bools:
    """Rows to learn health from: those well before the onset, as alarms come late; all before it where few."""
    if not len(column):
        return np.zeros(0, dtype=np.bool_)
    guard = min(MOST_GUARD_NS, max(onset_ns - int(column.time_ns[0]), 0) // 4)
    early: Bools = column.time_ns < onset_ns - guard
    return early if int(early.sum()) >= GUARDED_ROWS else column.time_ns < onset_ns


def watch(frame: Frame, column: Column, known: Metric | None, is_fall: bool) -> Watched:
    """A metric against what its calls' dimensions let expect, learnt before the frame's onset.

    With fewer than 30 healthy rows the expectation is half of what was seen: enough to find who is worse, never to say how much.
    """
    before = _healthy(column, frame.onset_ns)
    reference = column.value[before]
    observed = badness(column, reference, known, is_fall)
    if reference.size < LEAST_BASELINE:
        expected = np.full(len(column), min(max(float(observed.mean()) / 2, 1e-3), 0.5))
        return Watched(column, observed, expected, 1.0, is_fall)
    healthy = observed[before]
    profiles, early = frame.profiles, frame.profiles.of_call[column.call[before]]
    calls = np.bincount(early, minlength=len(profiles)).astype(np.float64)
    bad = np.bincount(early, healthy, len(profiles))
    holding = profiles.holds @ calls
    used = profiles.holds[(holding >= 5) & (holding < early.size)].T.astype(np.float32)
    seen = calls > 0
    model = fit(used[seen], bad[seen] / calls[seen], calls[seen])
    expected = np.maximum(model(used), 1e-4)[profiles.of_call[column.call]]
    mean, variance = float(healthy.mean()), float(healthy.var())
    return Watched(column, observed, expected, min(max(variance / max(mean, 1e-6), 0.1), 1.0), is_fall)
