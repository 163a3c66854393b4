"""What is going on right now: traffic, and each metric beside what it was before."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from holdfast.access.roles import Role
from holdfast.api.context import Context, Who
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import NotFoundError
from holdfast.core.score import Direction
from holdfast.core.signal import Segment

router = APIRouter(prefix="/api/v1", tags=["status"])

STEPS_BEFORE = 11
HOUR_NS = 3600 * NS_PER_S


@router.get("/status")
def status(context: Context, who: Who) -> dict[str, Any]:
    """Counts, and how the pipeline is doing."""
    progress = context.progress
    return {
        "calls": context.telemetry.count(),
        "services": [name for name in context.telemetry.services() if who.may(Role.VIEWER, name)],
        "records": progress.records,
        "error": progress.error,
    }


@router.get("/coverage")
def coverage(context: Context, who: Who) -> dict[str, dict[str, int]]:
    """In how many traces of the last hour each scorer ran, failed, or had nothing to say."""
    now = context.clock.now_ns()
    return context.telemetry.coverage(now - HOUR_NS, now + 1)


@router.get("/metrics")
def metrics(  # noqa: PLR0913 - one parameter a filter is how FastAPI documents them
    context: Context,
    who: Who,
    service: Annotated[str, Query(max_length=256)],
    window_s: Annotated[int, Query(ge=1, le=86_400, description="length of the recent window")] = 15,
    dimension: Annotated[str, Query(max_length=64)] = "",
    value: Annotated[str, Query(max_length=256)] = "",
    name: Annotated[list[str] | None, Query(description="only these metrics", max_length=100)] = None,
) -> list[dict[str, Any]]:
    """Each metric in the last window beside its mean over the eleven windows before; metrics without scores are left out."""
    if not who.may(Role.VIEWER, service):
        raise NotFoundError(f"no application {service!r}")
    step = window_s * NS_PER_S
    end = context.clock.now_ns() + 1
    found = []
    for metric in context.metrics.values():
        if metric.direction is Direction.INFORMATION or (name and metric.name not in name):
            continue
        series = context.telemetry.metric_series(
            Segment(service, dimension, value), metric.name, end - (STEPS_BEFORE + 1) * step, end, step
        )
        if not len(series):
            continue
        recent = series.time_ns >= end - step
        before = int(series.count[~recent].sum())
        found.append(
            {
                "name": metric.name,
                "unit": str(metric.unit),
                "recent": float(series.mean[recent][0]) if recent.any() else None,
                "before": float((series.mean * series.count)[~recent].sum() / before) if before else None,
                "count": int(series.count.sum()),
            }
        )
    return found
