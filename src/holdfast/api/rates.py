"""Rates of failures, corrected by the judged sample."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query

from holdfast.access.roles import Role
from holdfast.api.context import Context, Who
from holdfast.core.clock import NS_PER_S, from_iso, to_iso
from holdfast.core.errors import InputError, NotFoundError
from holdfast.core.prediction_powered import FEWEST, rate_of
from holdfast.correlate.judged_impact import judge_of

router = APIRouter(prefix="/api/v1", tags=["metrics"])

DAY_NS = 86_400 * NS_PER_S
LONGEST_NS = 31 * DAY_NS


@router.get("/metrics/{name}/rate")
def show_rate(  # noqa: PLR0913 - one parameter a filter is how FastAPI documents them
    context: Context,
    who: Who,
    name: str,
    service: Annotated[str, Query(min_length=1, max_length=256)],
    dimension: Annotated[str, Query(max_length=64)] = "",
    value: Annotated[str, Query(max_length=256)] = "",
    since: Annotated[str, Query(max_length=64, description="RFC 3339; default: a day before the end.")] = "",
    until: Annotated[str, Query(max_length=64, description="RFC 3339; default: now.")] = "",
) -> dict[str, Any]:
    """How often calls fail by a metric, as its judge would say of all of them, with a 95 % interval.

    `estimate` is null, with the reason beside it, where no scorer judges this metric or too few calls were judged. Calls that
    were to be judged and were not (a full queue, a spent budget, a judge out of reach) are counted in its `not_judged`.
    """
    if not who.may(Role.VIEWER, service):
        raise NotFoundError(f"no application {service!r}")
    if name not in context.metrics:
        raise NotFoundError(f"no metric {name!r}")
    end = _time(until, "until") or context.clock.now_ns()
    start = _time(since, "since") or end - DAY_NS
    if not 0 < end - start <= LONGEST_NS:
        raise InputError("since must be before until, by 31 days at most", "since")
    judge = judge_of(name, context.metrics)
    told: dict[str, Any] = {"metric": name, "judge": judge or None, "start": to_iso(start), "end": to_iso(end), "estimate": None}
    if not judge:
        return told | {"reason": f"no scorer says that it corrects {name}"}
    found = context.telemetry.observations(service, [name, judge], start, end)
    missed = context.telemetry.unscored(service, judge, start, end)
    rate = rate_of(found[name], found[judge], {dimension: value} if dimension else None, missed)
    if rate is None:
        failed = f"; on {len(missed)} the judge failed" if missed else ""
        return told | {"reason": f"fewer than {FEWEST} judged calls{failed}"}
    return told | {"estimate": msgspec.to_builtins(rate), "reason": ""}


def _time(text: str, field: str) -> int:
    if not text:
        return 0
    try:
        return from_iso(text)
    except ValueError as error:
        raise InputError(str(error), field) from None
