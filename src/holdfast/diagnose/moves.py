"""How far every metric moved inside the cohort since onset, against the same cohort before and everyone else now."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from holdfast.core.score import Metric
from holdfast.diagnose.badness import is_rate, rank
from holdfast.diagnose.frame import Bools, Column, Floats, Frame

LEAST_CALLS = 8
LEAST_REFERENCE = 30
SIGNIFICANT = 3.3
"""Standard errors: a few dozen metrics are looked at."""
LEAST_RATE_CHANGE = 0.01
LEAST_RANK_CHANGE = 0.06
STRONG_RANK_CHANGE = 0.22
SETTINGS = frozenset({"temperature", "max_tokens", "tools_offered"})
"""Metrics that tell what somebody set. That everybody else got the same setting does not make it any less new."""
ARRIVED_SHARE = 0.1
"""A cohort is new traffic when no more than this share of its calls since onset, by volume, were there before."""
STRONG_SHARE = 0.4
"""A rate moved strongly when it did so by this share of the one that moved most."""


class Step(IntEnum):
    """What a metric did, in five bins."""

    FALL = 0
    DIP = 1
    FLAT = 2
    RISE = 3
    SURGE = 4


@dataclass(frozen=True)
class Move:
    """One metric inside the cohort.

    `change` is in probability for rates, else in mean rank (0.5 = the whole distribution); `error` is its standard error.
    `before` and `since` are in the metric's own unit: means of rates, medians of what is compared by ranks, because a few huge
    values may move a mean against all others. `nats` is how surprising the observed values are.
    """

    metric: str
    rate: bool
    change: float
    error: float
    before: float
    since: float
    calls: int
    nats: float

    @property
    def z(self) -> float:
        """The change in standard errors."""
        return self.change / self.error if self.error > 0 else 0.0

    @property
    def significant(self) -> bool:
        """Whether it moved, by more than chance and by enough to matter."""
        least = LEAST_RATE_CHANGE if self.rate else LEAST_RANK_CHANGE
        return abs(self.z) >= SIGNIFICANT and abs(self.change) >= least


def arrived(frame: Frame, inside: Bools) -> bool:
    """Whether a cohort came with the onset, or about then: hardly any of the calls that it would have had before were there."""
    since, before = int(frame.after.sum()), int((~frame.after).sum())
    expected = int((inside & frame.after).sum()) * before / max(since, 1)
    return expected >= LEAST_REFERENCE and int((inside & ~frame.after).sum()) <= ARRIVED_SHARE * expected


def reference(frame: Frame, inside: Bools, replaced: str = "", conditions: Mapping[str, str] | None = None) -> Floats:
    """Weight of each call as a healthy comparison for the cohort (length: calls; 0 since onset).

    The cohort's own calls from before, where there are enough; else everybody's, in the cohort's mix of routes, because a new
    value of a dimension (`replaced` names it) has no past of its own. It replaced another value, so that only calls that had one
    compare with it: a new index with calls that searched.

    Nothing compares with a language that arrived (`conditions` are those of the cohort): scorers see each language differently,
    and what differs may be nothing but the language.
    """
    if conditions and "language" in conditions and arrived(frame, inside):
        return np.zeros(len(frame))
    before = ~frame.after & ~inside & frame.carries(replaced) if replaced else ~frame.after
    if not replaced and int((before & inside).sum()) >= LEAST_REFERENCE:
        return np.asarray(before & inside, dtype=np.float64)
    cohort = inside & frame.after
    weight = np.zeros(len(frame))
    for condition in frame.conditions:
        mask = frame.mask(condition)
        if condition[0] == "route" and cohort.any() and (mask & before).any():
            weight[mask & before] += float(mask[cohort].mean()) / float((mask & before).sum())
    if float(weight.sum()) < 0.5:
        return np.asarray(before, dtype=np.float64)
    return np.asarray(weight / weight[weight > 0].mean(), dtype=np.float64)


def measure(frame: Frame, metrics: Mapping[str, Metric], inside: Bools, healthy: Floats) -> dict[str, Move]:
    """Every metric that was scored at least eight times inside the cohort since onset, and often enough before.

    Args:
        inside: which of the frame's calls are in the cohort.
        healthy: what to compare them with, from `reference`.
    """
    found = {}
    for name, column in frame.columns.items():
        move = measured(frame, column, metrics.get(name), inside, healthy)
        if move is not None:
            found[name] = move
    return found


def measured(frame: Frame, column: Column, known: Metric | None, inside: Bools, healthy: Floats) -> Move | None:
    """One column; None where too few calls have it, inside the cohort or to compare with."""
    since = frame.after[column.call]
    own = inside[column.call]
    x = column.value[since & own]
    weights = healthy[column.call]
    used = weights > 0
    if x.size < LEAST_CALLS or int(used.sum()) < LEAST_REFERENCE:
        return None
    old, weight = column.value[used], weights[used]
    rate = is_rate(column.metric, known, np.concatenate([old, x]))
    if rate:
        a, b = np.clip(x, 0, 1), np.clip(old, 0, 1)
    else:
        a, b = rank(x, old), rank(old, old)
    base = float(np.average(b, weights=weight))
    change = float(a.mean()) - base
    drift = 0.0 if column.metric in SETTINGS else _drift(column, rate, since & ~own, ~since & ~own)
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    pooled = max(float(a.var()), float(b.var()), 0.05 / x.size if rate else 1.0 / 12)
    error = float(np.sqrt(pooled / x.size + pooled / effective))
    if drift * change > 0:
        change = float(np.sign(change)) * max(abs(change) - abs(drift), 0.0)
    before = float(np.average(old, weights=weight) if rate else np.quantile(old, 0.5, weights=weight, method="inverted_cdf"))
    typical = float(x.mean() if rate else np.median(x))
    return Move(column.metric, rate, change, error, before, typical, int(x.size), _nats(a, base, rate))


def _drift(column: Column, rate: bool, since: Bools, before: Bools) -> float:
    """What everybody else's metric did at the same time, as far as it is more than chance; 0 where nobody else is there."""
    x, old = column.value[since], column.value[before]
    if min(x.size, old.size) < LEAST_REFERENCE:
        return 0.0
    a, b = (np.clip(x, 0, 1), np.clip(old, 0, 1)) if rate else (rank(x, old), rank(old, old))
    change = float(a.mean() - b.mean())
    error = float(np.sqrt(max(float(a.var()), float(b.var()), 1e-4) * (1 / a.size + 1 / b.size)))
    return change if abs(change) > 2 * error else 0.0


