"""`/healthz`: the process lives. `/readyz`: it can do its work. Neither needs a token."""

from typing import Any

from fastapi import APIRouter, Response

from holdfast.api.context import Context
from holdfast.core.clock import NS_PER_S

router = APIRouter(tags=["health"])

STALE_NS = 60 * NS_PER_S


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Always ok while the process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(context: Context, response: Response) -> dict[str, Any]:
    """503 while the pipeline does not run; says why."""
    progress = context.progress
    reason = progress.error
    if not reason and context.clock.now_ns() - progress.last_read_ns > STALE_NS:
        reason = "the pipeline has not read its journal for a minute"
    if reason:
        response.status_code = 503
    return {"status": reason or "ok", "records": progress.records, "journal_position": str(progress.position)}
