"""What people do to incidents, through API and console alike: the right, the version, the key, the event, the audit."""

from typing import Any

import msgspec

from holdfast.access.audit import Act, Audited
from holdfast.access.roles import Identity, Role
from holdfast.api.context import ApiContext
from holdfast.api.problems import PreconditionError
from holdfast.core.errors import ConflictError, InputError, NotFoundError
from holdfast.core.events import IncidentEvent, IncidentMerged, Recorded
from holdfast.core.incident import Incident
from holdfast.ledger.listing import IncidentQuery

LONGEST_KEY = 128


def visible(who: Identity) -> frozenset[str] | None:
    """Applications that somebody may see; None means all."""
    return None if who.may(Role.VIEWER) else frozenset(name for name in who.grants if name != "*")


def seen(context: ApiContext, who: Identity, incident_id: str) -> Incident:
    """An incident, for those who may see its application.

    Raises:
        NotFoundError: there is none, or none that `who` may see: not told apart.
    """
    incident = context.ledger.incident(incident_id)
    if not who.may(Role.VIEWER, incident.service):
        raise NotFoundError(f"no incident {incident_id!r}")
    return incident


def record(
    context: ApiContext, who: Identity, incident_id: str, event: IncidentEvent, if_match: str = "", key: str = ""
) -> Incident:
    """Writes an event of a responder, and returns the incident after it.

    Args:
        context: the stores.
        who: needs the role responder on the incident's application.
        incident_id: id, or its only beginning.
        event: what happened.
        if_match: ETag of the version that was decided on; empty or ``*`` means any.
        key: of two requests with one key and the same content, the second changes nothing.

    Raises:
        NotFoundError: there is no such incident.
        ForbiddenError: the role is missing.
        PreconditionError: the incident is at another version.
        TransitionError: its state does not allow it.
        InputError: the key was used for something else, or is too long.
    """
    before = seen(context, who, incident_id)
    who.must(Role.RESPONDER, before.service)
    if isinstance(event, IncidentMerged):
        event = IncidentMerged(into=seen(context, who, event.into).id)
    stored_key = _key(context, who, before, event, key)
    expected = _version(if_match)
    recorded = Recorded(incident_id=before.id, time_ns=context.clock.now_ns(), actor=who.actor, event=event, key=stored_key)
    audited = Audited(
        type=Act.INCIDENT_WRITTEN,
        address=who.address,
        target=before.id,
        application=before.service,
        before=summary(before),
        after={"event": type(event).__name__, **_plain(event)},
    )
    try:
        context.ledger.append([recorded], expected, noted=audited.event(recorded.time_ns, who.actor))
    except ConflictError as error:
        raise PreconditionError(f"{error}: look at it again, then decide") from None
    return context.ledger.incident(before.id)


def summary(incident: Incident) -> dict[str, Any]:
    """What a person can change about an incident, for before and after."""
    return {
        "version": incident.version,
        "state": incident.state.value,
        "severity": incident.severity.value,
        "priority": incident.priority.value,
        "assignee": incident.assignee,
    }


def etag(incident: Incident) -> str:
    """The version as an entity tag."""
    return f'"{incident.version}"'


def listed(context: ApiContext, who: Identity, query: IncidentQuery) -> tuple[tuple[Incident, ...], str]:
    """A page of the incidents that somebody may see, and the cursor behind it."""
    page = context.ledger.page(msgspec.structs.replace(query, services=visible(who)))
    return page.incidents, page.next


def _version(if_match: str) -> int | None:
    tag = if_match.strip().removeprefix("W/").strip('"')
    if tag in ("", "*"):
        return None
    # Python takes digits of all scripts for numbers, and as many as there are.
    return int(tag) if tag.isascii() and tag.isdigit() and len(tag) < 19 else -1


def _key(context: ApiContext, who: Identity, incident: Incident, event: IncidentEvent, key: str) -> str:
    if not key:
        return ""
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise InputError(f"has at most {LONGEST_KEY} printable characters", "Idempotency-Key")
    stored = f"request:{who.actor}:{key}"
    known = context.ledger.entry_of_key(stored)
    if known and (known.recorded.event != event or known.recorded.incident_id != incident.id):
        raise InputError("was used for another request before", "Idempotency-Key")
    return stored


def _plain(event: IncidentEvent) -> dict[str, Any]:
    found = msgspec.to_builtins(event)
    return {name: value for name, value in found.items() if name != "type"} if isinstance(found, dict) else {}