def _nats(a: Floats, base: float, rate: bool) -> float:
    if not rate:
        return float(a.size * 6.0 * (a.mean() - base) ** 2)
    o, e = float(a.sum()), max(base * a.size, 0.05)
    return max(o * float(np.log(max(o, 1e-9) / e)) - (o - e), 0.0) if o > e else e - o


def steps(moves: Mapping[str, Move]) -> dict[str, Step]:
    """The moves in bins.

    A metric that did not move significantly, but could have moved as much as the largest one without our seeing it, is left out.
    """
    rates = [m for m in moves.values() if m.rate and m.significant]
    largest = max((abs(m.change) for m in rates), default=0.1)
    loudest = max((m.nats for m in rates if m.change > 0), default=0.0)
    found = {}
    for name, move in moves.items():
        step = _step(move, largest, loudest)
        if step is not None:
            found[name] = step
    return found


def _step(move: Move, largest: float, loudest: float) -> Step | None:
    size = abs(move.change)
    if not move.significant:
        blind = (0.6 * largest if move.rate else 0.2) < 2 * move.error
        return None if blind else Step.FLAT
    if move.rate:
        strong = size >= STRONG_SHARE * largest or (move.change > 0 and move.nats >= STRONG_SHARE * loudest)
        strong = strong or (move.change < 0 and size >= 0.5 * move.before)
    else:
        strong = size >= STRONG_RANK_CHANGE
    if move.change > 0:
        return Step.SURGE if strong else Step.RISE
    return Step.FALL if strong else Step.DIP
