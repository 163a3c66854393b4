"""Objectives: what share of an application's calls must be good over a period, and how fast the rest is being used up.

Multi-window, multi-burn-rate alerts as in The Site Reliability Workbook (Beyer et al. 2018), chapter 5, "Alerting on SLOs".
A burn rate is the share of bad calls ÷ the share that the objective allows: at 1 the budget lasts exactly for the period.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import ConfigurationError
from holdfast.core.score import Direction, Metric, Unit

Floats = npt.NDArray[np.float64]

MINUTE_NS, HOUR_NS = 60 * NS_PER_S, 3600 * NS_PER_S
DAY_H = 24
LEAST_LEFT = 0.005


class Pair(NamedTuple):
    """Burn at `rate` over the last `long_min` minutes, still so over the last `short_min`: then there is an alarm."""

    rate: float
    long_min: int
    short_min: int

    def __str__(self) -> str:
        """Such as ``×14.4 over 1 h and 5 min``."""
        return f"×{self.rate:g} over {_length(self.long_min)} and {_length(self.short_min)}"


PAIRS = (Pair(14.4, 60, 5), Pair(6.0, 360, 30), Pair(1.0, 4320, 360))
"""Fastest first. Of a budget of 30 days they have used 2 % in 1 h, 5 % in 6 h, 10 % in 3 d when they alarm."""


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """A promise about a metric.

    Args:
        name: what people call it.
        metric: what it is about.
        share: of the calls, so much must be good, in [0.5, 1).
        bad_from: value, in the metric's unit, from which a call is bad (down to which, where low values are worse). None: the
            metric is the probability that the call failed, and the sum of them is the number of bad ones.
        days: length of the period.
        service: application that it holds for; empty for each of them.
        where: at most one dimension with its value, for one segment only.

    Raises:
        ConfigurationError: a value out of its range; names the key.
    """

    name: str
    metric: str
    share: float
    bad_from: float | None = None
    days: float = 30.0
    service: str = ""
    where: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse what cannot be kept or cannot be counted."""
        key = f"objectives.{self.name}"
        if not 0.5 <= self.share < 1:
            raise ConfigurationError(f"{key}.share must lie in [0.5, 1): without bad calls there is no budget")
        if not 1 <= self.days <= 90:
            raise ConfigurationError(f"{key}.days must lie in 1..90")
        if len(self.where) > 1:
            raise ConfigurationError(f"{key}.where may name one dimension")

    @property
    def allowed(self) -> float:
        """Share of bad calls that the promise leaves room for."""
        return 1 - self.share

    def check(self, metrics: Mapping[str, Metric]) -> None:
        """Refuse a metric that cannot be counted.

        Raises:
            ConfigurationError: nobody defines the metric, or it is an amount and `bad_from` is missing.
        """
        metric, key = metrics.get(self.metric), f"objectives.{self.name}"
        if metric is None:
            raise ConfigurationError(f"{key}.metric: no metric {self.metric!r}")
        if self.bad_from is None and (metric.unit is not Unit.PROBABILITY or metric.direction is Direction.DOWN_IS_WORSE):
            raise ConfigurationError(f"{key}.bad_from: needed, because {self.metric} is no probability of a failure")

    def bad(self, values: Floats, metric: Metric) -> Floats:
        """How bad each value (N) is, in [0, 1]."""
        if self.bad_from is None:
            return np.clip(values, 0.0, 1.0)
        low = metric.direction is Direction.DOWN_IS_WORSE
        return np.asarray(values <= self.bad_from if low else values >= self.bad_from, np.float64)


class Count(NamedTuple):
    """Calls of a stretch of time, how many of them were bad, and the sum of their values in the metric's unit."""

    calls: float
    bad: float
    total: float

    def burn(self, allowed: float) -> float:
        """Burn rate; 0 without calls."""
        return self.bad / self.calls / allowed if self.calls else 0.0

    def less(self, other: "Count") -> "Count":
        """Those of a stretch without those of a part of it."""
        return Count(self.calls - other.calls, self.bad - other.bad, self.total - other.total)

    def certainty(self, allowed: float) -> float:
        """Ln of the likelihood ratio that more than `allowed` is bad (n · KL), 0 where no more is: in nats."""
        if self.calls <= 0 or self.bad <= allowed * self.calls:
            return 0.0
        share = min(self.bad / self.calls, 1.0)
        return float(self.calls * (rel_entr(share, allowed) + rel_entr(1 - share, 1 - allowed)))


