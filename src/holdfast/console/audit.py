"""Who did what from where."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.audit import audited_in
from holdfast.access.roles import Identity, Role
from holdfast.api.context import Context
from holdfast.console.forms import SignedForm
from holdfast.console.page import PageRoute, Viewer, render
from holdfast.core.stream import StreamEntry
from holdfast.ledger.accounts import ACCESS

router = APIRouter(route_class=PageRoute)

PAGE = 100
LONGEST = 300


@router.get("/audit")
def show_audit(request: Request, context: Context, who: Viewer) -> Response:
    """Newest first."""
    return _page(request, context, who, None)


@router.post("/audit/verify")
def verify(request: Request, context: Context, who: Viewer, form: SignedForm) -> Response:
    """Reads the whole chain."""
    who.must(Role.ADMIN)
    return _page(request, context, who, context.ledger.verify())


def _page(request: Request, context: Context, who: Identity, report: Any) -> Response:
    who.must(Role.ADMIN)
    cursor = request.query_params.get("before", "0")
    before = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 18 else 0
    found = context.ledger.stream(ACCESS).newest(PAGE, before)
    more = found[-1].version if len(found) == PAGE and found[-1].version > 1 else 0
    return render(
        request,
        who,
        "audit.html",
        rows=[_row(entry) for entry in found],
        next=f"/audit?before={more}" if more else "",
        report=report,
    )


def _row(entry: StreamEntry) -> dict[str, Any]:
    event = entry.event
    row = {"time_ns": event.time_ns, "actor": event.actor, "hash": entry.hash, "what": event.type}
    try:
        act = audited_in(event)
    except msgspec.MsgspecError:
        return {**row, "target": "", "application": "", "address": "", "told": event.body[:LONGEST]}
    told = [_json(value) for value in (act.before, act.after) if value is not None]
    return {
        **row,
        "target": act.target,
        "application": act.application,
        "address": act.address,
        "told": " · ".join(text for text in (act.reason, " → ".join(told)) if text)[:LONGEST],
    }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
