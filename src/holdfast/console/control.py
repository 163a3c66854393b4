"""The control plane: what gateways run, what is contained, and the red button."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.roles import EVERYWHERE, Role
from holdfast.act.containment import ActionRequest
from holdfast.act.registry import ACTIONS
from holdfast.api.plane import plane_of
from holdfast.console.forms import Form, SignedForm
from holdfast.console.leases import NONE, live_leases
from holdfast.console.page import PageRoute, Viewer, back, render
from holdfast.control.diff import described
from holdfast.control.events import (
    AutomationResumed,
    AutomationStopped,
    BlockLifted,
    ControlEvent,
    DesiredChanged,
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    event_in,
)
from holdfast.core.errors import InputError
from holdfast.core.stream import StreamEntry

router = APIRouter(route_class=PageRoute)

HISTORY = 20


@router.get("/control")
def show_control(request: Request, who: Viewer) -> Response:
    """Snapshot, leases, gateways with their breakers, prompts, history."""
    plane = plane_of(request)
    state = plane.store.expire()
    snapshot = state.snapshot
    return render(
        request,
        who,
        "control.html",
        snapshot=snapshot,
        leases=live_leases(request),
        no_leases=NONE,
        gateways=plane.gateways.known(),
        history=[_told(entry) for entry in plane.history(HISTORY, 0)],
        actions=ACTIONS.values(),
        incident=request.query_params.get("incident", ""),
        may_approve=who.may_anywhere(Role.APPROVER),
        may_stop=who.may(Role.APPROVER),
    )


@router.post("/control/leases")
def apply(request: Request, who: Viewer, form: SignedForm) -> Response:
    """Applies a containment."""
    planned = _request(form, who.actor)
    who.must(Role.APPROVER, planned.scope.get("service.name", EVERYWHERE))
    plane_of(request).containment.apply(planned, who.actor)
    return back(f"/incidents/{planned.owner}" if planned.owner.startswith("inc_") else "/control")


@router.post("/control/leases/{lease_id}/revoke")
def revoke(request: Request, who: Viewer, lease_id: str, form: SignedForm) -> Response:
    """Undoes it now."""
    plane = plane_of(request)
    lease = plane.store.refresh().lease(lease_id)
    who.must(Role.APPROVER, lease.scope.get("service.name", EVERYWHERE) if lease else EVERYWHERE)
    plane.containment.undo(lease_id, who.actor, form.must("reason", "The reason"))
    return back("/control")


@router.post("/control/automation")
def press(request: Request, who: Viewer, form: SignedForm) -> Response:
    """The red button: automatic containments end and no new ones come, until somebody lets them again."""
    who.must(Role.APPROVER)
    store = plane_of(request).store
    act = store.stop_automation if form.get("to") == "stop" else store.resume_automation
    act(who.actor, form.must("reason", "The reason"))
    return back("/control")


def _request(form: Form, actor: str) -> ActionRequest:
    scope = dict(line.strip().partition("=")[::2] for line in form.must("scope", "The scope").splitlines() if line.strip())
    minutes = form.get("minutes")
    if not (minutes.isascii() and minutes.isdigit() and 0 < int(minutes[:6]) <= 100_000):
        raise InputError(f"{minutes!r} is no number of minutes", "minutes")
    return ActionRequest(
        action=form.must("action", "The action", 64),
        scope=scope,
        ttl_s=float(minutes[:6]) * 60,
        owner=form.get("owner") or actor,
        reason=form.must("reason", "The reason"),
        arguments=_arguments(form),
    )


def _arguments(form: Form) -> dict[str, object]:
    """``name=value`` lines; a value is JSON where it is, else text."""
    found: dict[str, object] = {}
    for line in form.get("arguments").splitlines():
        name, sign, value = line.strip().partition("=")
        if not line.strip():
            continue
        if not sign:
            raise InputError(f"{line.strip()!r} is not name=value", "arguments")
        try:
            found[name.strip()] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            found[name.strip()] = value.strip()
    return found


def _told(entry: StreamEntry) -> dict[str, Any]:
    actor = entry.event.actor
    return {
        "time_ns": entry.event.time_ns,
        "actor": actor.removeprefix("user:"),
        "person": actor.startswith("user:"),
        "what": _words(event_in(entry)),
    }


def _words(event: ControlEvent) -> str:
    match event:
        case DesiredChanged(changes=changes, reason=reason):
            return f"configured: {'; '.join(changes[:3])} ({reason})"
        case LeaseGranted(lease=lease):
            return f"contained: {described(lease)}"
        case LeaseExpired(lease_id=lease_id):
            return f"{lease_id} came to its end"
        case LeaseRenewed(lease_id=lease_id, reason=reason):
            return f"renewed {lease_id}: {reason}"
        case LeaseRevoked(lease_id=lease_id, reason=reason):
            return f"undid {lease_id}: {reason}"
        case AutomationStopped(reason=reason):
            return f"stopped automation: {reason}"
        case AutomationResumed(reason=reason):
            return f"let automation act again: {reason}"
        case BlockLifted(block_id=block_id, reason=reason):
            return f"said that {block_id} stopped somebody harmless: {reason}"
