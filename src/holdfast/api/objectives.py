"""Objectives: what was promised, what is left of the budget of bad calls, and how fast it burns."""

import math
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query

from holdfast.access.roles import Identity, Role
from holdfast.api.context import ApiContext, Context, Who
from holdfast.core.clock import to_iso
from holdfast.core.signal import Segment, Verdict
from holdfast.detect.burn_rate import ObjectiveReport, WindowBurn
from holdfast.detect.objective import Objective

MINUTES_A_DAY = 1_440

router = APIRouter(prefix="/api/v1", tags=["objectives"])


class Standing(StrEnum):
    """How an objective stands in a segment, the worst first."""

    BURNING = "burning"
    SPENT = "spent"
    BURNING_SLOWLY = "burning_slowly"
    UNSEEN = "unseen"
    KEPT = "kept"


class Promise(msgspec.Struct, frozen=True):
    """An objective in a segment; `report` None where none of its calls was counted yet."""

    objective: Objective
    segment: Segment
    report: ObjectiveReport | None

    @property
    def standing(self) -> Standing:
        """What no call was counted for is not said to be kept."""
        report = self.report
        if report is None:
            return Standing.UNSEEN
        if report.alarm is Verdict.FAILURE:
            return Standing.BURNING
        if report.budget.left <= 0:
            return Standing.SPENT
        return Standing.BURNING_SLOWLY if report.alarm is not None else Standing.KEPT


@router.get("/objectives")
def list_objectives(context: Context, who: Who, service: Annotated[str, Query(max_length=256)] = "") -> list[dict[str, Any]]:
    """Every objective in every segment that it is counted in, the worst first, as of the last checkpoint of the pipeline.

    `budget_left` is a share of the period's budget, below 0 where more was used than there was; `days_to_go` how long it lasts at
    the burn rate of the last hour, null where nothing is used. A burn rate of 1 uses it up in exactly the period. A window
    `alarms` while it was seen whole and burns at its `rate` over its long and over its short part. `standing` says how it
    stands: burning, spent, burning_slowly, unseen (no call was counted), kept.
    """
    return [_document(promise) for promise in promises(context, who) if service in ("", promise.segment.service)]


def promises(context: ApiContext, who: Identity) -> list[Promise]:
    """Those of applications that somebody may see, the worst first."""
    reports: dict[str, list[ObjectiveReport]] = {objective.name: [] for objective in context.objectives}
    for report in context.progress.objectives:
        reports.setdefault(report.objective, []).append(report)
    found = [Promise(objective, report.segment, report) for objective in context.objectives for report in reports[objective.name]]
    found += [Promise(objective, _asked(objective), None) for objective in context.objectives if not reports[objective.name]]
    order = list(Standing)
    seen = [promise for promise in found if _may_see(who, promise.segment)]
    return sorted(seen, key=lambda promise: (order.index(promise.standing), promise.objective.name, promise.segment))


def burns_too_fast(window: WindowBurn, report: ObjectiveReport) -> bool:
    """Whether the window was seen from its beginning, and both of its parts burn at the rate that is too fast."""
    whole = report.budget.known_days * MINUTES_A_DAY >= window.pair.long_min
    return whole and min(window.long, window.short) >= window.pair.rate


def _may_see(who: Identity, segment: Segment) -> bool:
    return who.may(Role.VIEWER, segment.service) if segment.service else who.may_anywhere(Role.VIEWER)


def _asked(objective: Objective) -> Segment:
    """The segment that an objective names, before any call of it came; without a service where it holds for each of them."""
    dimension, value = next(iter(objective.where.items()), ("", ""))
    return Segment(objective.service, dimension, value)


def _document(promise: Promise) -> dict[str, Any]:
    objective, report = promise.objective, promise.report
    known = (
        {
            "budget_left": report.budget.left,
            "known_days": report.budget.known_days,
            "days_to_go": report.budget.days_to_go if math.isfinite(report.budget.days_to_go) else None,
            "last_call": to_iso(report.last_ns),
            "windows": [_window(window, report) for window in report.windows],
        }
        if report
        else {"budget_left": None, "known_days": 0.0, "days_to_go": None, "last_call": None, "windows": []}
    )
    return {
        "name": objective.name,
        "metric": objective.metric,
        "share": objective.share,
        "bad_from": objective.bad_from,
        "days": objective.days,
        "service": promise.segment.service,
        "segment": promise.segment.conditions,
        "standing": promise.standing.value,
        **known,
    }


def _window(window: WindowBurn, report: ObjectiveReport) -> dict[str, Any]:
    return {
        "rate": window.pair.rate,
        "long_min": window.pair.long_min,
        "short_min": window.pair.short_min,
        "long_burn": window.long,
        "short_burn": window.short,
        "alarms": burns_too_fast(window, report),
    }
