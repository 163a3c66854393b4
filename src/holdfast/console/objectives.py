"""Objectives as the overview shows them."""

import math
from typing import Any
from urllib.parse import urlencode

from holdfast.access.roles import Identity
from holdfast.api.context import ApiContext
from holdfast.api.objectives import Promise, Standing, burns_too_fast, promises
from holdfast.console.shown import ago, duration, measured, number, words
from holdfast.core.score import Direction
from holdfast.detect.burn_rate import ObjectiveReport
from holdfast.detect.objective import PAIRS, Objective

DAY_S = 86_400
DAYS_FROM_MIN = 2 * 1_440
KINDS = {
    Standing.BURNING: "open",
    Standing.SPENT: "open",
    Standing.BURNING_SLOWLY: "mitigated",
    Standing.UNSEEN: "",
    Standing.KEPT: "resolved",
}
"""Colours of the chips, by the states of incidents."""
WORDS = {Standing.UNSEEN: "no calls yet"}
WINDOWS = tuple(f"{pair.long_min // 60} h" if pair.long_min < DAYS_FROM_MIN else f"{pair.long_min // 1440} d" for pair in PAIRS)


def shown_objectives(context: ApiContext, who: Identity) -> list[dict[str, Any]]:
    """Those that somebody may see, the worst first."""
    return [_shown(context, promise) for promise in promises(context, who)]


def _shown(context: ApiContext, promise: Promise) -> dict[str, Any]:
    objective, segment, report = promise.objective, promise.segment, promise.report
    asked = {"service": segment.service, "metric": objective.metric, "dimension": segment.dimension, "value": segment.value}
    return {
        "name": objective.name,
        "promise": _promise(context, objective),
        "link": f"/charts?{urlencode({name: text for name, text in asked.items() if text})}",
        "where": str(segment) or "each",
        "standing": WORDS.get(promise.standing, words(promise.standing)),
        "kind": KINDS[promise.standing],
        "bad": promise.standing in (Standing.BURNING, Standing.SPENT),
        "left": report.budget.left if report else 0.0,
        "left_text": f"{100 * report.budget.left:.0f} %" if report else "–",
        "windows": WINDOWS,
        "burns": _burns(report),
        "lasts": _lasts(report.budget.days_to_go) if report else "–",
        "last_call": ago(report.last_ns, context.clock.now_ns()) if report else "–",
    }


def _burns(report: ObjectiveReport | None) -> list[dict[str, Any]]:
    if report is None:
        return [{"burn": "–", "fast": False}] * len(WINDOWS)
    return [{"burn": f"×{number(window.long, 2)}", "fast": burns_too_fast(window, report)} for window in report.windows]


def _promise(context: ApiContext, objective: Objective) -> str:
    """Such as ``latency above 8 s in at most 5 % of calls, 30 d``."""
    allowed = f"in at most {100 * objective.allowed:.3g} % of calls, {objective.days:g} d"
    metric = context.metrics.get(objective.metric)
    if objective.bad_from is None or metric is None:
        return f"{words(objective.metric)} {allowed}"
    side = "down to" if metric.direction is Direction.DOWN_IS_WORSE else "from"
    return f"{words(objective.metric)} {side} {measured(objective.bad_from, metric.unit)} {allowed}"


def _lasts(days: float) -> str:
    if days <= 0:
        return "used up"
    return duration(days * DAY_S) if math.isfinite(days) else "for ever"
