"""The closed union of ledger events, and the fold that turns them into an `Incident`.

Events are facts in the past tense. The ledger stores them with their actor, time and hash; everything that is shown of an
incident — state, timeline, post-mortem — is derived from them.
"""

from collections.abc import Iterable
from functools import singledispatch

import msgspec

from holdfast.core.diagnosis import Diagnosis
from holdfast.core.errors import TransitionError
from holdfast.core.incident import TRANSITIONS, Impact, Incident, Priority, Severity, State, TimelineEntry, Timestamp
from holdfast.core.signal import Signal, SignalCleared


class IncidentOpened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A first signal, or a person, opened an incident."""

    service: str
    title: str
    severity: Severity
    started_ns: int
    detected_ns: int
    state: State = State.OPEN
    signal: Signal | None = None
    follows: str = ""


class SignalJoined(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A further signal of the same cause. On a mitigated incident it opens it again."""

    signal: Signal


class SignalEnded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A signal's metric is back within its margin."""

    cleared: SignalCleared


class DiagnosisMade(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The diagnosis as of now; later ones replace it."""

    diagnosis: Diagnosis
    title: str = ""


class ImpactMeasured(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The impact as of now; later ones replace it."""

    impact: Impact


class SeverityChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Severity or priority was set anew."""

    severity: Severity
    priority: Priority = Priority.NORMAL
    reason: str = ""


class IncidentAcknowledged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Somebody is looking at it."""


class IncidentAssigned(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Somebody owns it."""

    assignee: str


class IncidentMitigated(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The harm has stopped; the cause may still be there."""

    reason: str


class IncidentResolved(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The cause is gone."""

    reason: str


class IncidentClosed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The review is done."""

    reason: str


class IncidentDeclined(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It was no incident."""

    reason: str


class IncidentMerged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It is the same as another one, which goes on."""

    into: str


class CommentAdded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Somebody wrote something down."""

    text: str


class TimestampCorrected(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One of the incident's timestamps was set right; the earlier value stays in the chain."""

    field: str
    ns: int
    reason: str


IncidentEvent = (
    IncidentOpened
    | SignalJoined
    | SignalEnded
    | DiagnosisMade
    | ImpactMeasured
    | SeverityChanged
    | IncidentAcknowledged
    | IncidentAssigned
    | IncidentMitigated
    | IncidentResolved
    | IncidentClosed
    | IncidentDeclined
    | IncidentMerged
    | CommentAdded
    | TimestampCorrected
)
"""Everything that can happen to an incident."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event with who and when, as a stage or a person hands it to the ledger.

    `key` makes appending idempotent: the ledger keeps the first event of a key and ignores the rest. Empty means no such check.
    """

    incident_id: str
    time_ns: int
    actor: str
    event: IncidentEvent
    key: str = ""


def fold(events: Iterable[Recorded]) -> Incident:
    """The incident that these events, in order, describe.

    Raises:
        TransitionError: an event is not allowed in the state it meets, or the first one does not open the incident.
    """
    incident: Incident | None = None
    for recorded in events:
        incident = apply(incident, recorded)
    if incident is None:
        raise TransitionError("an incident without events does not exist")
    return incident


def apply(incident: Incident | None, recorded: Recorded) -> Incident:
    """The incident after one more event.

    Raises:
        TransitionError: as in `fold`.
    """
    event = recorded.event
    if incident is None:
        if not isinstance(event, IncidentOpened):
            raise TransitionError(f"{type(event).__name__} before IncidentOpened on {recorded.incident_id}")
        return _opened(event, recorded)
    if isinstance(event, IncidentOpened):
        raise TransitionError(f"{recorded.incident_id} is open already")
    changed = _applied(event, incident, recorded)
    entry = TimelineEntry(time_ns=recorded.time_ns, actor=recorded.actor, event=type(event).__name__, text=describe(event))
    return msgspec.structs.replace(changed, version=incident.version + 1, timeline=(*incident.timeline, entry))


def _opened(event: IncidentOpened, recorded: Recorded) -> Incident:
    def stamp(ns: int) -> Timestamp:
        return Timestamp(ns=ns, actor=recorded.actor, source="signal" if event.signal else "person")

    return Incident(
        id=recorded.incident_id,
        service=event.service,
        title=event.title,
        state=event.state,
        severity=event.severity,
        version=1,
        timestamps={"started": stamp(event.started_ns), "detected": stamp(event.detected_ns)},
        signals=(event.signal,) if event.signal else (),
        follows=event.follows,
        timeline=(TimelineEntry(time_ns=recorded.time_ns, actor=recorded.actor, event="IncidentOpened", text=describe(event)),),
    )


def _move(incident: Incident, to: State, recorded: Recorded, stamp: str = "") -> Incident:
    if to not in TRANSITIONS[incident.state]:
        raise TransitionError(f"{incident.id} is {incident.state} and cannot become {to}")
    stamps = incident.timestamps
    if stamp:
        stamps = {**stamps, stamp: Timestamp(ns=recorded.time_ns, actor=recorded.actor, source="event")}
    return msgspec.structs.replace(incident, state=to, timestamps=stamps)


def _must_not_be_final(incident: Incident, event: object) -> None:
    if not TRANSITIONS[incident.state]:
        raise TransitionError(f"{incident.id} is {incident.state}: {type(event).__name__} comes too late")


@singledispatch
def _applied(event: object, incident: Incident, recorded: Recorded) -> Incident:
    raise TypeError(f"unknown event {type(event).__name__}")


@_applied.register
def _(event: SignalJoined, incident: Incident, recorded: Recorded) -> Incident:
    _must_not_be_final(incident, event)
    if incident.state is State.MITIGATED:
        incident = _move(incident, State.OPEN, recorded)
    stamps = incident.timestamps
    started = stamps["started"]
    if event.signal.onset_ns < started.ns and not started.corrected_from and started.source != "diagnosis":
        earlier = msgspec.structs.replace(started, ns=event.signal.onset_ns)
        stamps = {**stamps, "started": earlier}
    return msgspec.structs.replace(
        incident,
        signals=(*(s for s in incident.signals if s.id != event.signal.id), event.signal),
        cleared=tuple(c for c in incident.cleared if c != event.signal.id),
        timestamps=stamps,
    )


@_applied.register
def _(event: SignalEnded, incident: Incident, recorded: Recorded) -> Incident:
    _must_not_be_final(incident, event)
    return msgspec.structs.replace(incident, cleared=tuple(dict.fromkeys((*incident.cleared, event.cleared.signal_id))))


@_applied.register
def _(event: DiagnosisMade, incident: Incident, recorded: Recorded) -> Incident:
    _must_not_be_final(incident, event)
    stamps = incident.timestamps
    onset_ns, started = event.diagnosis.onset_ns, stamps["started"]
    if onset_ns and onset_ns != started.ns and not started.corrected_from:
        # A person's correction stands; an estimate is replaced by the better one.
        stamps = {**stamps, "started": Timestamp(ns=onset_ns, actor=recorded.actor, source="diagnosis")}
    return msgspec.structs.replace(incident, diagnosis=event.diagnosis, title=event.title or incident.title, timestamps=stamps)


@_applied.register
def _(event: ImpactMeasured, incident: Incident, recorded: Recorded) -> Incident:
    _must_not_be_final(incident, event)
    return msgspec.structs.replace(incident, impact=event.impact)


@_applied.register
def _(event: SeverityChanged, incident: Incident, recorded: Recorded) -> Incident:
    _must_not_be_final(incident, event)
    return msgspec.structs.replace(incident, severity=event.severity, priority=event.priority)


@_applied.register
def _(event: IncidentAcknowledged, incident: Incident, recorded: Recorded) -> Incident:
    _must_not_be_final(incident, event)
    if "acknowledged" in incident.timestamps:
        raise TransitionError(f"{incident.id} was acknowledged before")
    stamp = Timestamp(ns=recorded.time_ns, actor=recorded.actor, source="person")
    return msgspec.structs.replace(incident, timestamps={**incident.timestamps, "acknowledged": stamp})


@_applied.register
def _(event: IncidentAssigned, incident: Incident, recorded: Recorded) -> Incident:
    _must_not_be_final(incident, event)
    return msgspec.structs.replace(incident, assignee=event.assignee)


@_applied.register
def _(event: IncidentMitigated, incident: Incident, recorded: Recorded) -> Incident:
    return _move(incident, State.MITIGATED, recorded, "mitigated")


@_applied.register
def _(event: IncidentResolved, incident: Incident, recorded: Recorded) -> Incident:
    return _move(incident, State.RESOLVED, recorded, "resolved")


@_applied.register
def _(event: IncidentClosed, incident: Incident, recorded: Recorded) -> Incident:
    return _move(incident, State.CLOSED, recorded)


@_applied.register
def _(event: IncidentDeclined, incident: Incident, recorded: Recorded) -> Incident:
    return _move(incident, State.DECLINED, recorded)


@_applied.register
def _(event: IncidentMerged, incident: Incident, recorded: Recorded) -> Incident:
    if event.into == incident.id:
        raise TransitionError(f"{incident.id} cannot be merged into itself")
    return msgspec.structs.replace(_move(incident, State.MERGED, recorded), merged_into=event.into)


@_applied.register
def _(event: CommentAdded, incident: Incident, recorded: Recorded) -> Incident:
    return incident


@_applied.register
def _(event: TimestampCorrected, incident: Incident, recorded: Recorded) -> Incident:
    before = incident.timestamps.get(event.field)
    if before is None:
        raise TransitionError(f"{incident.id} has no timestamp {event.field!r}: {', '.join(incident.timestamps)}")
    after = Timestamp(ns=event.ns, actor=recorded.actor, source=event.reason, corrected_from=(*before.corrected_from, before.ns))
    return msgspec.structs.replace(incident, timestamps={**incident.timestamps, event.field: after})


def describe(event: IncidentEvent) -> str:  # noqa: C901 - one line per member of a closed union
    """One line for the timeline."""
    match event:
        case IncidentOpened(title=title, severity=severity):
            return f"{severity}: {title}"
        case SignalJoined(signal=s):
            return f"{s.metric} on {s.segment}: {s.baseline:.4g} → {s.observed:.4g}"
        case SignalEnded(cleared=c):
            return f"{c.metric} on {c.segment} is back within its margin"
        case DiagnosisMade(diagnosis=d):
            top = f"{d.layers[0].layer} {d.layers[0].probability:.2f}" if d.layers else "no layer"
            top += f" (at least {d.confidence_low:.2f})" if d.confidence_low else ""
            return top + (f", {d.causes[0].fault}" if d.causes else "")
        case ImpactMeasured(impact=i):
            return f"{i.calls} bad answers ({i.calls_low}-{i.calls_high}), {i.users} users"
        case SeverityChanged(severity=severity, reason=reason):
            return f"{severity}: {reason}"
        case IncidentAssigned(assignee=assignee):
            return f"to {assignee}"
        case IncidentMerged(into=into):
            return f"into {into}"
        case CommentAdded(text=text):
            return text
        case TimestampCorrected(field=field, reason=reason):
            return f"{field}: {reason}"
        case IncidentAcknowledged():
            return ""
        case _:
            return event.reason
