"""The false-alarm budget: how it is divided over streams, and what of it was spent."""

from typing import NamedTuple

import msgspec

from holdfast.detect.policy import DetectPolicy

NS_PER_DAY = 86_400 * 1_000_000_000
FEWEST_A_DAY = 100.0


class Spent(NamedTuple):
    """Bounds of the expected number of false alarms, each a sum of calls ÷ threshold in force, or of head starts ÷ threshold.

    `first_day`: by streams in the first day of their lives; `later`: after it; `changes`: by head starts at changes.
    """

    first_day: float = 0.0
    later: float = 0.0
    changes: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.first_day + self.later + self.changes

    def plus(self, more: "Spent") -> "Spent":
        """Both together."""
        return Spent(self.first_day + more.first_day, self.later + more.later, self.changes + more.changes)


class BudgetReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the installation may spend and what it has spent.

    `spent` is an upper bound of the expected number of false alarms so far; `alarms` the number of signals that sequential
    detectors raised, right or wrong.

    `per_day` holds from the second day of a stream on. In the first, its threshold grows with the calls that it has seen, for
    nobody knows what a day will bring, and to be safe against the busiest one would make a young installation blind. That
    spends, once, its budget of a day times the logarithm of calls in that day ÷ calls that it learnt from. `bench.detect` shows
    both: at 5,200 healthy calls a day 0.51 in the first day and 0.14 a day after it, of 0.2.

    Why calls ÷ threshold bounds the false alarms: under health E[R] grows by at most 1 a call, and Chow's inequality (1960)
    sums these steps, each divided by the threshold then in force, as long as thresholds do not fall.
    """

    per_day: float
    spent: Spent
    alarms: int
    app_streams: int
    segment_streams: int


def daily_calls(calls: float, first_ns: float, last_ns: float) -> float:
    """Calls a day of a stream. Its first day counts as one day: budget is spent on what was seen, not on an extrapolation."""
    days = max((last_ns - first_ns) / NS_PER_DAY, 1.0)
    return max(calls / days, FEWEST_A_DAY)


def stream_budget(streams: float, share: float, policy: DetectPolicy) -> float:
    """False alarms a day of one of `streams` that have `share` of the budget together; `streams` is the sum of their weights.

    Any weights keep the sum (Genovese, Roeder & Wasserman 2006, of p-values): they say where a fault is looked for first.
    """
    return policy.false_alarms_per_day * share / max(streams, 1)


def head_start(threshold: float, streams: float, changes_today: int, policy: DetectPolicy) -> float:
    """Evidence that a stream is given at a change.

    Starting R at r makes the chance of a false alarm by the change at most r ÷ threshold: the change's share of the budget,
    divided over changes and streams, says what r may be.
    """
    changes = max(policy.changes_per_day, changes_today)
    return threshold * policy.false_alarms_per_day * policy.change_share / (changes * max(streams, 1))
