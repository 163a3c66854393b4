"""The false-alarm budget: how it is divided over streams, and what of it was spent."""

import msgspec

from holdfast.detect.policy import DetectPolicy

NS_PER_DAY = 86_400 * 1_000_000_000
FEWEST_A_DAY = 100.0


class BudgetReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the installation may spend and what it has spent.

    `spent` is an upper bound of the expected number of false alarms so far, the sum over streams of calls ÷ threshold;
    `alarms` the number of signals that sequential detectors raised, right or wrong.
    """

    per_day: float
    spent: float
    alarms: int
    app_streams: int
    segment_streams: int


def daily_calls(calls: float, first_ns: float, last_ns: float) -> float:
    """Calls a day of a stream. Its first day counts as one day: budget is spent on what was seen, not on an extrapolation."""
    days = max((last_ns - first_ns) / NS_PER_DAY, 1.0)
    return max(calls / days, FEWEST_A_DAY)


def stream_budget(streams: int, share: float, policy: DetectPolicy) -> float:
    """False alarms a day of one of `streams` that have `share` of the budget together."""
    return policy.false_alarms_per_day * share / max(streams, 1)


def head_start(threshold: float, streams: int, changes_today: int, policy: DetectPolicy) -> float:
    """Evidence that a stream is given at a change.

    Starting R at r makes the chance of a false alarm by the change at most r ÷ threshold: the change's share of the budget,
    divided over changes and streams, says what r may be.
    """
    changes = max(policy.changes_per_day, changes_today)
    return threshold * policy.false_alarms_per_day * policy.change_share / (changes * max(streams, 1))
