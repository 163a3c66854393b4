"""What time alone does to an incident: mitigated when all is quiet, resolved when it stays so; and more severe as it grows."""

from collections.abc import Mapping

from holdfast.core.clock import NS_PER_S
from holdfast.core.events import IncidentMitigated, IncidentResolved, Recorded, SeverityChanged
from holdfast.core.incident import ACTIVE, Incident, State
from holdfast.core.score import Metric
from holdfast.core.signal import Verdict
from holdfast.correlate.policy import CorrelatePolicy
from holdfast.correlate.severity import severity_now, worse_than

ACTOR = "correlate"


def advance(incident: Incident, quiet_since_ns: int, policy: CorrelatePolicy, now_ns: int) -> Recorded | None:
    """The step that is due at `now_ns`. `quiet_since_ns` is when its last failure cleared, 0 while one stands."""
    if incident.state is State.OPEN and quiet_since_ns and now_ns - quiet_since_ns >= policy.hold_s * NS_PER_S:
        reason = f"all signals back within their margins for {policy.hold_s / 60:.0f} min"
        return Recorded(
            incident_id=incident.id,
            time_ns=now_ns,
            actor=ACTOR,
            event=IncidentMitigated(reason=reason),
            key=f"{incident.id}:mitigated:{quiet_since_ns}",
        )
    mitigated = incident.timestamps.get("mitigated")
    if incident.state is State.MITIGATED and mitigated and now_ns - mitigated.ns >= policy.cool_down_s * NS_PER_S:
        reason = f"quiet for {policy.cool_down_s / 3600:g} h"
        return Recorded(
            incident_id=incident.id,
            time_ns=now_ns,
            actor=ACTOR,
            event=IncidentResolved(reason=reason),
            key=f"{incident.id}:resolved:{mitigated.ns}",
        )
    return None


def escalate(incident: Incident, metrics: Mapping[str, Metric], policy: CorrelatePolicy, now_ns: int) -> Recorded | None:
    """A higher severity where what is known asks for it. What a person has set stays."""
    by_people = any(e.event == "SeverityChanged" and e.actor != ACTOR for e in incident.timeline)
    if incident.state not in ACTIVE or by_people:
        return None
    severity, reason = severity_now(incident, metrics, policy)
    if not worse_than(severity, incident.severity):
        return None
    return Recorded(
        incident_id=incident.id,
        time_ns=now_ns,
        actor=ACTOR,
        event=SeverityChanged(severity=severity, priority=incident.priority, reason=reason),
        key=f"{incident.id}:severity:{severity}",
    )


def standing(incident: Incident) -> bool:
    """Whether a failure of the incident has not cleared."""
    return any(s.verdict is Verdict.FAILURE and s.id not in incident.cleared for s in incident.signals)


def quiet_since(incident: Incident) -> int:
    """When the last failure of an incident cleared, from its timeline; 0 while one stands."""
    if standing(incident):
        return 0
    ends = [e.time_ns for e in incident.timeline if e.event == "SignalEnded"]
    return max(ends, default=0)
