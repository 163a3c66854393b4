"""The audit: who did what from where, newest first; and whether the chain still holds."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from holdfast.access.audit import audited_in
from holdfast.access.roles import Identity, Role
from holdfast.api.context import Context, requires
from holdfast.api.pages import link_next
from holdfast.core.clock import to_iso
from holdfast.core.stream import StreamEntry
from holdfast.ledger.accounts import ACCESS

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

Admin = Annotated[Identity, Depends(requires(Role.ADMIN))]
STREAMS = (ACCESS, "control")


@router.get("")
def list_audit(
    request: Request,
    response: Response,
    context: Context,
    _: Admin,
    stream: Annotated[str, Query(pattern=f"^({'|'.join(STREAMS)})$")] = ACCESS,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> list[dict[str, Any]]:
    """Events of a stream with their hashes. The next page is in the `Link` header."""
    found = context.ledger.stream(stream).newest(limit, cursor)
    link_next(request, response, str(found[-1].version) if len(found) == limit and found[-1].version > 1 else "")
    return [audit_document(entry) for entry in found]


@router.get("/verify")
def verify(context: Context, _: Admin) -> dict[str, Any]:
    """Reads the whole chain, and says what does not stand as it was written."""
    report = context.ledger.verify()
    return {
        "ok": report.ok,
        "events": report.rows,
        "anchor": {"seq": report.anchor.seq, "hash": report.anchor.hash},
        "findings": [msgspec.to_builtins(finding) for finding in report.findings],
    }


def audit_document(entry: StreamEntry) -> dict[str, Any]:
    """One event as JSON values."""
    event = entry.event
    document = {
        "seq": entry.seq,
        "version": entry.version,
        "time": to_iso(event.time_ns),
        "actor": event.actor,
        "act": event.type,
        "hash": entry.hash,
    }
    try:
        act = audited_in(event)
    except msgspec.MsgspecError:
        return {**document, "body": msgspec.json.decode(event.body)}
    told = {name: value for name, value in msgspec.to_builtins(act).items() if name != "type"}
    return {**document, **told}
