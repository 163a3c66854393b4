"""What conventional monitoring would have seen of the same traffic: latency, errors, cost and tokens, with static thresholds.

Rules as in SRE practice: the mean of a quarter of an hour against three standard errors of a healthy baseline, and the
multi-window burn rate (1 h and 5 min) of an availability objective. Both are put on one scale on which `ALARM` = 3 is the usual
threshold, so that a scorecard can also choose the threshold that keeps a given budget of false alarms.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.clock import NS_PER_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ALARM = 3.0
BASELINE_SHARE = 0.4
"""The thresholds are set on this first share of the period; no planned drill breaks anything so early."""
WINDOW_NS = 900 * NS_PER_S
STEP_NS = 300 * NS_PER_S
HOUR_NS = 3600 * NS_PER_S
FEWEST = 5
"""A window with fewer requests is not judged."""
OBJECTIVE = 0.99
PAGE_BURN = 14.4
"""Burn rate that pages: 2 % of a month's error budget in an hour (The Site Reliability Workbook, chapter 5)."""


class Sample(msgspec.Struct, frozen=True):
    """One request as a metrics backend sees it: when it ended, ms, whether it failed, USD and tokens."""

    time_ns: int
    latency: float
    error: float
    cost: float
    tokens: float


class Reading(msgspec.Struct, frozen=True):
    """The strongest deviation of any rule at a time, on the scale of `ALARM`, and which rule it was."""

    time_ns: int
    value: float
    rule: str


def readings(samples: Sequence[Sample], start_ns: int, end_ns: int) -> list[Reading]:
    """What the rules said every five minutes after the baseline, in order of time."""
    if not samples:
        return []
    ordered = sorted(samples, key=lambda s: s.time_ns)
    times = np.array([s.time_ns for s in ordered], dtype=np.int64)
    columns = {
        "latency": np.log1p([s.latency for s in ordered]),
        "error": np.array([s.error for s in ordered]),
        "cost": np.log1p([s.cost * 1e6 for s in ordered]),
        "tokens": np.log1p([s.tokens for s in ordered]),
    }
    warm = start_ns + int(BASELINE_SHARE * (end_ns - start_ns))
    known = int(np.searchsorted(times, warm))
    if known < FEWEST:
        return []
    said = []
    for now in range(warm + STEP_NS, end_ns + STEP_NS, STEP_NS):
        found = [(_sigmas(columns[name], _window(times, now, WINDOW_NS), known), name) for name in columns]
        found.append((_burn(columns["error"], times, now), "burn rate"))
        value, rule = max(found)
        said.append(Reading(now, value, rule))
    return said


def _window(times: Ints, now: int, length: int) -> slice:
    low, high = np.searchsorted(times, [now - length, now])
    return slice(int(low), int(high))


def _sigmas(values: Floats, window: slice, known: int) -> float:
    recent, before = values[window], values[:known]
    if recent.size < FEWEST:
        return 0.0
    spread = max(float(before.std()), 1e-3) / np.sqrt(recent.size)
    return float((recent.mean() - before.mean()) / spread)


def _burn(errors: Floats, times: Ints, now: int) -> float:
    shares = []
    for length in (HOUR_NS, STEP_NS):
        recent = errors[_window(times, now, length)]
        if recent.size < FEWEST:
            return 0.0
        shares.append(float(recent.mean()))
    return ALARM * min(shares) / (1 - OBJECTIVE) / PAGE_BURN
