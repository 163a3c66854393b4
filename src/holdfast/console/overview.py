"""The first page: what is broken, what is contained, what is watched."""

from statistics import median
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.roles import Identity
from holdfast.api.actions import listed, visible
from holdfast.api.context import ApiContext, Context
from holdfast.api.metrics import heat, worse
from holdfast.api.status import kept_calls, last_hour, scorer_state, with_silent
from holdfast.console.leases import NONE, live_leases
from holdfast.console.objectives import shown_objectives
from holdfast.console.page import PageRoute, Viewer, render
from holdfast.console.remembered import remembered_of
from holdfast.console.shown import duration, measured, number
from holdfast.core.clock import NS_PER_S
from holdfast.core.incident import Incident, Severity, State
from holdfast.core.score import Direction
from holdfast.core.signal import Signal
from holdfast.ledger.listing import SHOWN, IncidentQuery, Order
from holdfast.live import Progress
from holdfast.telemetry.overview import Beside

router = APIRouter(route_class=PageRoute)

HOUR_NS = 3600 * NS_PER_S
DAY_NS = 24 * HOUR_NS
WINDOW_NS = 15 * 60 * NS_PER_S
SHORTEST_NS = 60 * NS_PER_S
ROWS = 14
WORST = (Severity.SEV1, Severity.SEV2)
ALARM = 1_000.0
"""What alarms stands above whatever merely looks worse."""
STEPS = ((3.0, "h1"), (6.0, "h2"), (12.0, "h3"), (24.0, "h4"))
"""From so many standard errors worse, this shade."""
FIRST_DAY_SHARE = 3.0
"""What new streams may spend of a day's budget in their first one without anything being wrong: see `detect.budget`."""


@router.get("/")
def show_overview(request: Request, context: Context, who: Viewer) -> Response:
    """Everything in one look."""
    now = context.clock.now_ns()
    open_ones, _ = listed(context, who, IncidentQuery(states=(State.OPEN, State.MITIGATED), order=Order.SEVERITY, limit=8))
    leases = live_leases(request)
    remembered, key = remembered_of(request), visible(who)
    calls, oldest = remembered.get(("calls", key), now, lambda: (kept_calls(context, who), context.telemetry.oldest_ns()))
    # What the ledger says is asked anew as soon as it has moved: a figure must not lag behind the list beside it.
    figures = remembered.get(("figures", key, context.ledger.anchor().seq), now, lambda: _figures(context, who, now))
    window = _window(oldest, now)
    beside = remembered.get(("heat", key), now, lambda: heat(context, who, window))
    scorers = remembered.get(("coverage", key), now, lambda: last_hour(context, who))
    return render(
        request,
        who,
        "overview.html",
        incidents=open_ones,
        figures=[
            *figures,
            *_budget(context.progress),
            _figure(str(len(leases)), "contained now"),
            _figure(number(calls), "calls kept"),
        ],
        window=duration(window / NS_PER_S),
        heat=_heat_map(context, beside, _alarms(open_ones)),
        objectives=shown_objectives(context, who),
        leases=leases,
        no_leases=NONE,
        coverage=_coverage(scorers),
    )


