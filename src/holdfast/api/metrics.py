"""Metrics: what there are, series with their baseline band, breakdowns, and the heat map of all applications."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from fastapi import APIRouter, Query

from holdfast.access.roles import Identity, Role
from holdfast.api.actions import visible
from holdfast.api.context import ApiContext, Context, Who
from holdfast.api.incidents import time_ns
from holdfast.core.clock import NS_PER_S, to_iso
from holdfast.core.errors import InputError, NotFoundError
from holdfast.core.score import Direction, Metric
from holdfast.core.signal import Segment
from holdfast.telemetry.overview import Beside, Windows
from holdfast.telemetry.scores import Series

router = APIRouter(prefix="/api/v1", tags=["metrics"])

HOUR_NS = 3600 * NS_PER_S
LONGEST_NS = 31 * 24 * HOUR_NS
BAND = (0.025, 0.975)
"""Quantiles of the steps before the period between which a step is as usual."""

Name = Annotated[str, Query(max_length=256)]
Service = Annotated[str, Query(min_length=1, max_length=256)]
Time = Annotated[str, Query(max_length=64)]


@router.get("/metric-definitions")
def list_metrics(context: Context, who: Who) -> list[dict[str, Any]]:
    """Every metric: what it means, its unit, which way is worse."""
    return [
        {
            "name": metric.name,
            "family": metric.family.value,
            "unit": metric.unit.value,
            "direction": metric.direction.value,
            "failure_mode": metric.failure_mode,
            "description": metric.description,
            "harm": metric.harm,
            "hard": metric.hard,
        }
        for metric in context.metrics.values()
    ]


@router.get("/metrics/{name}/series")
def show_series(  # noqa: PLR0913 - one parameter a filter is how FastAPI documents them
    context: Context,
    who: Who,
    name: str,
    service: Service,
    dimension: Annotated[str, Query(max_length=64)] = "",
    value: Name = "",
    since: Time = "",
    until: Time = "",
    steps: Annotated[int, Query(ge=2, le=500)] = 60,
) -> dict[str, Any]:
    """A metric in `steps` steps from `since` (default: an hour before the end) to `until` (default: now), with its baseline.

    The baseline is the period of equal length before: mean of all scores, and the band that 95 of 100 steps lay in.
    """
    _must_see(who, service)
    _known(context, name)
    start, end = _period(context, since, until)
    series, before = series_with_baseline(context, Segment(service, dimension, value), [name], (start, end), steps)[name]
    return {
        "metric": name,
        "unit": context.metrics[name].unit.value,
        "start": to_iso(start),
        "end": to_iso(end),
        "step_s": series.step_ns / NS_PER_S,
        "points": [
            {"time": to_iso(int(t)), "count": int(n), "mean": float(m), "median": float(d), "high": float(h)}
            for t, n, m, d, h in zip(series.time_ns, series.count, series.mean, series.median, series.high, strict=True)
        ],
        "baseline": before,
    }


@router.get("/metrics/{name}/breakdown")
def show_breakdown(  # noqa: PLR0913 - one parameter a filter is how FastAPI documents them
    context: Context,
    who: Who,
    name: str,
    service: Service,
    dimension: Annotated[str, Query(min_length=1, max_length=64)],
    since: Time = "",
    until: Time = "",
) -> list[dict[str, Any]]:
    """A metric by the values of a dimension, beside the period of equal length before; most calls first."""
    _must_see(who, service)
    _known(context, name)
    start, end = _period(context, since, until)
    found = context.telemetry.breakdown(service, name, dimension, Windows(max(0, 2 * start - end), start, end))
    return [{"value": beside.key, **_beside(beside)} for beside in found]


@router.get("/heat")
def show_heat(context: Context, who: Who, window_s: Annotated[int, Query(ge=60, le=86_400)] = 3_600) -> list[dict[str, Any]]:
    """Every watched metric of every application in the last window, beside the six windows before."""
    return [
        {"service": beside.service, "metric": beside.key, "worse": worse(beside, context.metrics[beside.key]), **_beside(beside)}
        for beside in heat(context, who, window_s * NS_PER_S)
    ]


def heat(context: ApiContext, who: Identity, window_ns: int) -> list[Beside]:
    """What the heat map shows: metrics that can alarm, of applications that `who` may see."""
    end = context.clock.now_ns() + 1
    watched = [metric.name for metric in context.metrics.values() if metric.direction is not Direction.INFORMATION]
    return context.telemetry.heat(watched, Windows(max(0, end - 7 * window_ns), max(0, end - window_ns), end), visible(who))


def worse(beside: Beside, metric: Metric) -> float | None:
    """By how many standard errors the recent mean is worse than before; None where either is missing or there is no spread.

    Positive is worse. A picture's measure, not a test: what alarms is decided by the detectors.
    """
    if beside.recent is None or beside.before is None or not beside.recent_count:
        return None
    difference = beside.recent - beside.before
    # Where all was equal before, a tenth of the mean stands for the spread that was never seen.
    spread = max(beside.deviation, abs(beside.before) * 0.1, 1e-3) / beside.recent_count**0.5
    if metric.direction is Direction.DOWN_IS_WORSE:
        difference = -difference
    signed = abs(difference) if metric.direction is Direction.BOTH else difference
    return round(float(signed) / float(spread), 2)


def series_with_baseline(
    context: ApiContext, segment: Segment, metrics: Sequence[str], period_ns: tuple[int, int], steps: int
) -> dict[str, tuple[Series, dict[str, float] | None]]:
    """Metrics over a period in steps, each with mean and band of as many steps before; None where those have no scores."""
    start, end = period_ns
    step = max(1, (end - start) // steps)
    begin = max(start - -(-(end - start) // step) * step, start % step)
    found = context.telemetry.series_of(segment, metrics, begin, end, step)
    return {name: (cut(series, start, end), band(cut(series, begin, start))) for name, series in found.items()}


def cut(series: Series, start_ns: int, end_ns: int) -> Series:
    """The steps that begin in [start, end)."""
    chosen = (series.time_ns >= start_ns) & (series.time_ns < end_ns)
    columns = {name: getattr(series, name)[chosen] for name in ("time_ns", "count", "mean", "median", "high")}
    return msgspec.structs.replace(series, **columns)


def band(usual: Series) -> dict[str, float] | None:
    """Mean of all scores of a series, and between what 95 of 100 of its steps lay; None where there are no scores."""
    if not len(usual):
        return None
    low, high = np.quantile(usual.mean, BAND)
    mean = float(np.average(usual.mean, weights=usual.count))
    return {"mean": mean, "low": float(low), "high": float(high), "count": int(usual.count.sum())}


def _period(context: ApiContext, since: str, until: str) -> tuple[int, int]:
    end = time_ns(until, context.clock.now_ns() + 1)
    start = time_ns(since, max(0, end - HOUR_NS))
    if not 0 < end - start <= LONGEST_NS:
        raise InputError("the period must end after it begins, and be no longer than 31 days", "since")
    return start, end


def _must_see(who: Identity, service: str) -> None:
    if not who.may(Role.VIEWER, service):
        raise NotFoundError(f"no application {service!r}")


def _known(context: ApiContext, name: str) -> None:
    if name not in context.metrics:
        raise NotFoundError(f"no metric {name!r}")


def _beside(beside: Beside) -> dict[str, Any]:
    return {
        "recent": beside.recent,
        "recent_count": beside.recent_count,
        "before": beside.before,
        "before_count": beside.before_count,
    }
