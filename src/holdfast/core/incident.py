"""`Incident`: a state machine folded from ledger events."""

from enum import StrEnum

import msgspec

from holdfast.core.diagnosis import Diagnosis
from holdfast.core.signal import Signal


class State(StrEnum):
    """Operational state. `declined`, `merged` and `closed` are final."""

    CANDIDATE = "candidate"
    OPEN = "open"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    DECLINED = "declined"
    MERGED = "merged"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.CANDIDATE: frozenset({State.OPEN, State.DECLINED, State.MERGED}),
    State.OPEN: frozenset({State.MITIGATED, State.RESOLVED, State.DECLINED, State.MERGED}),
    State.MITIGATED: frozenset({State.OPEN, State.RESOLVED, State.DECLINED, State.MERGED}),
    State.RESOLVED: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
    State.DECLINED: frozenset(),
    State.MERGED: frozenset(),
}
"""A resolved incident never opens again: a new one is opened and refers to it."""

ACTIVE = frozenset({State.CANDIDATE, State.OPEN, State.MITIGATED})


class Severity(StrEnum):
    """Impact, worst first."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"


class Priority(StrEnum):
    """Order of work: a field of its own, people may set it against the severity."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """Who was hurt since the incident started. `calls` is the expected number of bad ones, with its 95 % interval.

    `users` of those, at most as many; `cost_usd`: what they cost, None where nobody knows their price.
    """

    calls: int = 0
    calls_low: int = 0
    calls_high: int = 0
    users: int = 0
    cost_usd: float | None = None


class Timestamp(msgspec.Struct, frozen=True, kw_only=True):
    """One of started, detected, acknowledged, mitigated, resolved: value, who set it, and what stood there before."""

    ns: int
    actor: str
    source: str = ""
    corrected_from: tuple[int, ...] = ()


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline, by a person or a stage."""

    time_ns: int
    actor: str
    event: str
    text: str


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an incident after its events up to `version`."""

    id: str
    service: str
    title: str
    state: State
    severity: Severity
    priority: Priority = Priority.NORMAL
    version: int = 0
    timestamps: dict[str, Timestamp] = {}
    signals: tuple[Signal, ...] = ()
    cleared: tuple[str, ...] = ()
    """Ids of signals whose metric is back within its margin."""
    diagnosis: Diagnosis | None = None
    impact: Impact = Impact()
    assignee: str = ""
    merged_into: str = ""
    follows: str = ""
    """Id of the resolved incident that this one looks like."""
    timeline: tuple[TimelineEntry, ...] = ()

    @property
    def started_ns(self) -> int:
        """Estimated beginning of the harm."""
        return self.timestamps["started"].ns

    @property
    def detected_ns(self) -> int:
        """Event time of the alarm."""
        return self.timestamps["detected"].ns

    @property
    def cohort(self) -> dict[str, str]:
        """Who is affected: the diagnosis's cohort, else what the signals' segments have in common."""
        if self.diagnosis is not None:
            return self.diagnosis.cohort
        segments = [s.segment.conditions for s in self.signals]
        return dict(set.intersection(*({*s.items()} for s in segments))) if segments else {}
