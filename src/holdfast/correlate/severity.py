"""Severity from harm, reach and rate, as one table.

| worst harm of its failures | usual | many users or bad calls, or a wide rate in the whole application |
|---|---|---|
| 3 safety, privacy, money | SEV2 | SEV1 |
| 2 wrong or lost | SEV3 | SEV2 |
| 1 nuisance | SEV4 | SEV3 |
| 0 none | SEV4 | SEV4 |

Scorers that do not run count as harm 2: nobody knows what they would have seen.
"""

from collections.abc import Mapping, Sequence

from holdfast.core.incident import Incident, Severity
from holdfast.core.score import Metric
from holdfast.core.signal import Signal, Verdict
from holdfast.correlate.policy import CorrelatePolicy

UNKNOWN_HARM = 2
TABLE: dict[int, tuple[Severity, Severity]] = {
    3: (Severity.SEV2, Severity.SEV1),
    2: (Severity.SEV3, Severity.SEV2),
    1: (Severity.SEV4, Severity.SEV3),
    0: (Severity.SEV4, Severity.SEV4),
}
ORDER = list(Severity)


def severity_of(
    signals: Sequence[Signal], metrics: Mapping[str, Metric], policy: CorrelatePolicy, users: int = 0, calls: int = 0
) -> tuple[Severity, str]:
    """Severity and the reason in words. `users` and `calls` are those hurt so far, where they were measured."""
    failures = [s for s in signals if s.verdict is Verdict.FAILURE] or list(signals)
    harm = max((_harm(s.metric, metrics) for s in failures), default=0)
    worst = [s for s in failures if _harm(s.metric, metrics) == harm]
    # What was measured in the cohort since the onset is better than what a signal had seen when it was raised.
    bad = calls or int(max((s.bad for s in worst), default=0.0))
    wide = next((s for s in worst if not s.segment.dimension and _share(s) >= policy.wide_rate), None)
    reasons = [
        *([f"{users} users"] if users >= policy.many_users else []),
        *([f"{bad} bad calls"] if bad >= policy.many_calls else []),
        *([f"{_share(wide):.0%} of all calls of the application"] if wide is not None else []),
    ]
    usual, worse = TABLE[min(max(harm, 0), 3)]
    return (worse if reasons else usual), f"harm {harm}" + (f", {', '.join(reasons)}" if reasons else "")


def worse_than(one: Severity, other: Severity) -> bool:
    """Whether the first is the more severe."""
    return ORDER.index(one) < ORDER.index(other)


def severity_now(incident: Incident, metrics: Mapping[str, Metric], policy: CorrelatePolicy) -> tuple[Severity, str]:
    """Severity of an incident as it is known now, its impact included."""
    return severity_of(incident.signals, metrics, policy, incident.impact.users, incident.impact.calls)


def _harm(name: str, metrics: Mapping[str, Metric]) -> int:
    metric = metrics.get(name)
    return UNKNOWN_HARM if metric is None else metric.harm


def _share(signal: Signal) -> float:
    return min(signal.bad / signal.calls, 1.0) if signal.calls else 0.0
