"""From what somebody asks for to a lease: planned, shown, checked against the caps, applied; and undone."""

from collections.abc import Iterator
from typing import Any

import msgspec

from holdfast.act.protocol import Action, Arguments
from holdfast.act.registry import ACTIONS
from holdfast.control.diff import described
from holdfast.control.events import ControlState
from holdfast.control.leases import Draft, granted
from holdfast.control.snapshot import Lease, Snapshot
from holdfast.control.store import ControlStore
from holdfast.control.validate import must_be_sound
from holdfast.core.errors import ConflictError, InputError, TransitionError
from holdfast.core.ids import derived_id


class Reach(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom an action is expected to reach: users, and the share of all traffic in [0, 1]. Measured by whoever asks."""

    users: int
    traffic: float


class ActionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An action that somebody asks for.

    `owner`: incident id, or a person. `automatic`: no person stands behind it; it needs a `reach` and `confidence_low` of the
    diagnosis that asks (`core.diagnosis`), and the action's caps bind it.
    `plan_hash`: of the plan that was approved; empty asks for no such check. `key` makes asking twice the same as once.
    """

    action: str
    scope: dict[str, str]
    ttl_s: float
    owner: str
    reason: str
    arguments: dict[str, Any] = {}
    share: float = 1.0
    automatic: bool = False
    reach: Reach | None = None
    confidence_low: float = 0.0
    plan_hash: str = ""
    key: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done, in words, and its hash. Nothing has happened yet. `warnings`: why it might do less than one thinks."""

    action: str
    does: str
    undo: str
    lease: Lease
    plan_hash: str
    warnings: tuple[str, ...] = ()


class Containment:
    """Plans, applies and undoes actions on a control store."""

    def __init__(self, store: ControlStore) -> None:
        self._store = store

    def plan(self, request: ActionRequest, actor: str) -> Plan:
        """The dry run: refuses what `apply` would refuse now, and changes nothing.

        Raises:
            InputError, TransitionError, ConflictError: as `apply`.
        """
        state, now_ns = self._store.refresh(), self._store.now_ns()
        live = msgspec.structs.replace(state.snapshot, leases=state.snapshot.live(now_ns))
        state = msgspec.structs.replace(state, snapshot=live)
        draft = _draft(request, state, now_ns)
        lease = granted(state, draft, actor, now_ns).lease
        must_be_sound(msgspec.structs.replace(live, leases=(*live.leases, lease)))
        does = ACTIONS[request.action].does(draft.effect)
        return Plan(
            action=request.action,
            does=f"{described(lease)}: {does}",
            undo=f"end the lease: {draft.before}",
            lease=lease,
            plan_hash=draft.plan_hash,
            warnings=tuple(_warnings(lease, live)),
        )

    def apply(self, request: ActionRequest, actor: str, expected_version: int | None = None) -> Lease:
        """Does it.

        Args:
            request: what.
            actor: who, for the ledger.
            expected_version: version of the snapshot that the caller saw; None: whatever there is.

        Raises:
            InputError: the action is unknown, its arguments or its scope make no sense, or the result would not be sound.
            TransitionError: automation may not do this: it is stopped, or its caps are spent.
            ConflictError: the plan is not the one that was approved, or somebody else changed the snapshot first.
        """
        return self._store.grant(lambda state: _draft(request, state, self._store.now_ns()), actor, expected_version)

    def undo(self, lease_id: str, actor: str, reason: str) -> None:
        """Ends the lease: what stands below it is in force again.

        Raises:
            NotFoundError: there is no such live lease.
            InputError: there is no reason.
        """
        self._store.revoke(lease_id, actor, reason)


def _draft(request: ActionRequest, state: ControlState, now_ns: int) -> Draft:
    action = ACTIONS.get(request.action)
    if action is None:
        raise InputError(f"there is no action {request.action!r}: {', '.join(ACTIONS)}", "action")
    if not request.scope:
        raise InputError("is empty: an action without a scope does nothing", "scope")
    for dimension in action.needs:
        if dimension not in request.scope:
            raise InputError(f"must name the {dimension} for {action.name}", "scope")
    effect = action.effect(_arguments(action, request.arguments), request.scope, state.snapshot)
    reach = request.reach or Reach(users=1 if "user" in request.scope else 0, traffic=0.0)
    draft = Draft(
        action=action.name,
        effect=effect,
        scope=request.scope,
        ttl_s=request.ttl_s,
        owner=request.owner,
        reason=request.reason,
        before=action.before(effect, request.scope, state.snapshot),
        share=request.share,
        automatic=request.automatic,
        traffic=reach.traffic,
        users=reach.users,
        key=request.key,
    )
    if request.plan_hash and request.plan_hash != draft.plan_hash:
        raise ConflictError("this is not the plan that was approved: it would now come out different; plan it again")
    if request.automatic:
        _must_be_within_caps(action, request, state, now_ns)
    return draft


def _warnings(lease: Lease, snapshot: Snapshot) -> Iterator[str]:
    route = lease.scope.get("route")
    if route is not None and route not in {one.name for one in snapshot.desired.routes}:
        yield f"no gateway has a route {route!r}: only applications that read flags will meet this"
    if lease.share < 1 and "user" in lease.scope:
        yield "a share of one user is this user or nobody"
    if any(other.scope == lease.scope and type(other.effect) is type(lease.effect) for other in snapshot.leases):
        yield "a lease of this kind lies over the same scope already"


def _arguments(action: Action, given: dict[str, Any]) -> Arguments:
    try:
        return msgspec.convert(given, action.arguments)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        raise InputError(what, f"arguments{place.rstrip('`')}") from error


def _must_be_within_caps(action: Action, request: ActionRequest, state: ControlState, now_ns: int) -> None:
    caps, reach = action.caps, request.reach
    if caps.users <= 0:
        raise TransitionError(f"{action.name} is never applied without a person")
    if reach is None:
        raise TransitionError(f"{action.name} without a person needs to know whom it would reach")
    if request.confidence_low < caps.confidence_low:
        raise TransitionError(
            f"{action.name} without a person needs a diagnosis that is right at least {caps.confidence_low:.0%} of the time, "
            f"this one is so {request.confidence_low:.0%}"
        )
    if request.share > caps.share or request.ttl_s > caps.ttl_s:
        raise TransitionError(f"{action.name} without a person has a share of at most {caps.share:g} and {caps.ttl_s:g} s")
    others = [
        lease
        for lease in state.snapshot.live(now_ns)
        if lease.automatic and lease.action == action.name and not _is_same(lease, request)
    ]
    users = reach.users + sum(lease.users for lease in others)
    traffic = reach.traffic + sum(lease.traffic for lease in others)
    if users > caps.users or traffic > caps.traffic:
        raise TransitionError(
            f"{action.name} without a person may reach {caps.users} users and {caps.traffic:.0%} of the traffic at a time, "
            f"this would make {users} and {traffic:.0%}: a person may apply it"
        )


def _is_same(lease: Lease, request: ActionRequest) -> bool:
    return bool(request.key) and lease.id == derived_id("lse", request.key)