def _window(oldest_ns: int, now_ns: int) -> int:
    """A quarter of an hour, or less while all that is kept is younger than two hours: there must be something to compare with."""
    return int(min(max((now_ns - oldest_ns) // 4, SHORTEST_NS), WINDOW_NS))


def _figures(context: ApiContext, who: Identity, now: int) -> list[dict[str, str]]:
    counted = context.ledger.counts(visible(who)).get(State.OPEN, 0)
    worst, more = listed(context, who, IncidentQuery(states=(State.OPEN,), severities=WORST, limit=500))
    recent, _ = listed(context, who, IncidentQuery(states=tuple(State), detected_from_ns=max(0, now - 30 * DAY_NS), limit=500))
    confirmed = [i for i in recent if i.state in SHOWN]
    detect = [(i.detected_ns - i.started_ns) / NS_PER_S for i in confirmed]
    contain = [(i.timestamps["mitigated"].ns - i.detected_ns) / NS_PER_S for i in confirmed if "mitigated" in i.timestamps]
    declined = sum(i.state is State.DECLINED and i.detected_ns > now - DAY_NS for i in recent)
    return [
        _figure(number(counted), f"open, {len(worst)}{'+' if more else ''} SEV1 or SEV2", "bad" if counted else "good"),
        _figure(duration(median(detect)) if detect else "–", "to detect, 30-day median"),
        _figure(duration(median(contain)) if contain else "–", "to contain, 30-day median"),
        _figure(number(declined), "declined in 24 h"),
    ]


def _budget(progress: Progress) -> list[dict[str, str]]:
    """How many false alarms are to be expected. Nothing is said while the pipeline has not told."""
    if progress.budget is None:
        return []
    budget = progress.budget.per_day
    kind = "warn" if progress.spent_today > FIRST_DAY_SHARE * budget else ""
    label = f"false alarms expected in 24 h, budget {budget:g}"
    return [_figure(f"{progress.spent_today:.2f}", label, kind)]


def _figure(value: str, label: str, kind: str = "") -> dict[str, str]:
    return {"value": value, "label": label, "kind": kind}


def _alarms(incidents: tuple[Incident, ...]) -> dict[tuple[str, str], Signal]:
    """The strongest signal that is not cleared, by metric and application."""
    found: dict[tuple[str, str], Signal] = {}
    for incident in incidents:
        for signal in incident.signals:
            place = (signal.metric, signal.segment.service)
            if signal.id not in incident.cleared and (place not in found or signal.log_evidence > found[place].log_evidence):
                found[place] = signal
    return found


def _heat_map(context: ApiContext, beside: list[Beside], alarms: dict[tuple[str, str], Signal]) -> dict[str, Any]:
    services = sorted({cell.service for cell in beside})
    by_place = {(cell.key, cell.service): cell for cell in beside}
    scores = {place: worse(cell, context.metrics[cell.key]) or 0.0 for place, cell in by_place.items()}
    scores |= {place: ALARM + signal.log_evidence for place, signal in alarms.items() if place in by_place}
    names = sorted({cell.key for cell in beside}, key=lambda name: -max(scores.get((name, s), 0.0) for s in services))
    return {
        "services": services,
        "rows": [
            {
                "metric": name,
                "description": context.metrics[name].description,
                "cells": [
                    _cell(context, by_place.get((name, s)), scores.get((name, s), 0.0), alarms.get((name, s))) for s in services
                ],
            }
            for name in names[:ROWS]
        ],
    }


def _cell(context: ApiContext, cell: Beside | None, score: float, alarm: Signal | None) -> dict[str, Any] | None:
    if cell is None or cell.recent is None:
        return None
    metric = context.metrics[cell.key]
    # A shade is for what is worse by a margin that matters, as the detectors have it, not for what is merely certain.
    rose = cell.before is not None and _beyond_margin(cell.recent, cell.before, metric.margin, metric.direction)
    kind = next((name for least, name in reversed(STEPS) if score >= least), "") if rose or alarm else ""
    # While it alarms, "before" is before the onset, not the sick hours that lie behind.
    usual = alarm.baseline if alarm and not alarm.segment.dimension else cell.before
    recent, before = measured(cell.recent, metric.unit), measured(usual, metric.unit)
    return {
        "service": cell.service,
        "value": recent,
        "before": before if usual is not None and before != recent else "",
        "arrow": "" if usual is None else "↑" if cell.recent > usual else "↓",
        "alarm": f"alarm on {alarm.segment.value or 'all calls'}" if alarm else "",
        "kind": kind,
        "spoken": f"{metric.description}: {recent} now, {before} before, {number(cell.recent_count)} scores",
    }


def _beyond_margin(recent: float, before: float, margin: float, direction: Direction) -> bool:
    if direction is Direction.DOWN_IS_WORSE:
        return recent * margin < before
    return recent > before * margin or (direction is Direction.BOTH and recent * margin < before)


def _coverage(scorers: dict[str, dict[str, int]]) -> dict[str, Any]:
    order = sorted(scorers, key=lambda name: (-scorers[name]["failed"], _share(scorers[name])))
    rows = [{"name": name, "failed": scorers[name]["failed"], "share": _share(scorers[name])} for name in order]
    silent = [name for name, counts in with_silent(scorers).items() if scorer_state(counts) == "silent"] if scorers else []
    return {"rows": rows[:12], "failing": [row for row in rows if row["failed"]], "silent": silent, "total": len(rows)}


def _share(counts: dict[str, int]) -> float:
    total = sum(counts.values())
    return counts["ran"] / total if total else 0.0
