"""Metrics over time, with their baseline, and by the values of a dimension."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.roles import Role
from holdfast.api.context import ApiContext, Context
from holdfast.api.metrics import series_with_baseline, worse
from holdfast.console.charts import Mark, Plot, points_of
from holdfast.console.incidents import seen_services
from holdfast.console.page import PageRoute, Viewer, render
from holdfast.console.remembered import remembered_of
from holdfast.console.shown import measured, words
from holdfast.core.call import DIMENSIONS
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import NotFoundError
from holdfast.core.score import Direction
from holdfast.core.signal import Segment
from holdfast.telemetry.overview import Beside, Windows

router = APIRouter(route_class=PageRoute)

PERIODS = (("15m", "15 minutes"), ("1h", "1 hour"), ("6h", "6 hours"), ("1d", "1 day"), ("7d", "7 days"))
_SECONDS = {"15m": 900, "1h": 3_600, "6h": 21_600, "1d": 86_400, "7d": 604_800}
STEPS = 60
MOST_PLOTS = 8


@router.get("/charts")
def show_charts(request: Request, context: Context, who: Viewer) -> Response:
    """One metric, or the worst ones where none is chosen."""
    given = request.query_params
    services = seen_services(context, who)
    service = given.get("service") or (services[0] if services else "")
    if service and not who.may(Role.VIEWER, service):
        raise NotFoundError(f"no application {service!r}")
    period = given.get("period", "1h") if given.get("period", "1h") in _SECONDS else "1h"
    metric, dimension = given.get("metric", ""), given.get("dimension", "")
    if metric and metric not in context.metrics:
        raise NotFoundError(f"no metric {metric!r}")
    end = context.clock.now_ns() + 1
    start = max(0, end - _SECONDS[period] * NS_PER_S)
    segment = Segment(service, dimension if given.get("value") else "", given.get("value", ""))
    names = [metric] if metric else _worst(request, context, service, (start, end))
    plots = _plots(context, segment, names, (start, end)) if service else []
    by_value = service and metric and dimension in DIMENSIONS
    breakdown = (
        context.telemetry.breakdown(service, metric, dimension, Windows(max(0, 2 * start - end), start, end)) if by_value else []
    )
    return render(
        request,
        who,
        "charts.html",
        services=services,
        service=service,
        metric=metric,
        dimension=dimension,
        dimensions=DIMENSIONS,
        period=period,
        periods=PERIODS,
        metrics=sorted(context.metrics),
        plots=plots,
        breakdown=_rows(context, metric, breakdown),
    )


def _worst(request: Request, context: ApiContext, service: str, period_ns: tuple[int, int]) -> list[str]:
    """The metrics that are worst beside the period before, which the plots compare with as well."""
    start, end = period_ns
    windows = Windows(max(0, 2 * start - end), start, end)
    watched = [metric.name for metric in context.metrics.values() if metric.direction is not Direction.INFORMATION]
    key = ("worst", service, end - start)
    found = list(remembered_of(request).get(key, end, lambda: context.telemetry.heat(watched, windows, frozenset({service}))))
    found.sort(key=lambda beside: -(worse(beside, context.metrics[beside.key]) or 0.0))
    return [beside.key for beside in found[:MOST_PLOTS]]


def _plots(context: ApiContext, segment: Segment, names: list[str], period_ns: tuple[int, int]) -> list[tuple[Plot, str]]:
    """Each metric that has scores, with what is said beside it."""
    changes = [c for c in context.telemetry.changes(*period_ns) if c.service in ("", segment.service)]
    marks = [Mark(c.time_ns, "change", f"{c.kind.value} {c.to_value or c.target}") for c in changes[-5:]]
    found = series_with_baseline(context, segment, names, period_ns, STEPS)
    plots = []
    for name, (series, baseline) in found.items():
        unit = context.metrics[name].unit.value
        usual = f"usually {measured(baseline['mean'], unit)}" if baseline else "nothing to compare with before"
        plot = Plot(
            name=words(name),
            unit=unit,
            start_ns=period_ns[0],
            end_ns=period_ns[1],
            points=points_of(series),
            baseline=baseline,
            marks=marks,
        )
        plots += [(plot, f"{int(series.count.sum()):,} scores, {usual}")] if len(series) else []
    return plots


def _rows(context: ApiContext, metric: str, breakdown: list[Beside]) -> list[dict[str, Any]]:
    unit = context.metrics[metric].unit.value if metric else ""
    most = max((b.recent or 0.0 for b in breakdown), default=0.0) or 1.0
    return [
        {
            "key": b.key,
            "recent": measured(b.recent, unit),
            "before": measured(b.before, unit),
            "count": b.recent_count,
            "share": (b.recent or 0.0) / most,
        }
        for b in breakdown
    ]
