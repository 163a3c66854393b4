"""Incidents: list, show, and all that people do to them."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from holdfast.access.roles import Identity, Role
from holdfast.api.actions import etag, listed, record, seen
from holdfast.api.context import Context, Who, requires
from holdfast.api.pages import link_next
from holdfast.core.clock import from_iso, to_iso
from holdfast.core.errors import InputError
from holdfast.core.events import (
    CommentAdded,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentClosed,
    IncidentDeclined,
    IncidentEvent,
    IncidentMerged,
    IncidentMitigated,
    IncidentResolved,
    SeverityChanged,
    TimestampCorrected,
)
from holdfast.core.incident import Incident, Priority, Severity, State
from holdfast.ledger.chain import MAX_INT64
from holdfast.ledger.listing import IncidentQuery, Order
from holdfast.report.analysis import incident_document
from holdfast.report.postmortem import condensed, postmortem

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])

Responder = Annotated[Identity, Depends(requires(Role.RESPONDER, anywhere=True))]
IfMatch = Annotated[str, Header(max_length=64, description="ETag of the version that you decided on.")]
IdempotencyKey = Annotated[str, Header(max_length=128, description="Sent again with the same key, a request changes nothing.")]
Text = Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"\S")]
Short = Annotated[str, Query(max_length=256)]


class Body(BaseModel):
    """A request's body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Reason(Body):
    """Why."""

    reason: Text


class Assignment(Body):
    """Who owns it from now on."""

    assignee: Annotated[str, Field(min_length=1, max_length=128, pattern=r"\S")]


class Comment(Body):
    """Something to note."""

    text: Text


class Rating(Body):
    """Severity is impact, priority the order of work."""

    severity: Severity
    priority: Priority = Priority.NORMAL
    reason: Text


class Merge(Body):
    """The incident that goes on."""

    into: Annotated[str, Field(min_length=1, max_length=64)]


class Correction(Body):
    """Which timestamp was really when."""

    field: Annotated[str, Field(pattern="^(started|detected|acknowledged|mitigated|resolved)$")]
    time: Annotated[str, Field(max_length=64, description="RFC 3339.")]
    reason: Text


@router.get("")
def list_incidents(  # noqa: PLR0913 - one parameter a filter is how FastAPI documents them
    request: Request,
    response: Response,
    context: Context,
    who: Who,
    state: Annotated[list[State] | None, Query(description="Only these states.")] = None,
    severity: Annotated[list[Severity] | None, Query(description="Only these severities.")] = None,
    service: Short = "",
    assignee: Short = "",
    text: Annotated[str, Query(max_length=256, description="In title or id.")] = "",
    since: Annotated[str, Query(max_length=64, description="Detected at or after this time.")] = "",
    until: Annotated[str, Query(max_length=64, description="Detected before this time.")] = "",
    order: Order = Order.OPENED,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str, Query(max_length=64)] = "",
) -> list[dict[str, Any]]:
    """Candidates, declined and merged ones only when asked for by state. The next page is in the `Link` header."""
    query = IncidentQuery(
        states=tuple(state or ()),
        severities=tuple(severity or ()),
        service=service,
        assignee=assignee,
        text=text,
        detected_from_ns=time_ns(since, 0),
        detected_to_ns=time_ns(until, MAX_INT64),
        order=order,
        limit=limit,
        cursor=cursor,
    )
    found, following = listed(context, who, query)
    link_next(request, response, following)
    return [told(incident, context) for incident in found]


@router.get("/{incident_id}")
def show_incident(context: Context, who: Who, incident_id: str, response: Response) -> dict[str, Any]:
    """One incident with its timeline; runs of further signals are one entry. The ETag is its version."""
    return _answer(context, response, seen(context, who, incident_id))


@router.get("/{incident_id}/postmortem", response_class=PlainTextResponse)
def show_postmortem(context: Context, who: Who, incident_id: str) -> str:
    """The post-mortem as Markdown."""
    return postmortem(seen(context, who, incident_id), context.metrics)