class Bins:
    """Counts in bins of equal width, the last `size` of them."""

    def __init__(self, size: int) -> None:
        self._number = np.full(size, -1, np.int64)
        self._counts = np.zeros((size, 3))

    def add(self, number: int, count: Count) -> None:
        """Add to bin `number` (≥ 0), which is not older than `size` bins."""
        at = number % len(self._number)
        if self._number[at] != number:
            self._number[at], self._counts[at] = number, 0.0
        self._counts[at] += count

    def last(self, number: int, bins: int) -> Count:
        """What is in the `bins` bins that end with bin `number`."""
        return Count(*self._counts[(self._number > number - bins) & (self._number <= number)].sum(axis=0).tolist())

    def onset(self, number: int, bins: int, level: float) -> int:
        """The bin from which on, up to bin `number`, most more was bad than `level` of the calls: where the excess began."""
        there = np.flatnonzero((self._number > number - bins) & (self._number <= number))
        there = there[np.argsort(-self._number[there])]
        if not len(there):
            return number
        excess = np.cumsum(self._counts[there, 1] - level * self._counts[there, 0])
        return int(self._number[there[int(np.argmax(excess))]])

    def state(self) -> tuple[bytes, bytes]:
        """For a snapshot."""
        return self._number.tobytes(), self._counts.tobytes()

    def load(self, state: tuple[bytes, bytes]) -> None:
        """Take over what `state` gave, as far back as this one reaches."""
        numbers, counts = np.frombuffer(state[0], np.int64), np.frombuffer(state[1], np.float64).reshape(-1, 3)
        for at in np.argsort(numbers).tolist():
            if numbers[at] >= 0:
                self.add(int(numbers[at]), Count(*counts[at].tolist()))


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of an objective's budget.

    `left` is the share of the period's budget, below 0 where more was used than there was; `known_days` how much of the period
    was seen. While that is less than all of it, the budget is what the traffic so far would make of the period.
    `days_to_go` is how long it lasts at the present burn rate, infinite where nothing is used.
    """

    left: float
    known_days: float
    days_to_go: float

    def __str__(self) -> str:
        """Such as ``62 % of the budget is left, for 3.1 days at this rate``."""
        if self.left < LEAST_LEFT:
            return f"the budget is used up, {-self.left:.0%} over" if self.left <= -LEAST_LEFT else "the budget is used up"
        lasts = f", for {_days(self.days_to_go)} at this rate" if math.isfinite(self.days_to_go) else ""
        return f"{self.left:.0%} of the budget is left{lasts}"


class TallyState(msgspec.Struct):
    """What of a tally must survive a restart."""

    began: int
    minutes: tuple[bytes, bytes]
    hours: tuple[bytes, bytes]


class Tally:
    """The calls of one objective in one segment: minutes of the last six hours, hours of the period."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.began = -1
        self._minutes = Bins(PAIRS[-1].short_min + 1)
        self._hours = Bins(max(math.ceil(objective.days * DAY_H), PAIRS[-1].long_min // 60) + 1)

    def add(self, minute: int, count: Count) -> None:
        """Count calls of a minute, which is no older than the last one unless the clock was set back."""
        self.began = minute if self.began < 0 else min(self.began, minute)
        self._minutes.add(minute, count)
        self._hours.add(minute // 60, count)

    def period(self, minute: int) -> Count:
        """Calls of the objective's period that ends with this minute."""
        return self._hours.last(minute // 60, math.ceil(self.objective.days * DAY_H))

    def last(self, minute: int, minutes: int) -> Count:
        """Calls of the `minutes` minutes that end with this one; beyond six hours to the hour."""
        if minutes <= PAIRS[-1].short_min:
            return self._minutes.last(minute, minutes)
        return self._hours.last(minute // 60, math.ceil(minutes / 60))

    def onset_ns(self, minute: int, pair: Pair) -> int:
        """Where the burn began that this pair of windows sees at the end of this minute."""
        allowed = self.objective.allowed
        level = allowed * math.sqrt(max(self.last(minute, pair.long_min).burn(allowed), 1.0))
        if pair.long_min <= PAIRS[-1].short_min:
            return self._minutes.onset(minute, pair.long_min, level) * MINUTE_NS
        return self._hours.onset(minute // 60, pair.long_min // 60, level) * HOUR_NS

    def budget(self, minute: int, burn: float) -> Budget:
        """What is left at the end of this minute, and how long it lasts at this burn rate."""
        seen = self.period(minute)
        known = min(max((minute - self.began + 1) / (60 * DAY_H), 1 / DAY_H), self.objective.days)
        budget = self.objective.allowed * seen.calls * self.objective.days / known
        left = 1 - seen.bad / budget if budget > 0 else 1.0
        return Budget(left=left, known_days=known, days_to_go=left * self.objective.days / burn if burn > 0 else math.inf)

    def full(self, minute: int, pair: Pair) -> bool:
        """Whether the long window that ends with this minute was seen from its beginning."""
        return minute - self.began + 1 >= pair.long_min

    def state(self) -> TallyState:
        """For a snapshot."""
        return TallyState(self.began, self._minutes.state(), self._hours.state())

    def load(self, state: TallyState) -> None:
        """Take over what `state` gave; counts of another length of period do not fit, and are left out."""
        self.began = state.began
        self._minutes.load(state.minutes)
        self._hours.load(state.hours)


def _length(minutes: int) -> str:
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (60 * DAY_H)} d"


def _days(days: float) -> str:
    return f"{days:.1f} days" if days >= 2 else f"{24 * days:.1f} h"
