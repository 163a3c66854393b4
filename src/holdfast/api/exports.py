"""Exports of an incident. Each is noted in the ledger with its hash: what leaves is asked about later."""

import hashlib
from typing import Any, Literal

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from holdfast.access.audit import Act, Audited
from holdfast.access.roles import Identity
from holdfast.api.actions import seen
from holdfast.api.context import ApiContext, Context, Who
from holdfast.api.documents import trace_document
from holdfast.core.incident import Incident
from holdfast.report.analysis import exemplars
from holdfast.report.export import bundle, html, markdown
from holdfast.report.pdf import pdf

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])

Kind = Literal["md", "html", "pdf", "json"]
MEDIA_TYPES = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "json": "application/json",
}


@router.get(
    "/{incident_id}/export",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {}, "text/html": {}, "application/pdf": {}, "application/json": {}}}},
)
def export(context: Context, who: Who, incident_id: str, format: Kind = "json") -> Response:
    """The post-mortem as Markdown, HTML or PDF, or everything with evidence and hashes as JSON."""
    return exported(context, who, incident_id, format)


def exported(context: ApiContext, who: Identity, incident_id: str, kind: Kind) -> Response:
    """The file, as a download.

    Raises:
        NotFoundError: there is no such incident that `who` may see.
    """
    incident = seen(context, who, incident_id)
    content = _content(context, incident, kind)
    audited = Audited(
        type=Act.INCIDENT_EXPORTED,
        address=who.address,
        target=incident.id,
        application=incident.service,
        after={"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
        reason=kind,
    )
    context.access.note(who, audited)
    headers = {"Content-Disposition": f'attachment; filename="{incident.id}.{kind}"'}
    return Response(content, media_type=MEDIA_TYPES[kind], headers=headers)


def _content(context: ApiContext, incident: Incident, kind: Kind) -> bytes:
    match kind:
        case "md":
            return markdown(incident, context.metrics).encode()
        case "html":
            return html(incident, context.metrics).encode()
        case "pdf":
            return pdf(markdown(incident, context.metrics), incident.id, context.clock.now_ns())
    evidence = {e.trace_id: document for e in exemplars(incident) if (document := _trace(context, e.trace_id)) is not None}
    made = bundle(incident, context.metrics, context.ledger.events(incident.id), context.ledger.anchor(), evidence)
    return msgspec.json.format(msgspec.json.encode(made))


def _trace(context: ApiContext, trace_id: str) -> dict[str, Any] | None:
    found = context.telemetry.scored_trace(trace_id)
    if found is None:
        return None
    return trace_document(found, context.telemetry.evaluations(trace_id), context.telemetry.labels(trace_id=trace_id))
