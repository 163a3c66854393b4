"""Incidents: list and show."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import PlainTextResponse

from holdfast.api.context import Context
from holdfast.core.clock import to_iso
from holdfast.core.errors import NotFoundError
from holdfast.core.incident import Incident, State
from holdfast.report.analysis import incident_document, shown
from holdfast.report.postmortem import condensed, postmortem

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])


@router.get("")
def list_incidents(
    context: Context,
    state: Annotated[list[State] | None, Query(description="only these states")] = None,
    service: Annotated[str, Query(max_length=256)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[dict[str, Any]]:
    """The newest incidents first; candidates, declined and merged ones only when asked for by state."""
    found = context.ledger.incidents(states=state, service=service, limit=limit)
    return [incident_document(incident, context.metrics) for incident in found if state or shown(incident)]


@router.get("/{incident_id}")
def show_incident(context: Context, incident_id: str) -> dict[str, Any]:
    """One incident with its timeline; runs of further signals are one entry."""
    incident = _incident(context, incident_id)
    timeline = [
        {"time": to_iso(e.time_ns), "actor": e.actor, "event": e.event, "text": e.text} for e in condensed(incident.timeline)
    ]
    return {**incident_document(incident, context.metrics), "timeline": timeline}


@router.get("/{incident_id}/postmortem", response_class=PlainTextResponse)
def show_postmortem(context: Context, incident_id: str) -> str:
    """The post-mortem as Markdown."""
    return postmortem(_incident(context, incident_id), context.metrics)


def _incident(context: Context, incident_id: str) -> Incident:
    try:
        return context.ledger.incident(incident_id)
    except NotFoundError as error:
        raise HTTPException(404, str(error)) from None
