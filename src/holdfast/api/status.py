"""What is going on right now: traffic, and each metric beside what it was before."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from holdfast.access.roles import Identity, Role
from holdfast.api.actions import visible
from holdfast.api.context import ApiContext, Context, Who
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import NotFoundError
from holdfast.core.score import Direction
from holdfast.core.signal import Segment
from holdfast.live import Progress
from holdfast.score.registry import SCORERS

router = APIRouter(prefix="/api/v1", tags=["status"])

STEPS_BEFORE = 11
HOUR_NS = 3600 * NS_PER_S


@router.get("/status")
def status(context: Context, who: Who) -> dict[str, Any]:
    """Counts, and how the pipeline is doing."""
    progress = context.progress
    return {
        "calls": kept_calls(context, who),
        "services": [name for name in context.telemetry.services() if who.may(Role.VIEWER, name)],
        "records": progress.records,
        "error": progress.error,
        "false_alarm_budget": _budget(progress),
    }


def kept_calls(context: ApiContext, who: Identity) -> int:
    """Calls of the applications that somebody may see."""
    services = visible(who)
    return context.telemetry.count() if services is None else sum(map(context.telemetry.count, services))


def last_hour(context: ApiContext, who: Identity) -> dict[str, dict[str, int]]:
    """What each scorer did in the traces of the last hour that somebody may see."""
    now = context.clock.now_ns()
    return context.telemetry.coverage(max(0, now - HOUR_NS), now + 1, visible(who))


def _budget(progress: Progress) -> dict[str, Any] | None:
    """What false alarms may be spent and were, None before the pipeline runs. Bounds of expected numbers, not counts."""
    if progress.budget is None:
        return None
    return {
        "per_day": progress.budget.per_day,
        "spent_today": progress.spent_today,
        "spent": progress.budget.spent.total,
        "alarms": progress.budget.alarms,
    }


@router.get("/scorers")
def scorers(context: Context, who: Who) -> list[dict[str, Any]]:
    """Every scorer with what it did in the traces of the last hour that one may see, those that did not run at all included.

    `state`: running, failing (at least one trace), or silent (no trace; nothing may be concluded from its metrics).
    """
    found = with_silent(last_hour(context, who))
    return [{"name": name, "state": scorer_state(counts), **counts} for name, counts in found.items()]


def with_silent(coverage: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The same by name, with the built-in scorers that have no row."""
    nothing = {"ran": 0, "failed": 0, "skipped": 0}
    return {name: coverage.get(name, nothing) for name in sorted({*coverage, *(scorer.name for scorer in SCORERS)})}


def scorer_state(counts: dict[str, int]) -> str:
    """running, failing or silent."""
    if counts["failed"]:
        return "failing"
    return "running" if counts["ran"] or counts["skipped"] else "silent"


@router.get("/coverage")
def coverage(context: Context, who: Who) -> dict[str, dict[str, int]]:
    """In how many traces of the last hour, of those that one may see, each scorer ran, failed, or had nothing to say."""
    return last_hour(context, who)


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
    watched = [
        metric
        for metric in context.metrics.values()
        if metric.direction is not Direction.INFORMATION and (not name or metric.name in name)
    ]
    begin, segment = end - (STEPS_BEFORE + 1) * step, Segment(service, dimension, value)
    by_name = context.telemetry.series_of(segment, [metric.name for metric in watched], begin, end, step)
    for metric in watched:
        series = by_name[metric.name]
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
