"""Containments over HTTP: which actions there are, the dry run, applying, renewing, undoing; and blocks by their id."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field

from holdfast.access.roles import EVERYWHERE, Identity, Role
from holdfast.act.containment import ActionRequest, Plan
from holdfast.act.registry import ACTIONS
from holdfast.api.context import Who
from holdfast.api.control import Body, IfMatch, Reason, Viewer, changed, etag, expected_version
from holdfast.api.plane import ControlPlane, Plane
from holdfast.api.problems import PreconditionError
from holdfast.control.documents import block_document, ended_document, lease_document
from holdfast.control.leases import blocks
from holdfast.control.snapshot import Lease
from holdfast.core.errors import ConflictError, InputError, NotFoundError

router = APIRouter(prefix="/api/v1/control", tags=["control"])


class ReachBody(Body):
    """Whom it is expected to reach."""

    users: Annotated[int, Field(ge=0)]
    traffic: Annotated[float, Field(ge=0, le=1)]


class ActionBody(Body):
    """An action, its arguments, and on whom; see `GET /api/v1/control/actions`."""

    action: Annotated[str, Field(min_length=1, max_length=64)]
    scope: Annotated[dict[str, str], Field(min_length=1, description="Dimension to value; all must match.")]
    ttl_s: Annotated[float, Field(gt=0, description="Seconds after which it ends by itself.")]
    owner: Annotated[str, Field(min_length=1, max_length=256, description="Incident id, or a person.")]
    reason: Reason
    arguments: dict[str, Any] = {}
    share: Annotated[float, Field(gt=0, le=1, description="Of the matching users.")] = 1.0
    automatic: Annotated[bool, Field(description="No person stands behind it: caps and the red button bind it.")] = False
    reach: ReachBody | None = None
    confidence_low: Annotated[float, Field(ge=0, le=1, description="Of the diagnosis that asks, where it is automatic.")] = 0.0
    plan_hash: Annotated[str, Field(max_length=64, description="Of the plan that was approved.")] = ""
    key: Annotated[str, Field(max_length=128, description="Asking again with the same key changes nothing.")] = ""


class RenewalBody(Body):
    """Another end, counted from now."""

    ttl_s: Annotated[float, Field(gt=0)]
    reason: Reason


class EndBody(Body):
    """Why it ends."""

    reason: Reason


@router.get("/actions")
def list_actions(who: Viewer) -> list[dict[str, Any]]:
    """The actions, gentlest first: what each does, its arguments as JSON schema, and how far automation may go with it."""
    return [
        {
            "name": action.name,
            "summary": action.summary,
            "needs": list(action.needs),
            "arguments": msgspec.json.schema(action.arguments),
            "caps": msgspec.to_builtins(action.caps),
        }
        for action in ACTIONS.values()
    ]


@router.post("/leases/plan")
def plan(plane: Plane, who: Who, body: ActionBody) -> dict[str, Any]:
    """The dry run: what would happen in words, and the hash that an approval binds. Nothing changes."""
    return _plan_document(plane, plane.containment.plan(_request(who, body), who.actor))


@router.get("/leases")
def list_leases(
    plane: Plane,
    who: Viewer,
    ended: Annotated[bool, Query(description="Also those that have ended.")] = False,
    owner: Annotated[str, Query(max_length=256, description="Only those of this incident or person.")] = "",
) -> list[dict[str, Any]]:
    """The containments in force, in the order in which they were granted; then those that ended, newest first."""
    state, now_ns = plane.store.expire(), plane.store.now_ns()
    found = [lease_document(lease, now_ns) for lease in state.snapshot.live(now_ns)]
    if ended:
        found += [ended_document(one) for one in reversed(state.ended)]
    return [lease for lease in found if owner in ("", lease["owner"])]


@router.post("/leases", status_code=201)
def apply(plane: Plane, who: Who, body: ActionBody, response: Response, if_match: IfMatch = "") -> dict[str, Any]:
    """Applies an action. Needs the role approver on the application in scope, or everywhere where it names none."""
    try:
        lease = plane.containment.apply(_request(who, body), who.actor, expected_version(if_match))
    except ConflictError as error:
        if if_match:
            raise PreconditionError(str(error)) from None
        raise
    response.headers["ETag"] = etag(plane.store.snapshot)
    return lease_document(lease, plane.store.now_ns())


@router.get("/leases/{lease_id}")
def show_lease(plane: Plane, who: Viewer, lease_id: str) -> dict[str, Any]:
    """One containment, in force or ended."""
    state, now_ns = plane.store.expire(), plane.store.now_ns()
    lease = state.lease(lease_id)
    if lease is not None:
        return lease_document(lease, now_ns)
    for ended in reversed(state.ended):
        if ended.lease.id == lease_id:
            return ended_document(ended)
    raise NotFoundError(f"no lease {lease_id!r}")


@router.post("/leases/{lease_id}/renew")
def renew(plane: Plane, who: Who, lease_id: str, body: RenewalBody) -> dict[str, Any]:
    """Lets it end later, or sooner."""
    _must_approve(who, plane, lease_id)
    return lease_document(plane.store.renew(lease_id, body.ttl_s, who.actor, body.reason), plane.store.now_ns())


@router.post("/leases/{lease_id}/revoke")
def revoke(plane: Plane, who: Who, lease_id: str, body: EndBody, response: Response) -> dict[str, Any]:
    """Undoes it now: what stands below it is in force again."""
    _must_approve(who, plane, lease_id)
    plane.containment.undo(lease_id, who.actor, body.reason)
    return changed(plane, response, (f"lease {lease_id} revoked",))


@router.get("/blocks/{block_id}")
def show_block(plane: Plane, who: Viewer, block_id: str) -> dict[str, Any]:
    """What support looks up when a user quotes the id of a block."""
    for found, lease, ended in blocks(plane.store.expire(), plane.store.now_ns()):
        if found == block_id:
            return block_document(found, lease, ended, plane.store.now_ns())
    raise NotFoundError(f"no block {block_id!r}")


@router.post("/blocks/{block_id}/lift")
def lift_block(plane: Plane, who: Who, block_id: str, body: EndBody, response: Response) -> dict[str, Any]:
    """Lets the user in again; a block that no containment has is a guard's, and counts against that guard's budget.

    Needs the role responder: on the application in the containment's scope, or everywhere for a guard's block.
    """
    known = [(lease, ended) for found, lease, ended in blocks(plane.store.expire(), plane.store.now_ns()) if found == block_id]
    live = next((lease for lease, ended in known if ended is None), None)
    if live is not None:
        who.must(Role.RESPONDER, _application(live.scope))
        plane.containment.undo(live.id, who.actor, body.reason)
    elif known:
        raise NotFoundError(f"no block {block_id!r} is in force")
    else:
        who.must(Role.RESPONDER)
        plane.store.lift(block_id, who.actor, body.reason)
    return changed(plane, response, (f"block {block_id} lifted",))


def _request(who: Identity, body: ActionBody) -> ActionRequest:
    who.must(Role.APPROVER, _application(body.scope))
    try:
        return msgspec.convert(body.model_dump(), ActionRequest)
    except msgspec.ValidationError as error:
        raise InputError(str(error), "action") from error


def _must_approve(who: Identity, plane: ControlPlane, lease_id: str) -> None:
    lease = plane.store.refresh().lease(lease_id)
    who.must(Role.APPROVER, _application(lease.scope) if lease else EVERYWHERE)


def _application(scope: dict[str, str]) -> str:
    return scope.get("service.name", EVERYWHERE)


def _plan_document(plane: ControlPlane, planned: Plan) -> dict[str, Any]:
    return {
        "action": planned.action,
        "does": planned.does,
        "undo": planned.undo,
        "plan_hash": planned.plan_hash,
        "warnings": list(planned.warnings),
        "lease": _without_id(planned.lease, plane.store.now_ns()),
    }


def _without_id(lease: Lease, now_ns: int) -> dict[str, Any]:
    """As it would be granted; ids are given then."""
    shown = lease_document(lease, now_ns)
    return {name: value for name, value in shown.items() if name not in ("id", "sequence", "actor")}