class Change(Body):
    """What a request for a change was sent with."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    context: Any
    who: Identity
    incident_id: str
    if_match: str
    key: str
    response: Any

    def make(self, event: IncidentEvent) -> dict[str, Any]:
        """Writes the event and answers with the incident after it."""
        after = record(self.context, self.who, self.incident_id, event, self.if_match, self.key)
        return _answer(self.context, self.response, after)


def _change(
    context: Context,
    who: Responder,
    incident_id: str,
    response: Response,
    if_match: IfMatch = "",
    idempotency_key: IdempotencyKey = "",
) -> Change:
    return Change(context=context, who=who, incident_id=incident_id, if_match=if_match, key=idempotency_key, response=response)


Changing = Annotated[Change, Depends(_change)]


@router.post("/{incident_id}/acknowledge")
def acknowledge(change: Changing) -> dict[str, Any]:
    """Say that you are looking at it."""
    return change.make(IncidentAcknowledged())


@router.post("/{incident_id}/assign")
def assign(change: Changing, body: Assignment) -> dict[str, Any]:
    """Give it to somebody."""
    return change.make(IncidentAssigned(assignee=body.assignee))


@router.post("/{incident_id}/comment")
def comment(change: Changing, body: Comment) -> dict[str, Any]:
    """Write something into the timeline."""
    return change.make(CommentAdded(text=body.text))


@router.post("/{incident_id}/severity")
def rate(change: Changing, body: Rating) -> dict[str, Any]:
    """Set severity and priority."""
    return change.make(SeverityChanged(severity=body.severity, priority=body.priority, reason=body.reason))


@router.post("/{incident_id}/merge")
def merge(change: Changing, body: Merge) -> dict[str, Any]:
    """Say that it is the same as another one, which goes on."""
    return change.make(IncidentMerged(into=body.into))


@router.post("/{incident_id}/timestamps")
def correct(change: Changing, body: Correction) -> dict[str, Any]:
    """Set a timestamp right. The earlier value stays in the ledger."""
    return change.make(TimestampCorrected(field=body.field, ns=time_ns(body.time, 0), reason=body.reason))


REASONED: dict[str, tuple[Callable[..., IncidentEvent], str]] = {
    "mitigate": (IncidentMitigated, "Say that the harm has stopped; the cause may still be there."),
    "resolve": (IncidentResolved, "Say that the cause is gone. A resolved incident does not open again."),
    "close": (IncidentClosed, "Say that the review is done."),
    "decline": (IncidentDeclined, "Say that it was no incident."),
}
"""What needs a reason and nothing else."""


def _add(verb: str, event: Callable[..., IncidentEvent], description: str) -> None:
    def move(change: Changing, body: Reason) -> dict[str, Any]:
        return change.make(event(reason=body.reason))

    router.add_api_route(f"/{{incident_id}}/{verb}", move, methods=["POST"], name=verb, description=description)


for _verb, (_event, _description) in REASONED.items():
    _add(_verb, _event, _description)


def told(incident: Incident, context: Context) -> dict[str, Any]:
    """An incident as JSON values: the analysis's document, and what people added."""
    return {
        **incident_document(incident, context.metrics),
        "version": incident.version,
        "priority": incident.priority.value,
        "assignee": incident.assignee or None,
        "merged_into": incident.merged_into or None,
        "follows": incident.follows or None,
        "timestamps": {
            name: {
                "time": to_iso(stamp.ns),
                "actor": stamp.actor,
                "source": stamp.source,
                "corrected_from": [to_iso(ns) for ns in stamp.corrected_from],
            }
            for name, stamp in incident.timestamps.items()
        },
    }


def time_ns(text: str, default: int) -> int:
    """Nanoseconds of an RFC 3339 time; `default` for an empty text.

    Raises:
        InputError: it is none, or lies before 1970 or too far ahead.
    """
    if not text:
        return default
    try:
        found = from_iso(text)
    except (ValueError, OverflowError):
        raise InputError(f"{text!r} is no RFC 3339 time, such as 2026-11-23T04:05:06Z", "time") from None
    if not 0 <= found <= MAX_INT64:
        raise InputError(f"{text!r} is before 1970 or too far ahead", "time")
    return found


def _answer(context: Context, response: Response, incident: Incident) -> dict[str, Any]:
    response.headers["ETag"] = etag(incident)
    timeline = [
        {"time": to_iso(e.time_ns), "actor": e.actor, "event": e.event, "text": e.text} for e in condensed(incident.timeline)
    ]
    return {**told(incident, context), "timeline": timeline}
