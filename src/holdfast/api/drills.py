"""Drills: break a sample application on purpose, beside this server, and see the scorecard."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from pydantic import Field

from holdfast.access.audit import Act, Audited
from holdfast.access.roles import Identity, Role
from holdfast.api.accounts import Body
from holdfast.api.context import ApiContext, Context, Who, requires
from holdfast.api.drill_runs import FEWEST_CALLS, LARGEST_SEED, MOST_CALLS, MOST_NAMES, DrillOrder, DrillRun, DrillRuns
from holdfast.core.clock import to_iso
from holdfast.core.errors import NotFoundError

router = APIRouter(prefix="/api/v1/drills", tags=["drills"])

Approver = Annotated[Identity, Depends(requires(Role.APPROVER))]


class NewRun(Body):
    """What is to be run, by the names that `GET /api/v1/drills` lists."""

    names: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=MOST_NAMES)]
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] = 1
    calls: Annotated[int, Field(ge=FEWEST_CALLS, le=MOST_CALLS)] | None = None


@router.get("")
def list_runs(context: Context, who: Who) -> list[dict[str, Any]]:
    """The runs that are kept, newest first, without their scorecards."""
    return [_told(run) for run in there(context).runs()]


@router.post("", status_code=202)
def start_run(context: Context, who: Approver, body: NewRun) -> dict[str, Any]:
    """Begins a run in a process of its own. One at a time."""
    return _told(started(context, who, DrillOrder(names=tuple(body.names), seed=body.seed, calls=body.calls or 0)))


@router.get("/{run_id}")
def show_run(context: Context, who: Who, run_id: str) -> dict[str, Any]:
    """A run with its scorecard, null while there is none."""
    run = there(context).run(run_id)
    return {**_told(run), "scorecard": msgspec.to_builtins(run.scorecard)}


def started(context: ApiContext, who: Identity, order: DrillOrder) -> DrillRun:
    """A run that has begun, and is noted.

    Raises:
        ConflictError, InputError, StoreError: as `DrillRuns.start`.
    """
    run = there(context).start(order, who.actor)
    audited = Audited(type=Act.DRILLS_RUN, address=who.address, target=run.id, after=msgspec.to_builtins(order))
    context.access.note(who, audited)
    return run


def there(context: ApiContext) -> DrillRuns:
    """The runs of this server.

    Raises:
        NotFoundError: it runs none.
    """
    if context.drills is None:
        raise NotFoundError("this server runs no drills")
    return context.drills


def _told(run: DrillRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "state": run.state,
        "names": run.order.names,
        "seed": run.order.seed,
        "calls": run.order.calls or None,
        "by": run.by,
        "started": to_iso(run.started_ns),
        "ended": to_iso(run.ended_ns) if run.ended_ns else None,
        "error": run.error,
    }
