"""`/healthz`: the process lives. `/readyz`: it can do its work. Neither needs a token."""

from typing import Any

from fastapi import APIRouter, Response

from holdfast.api.context import Context
from holdfast.core.clock import NS_PER_S
from holdfast.live import Progress

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
    reason = not_ready(progress, context.clock.now_ns())
    if reason:
        response.status_code = 503
    return {"status": reason or "ok", "records": progress.records, "journal_position": str(progress.position)}


def not_ready(progress: Progress, now_ns: int) -> str:
    """Why the pipeline does not run; empty while it does."""
    if not progress.error and now_ns - progress.last_read_ns > STALE_NS:
        return "the pipeline has not read its journal for a minute"
    return progress.error
