"""Decisions about leases: what somebody asks for becomes events, or is refused. Pure; the store writes what comes out."""

import hashlib
import re
from collections.abc import Iterator

import msgspec

from holdfast.control.effects import Block, Effect
from holdfast.control.events import (
    AutomationResumed,
    AutomationStopped,
    BlockLifted,
    ControlEvent,
    ControlState,
    EndedLease,
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
)
from holdfast.control.lease_rules import MAX_REASON, ttl_ns, ttl_problems
from holdfast.control.snapshot import Lease
from holdfast.core.errors import InputError, NotFoundError, TransitionError
from holdfast.core.ids import derived_id, random_id

_BLOCK_ID = re.compile(r"blk_[0-9a-f]{8,64}")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A lease that is asked for. `ttl_s` seconds from the grant; the other fields as in `Lease`.

    `key`, where it is set, makes granting idempotent: the lease's id depends on it alone.
    """

    action: str
    effect: Effect
    scope: dict[str, str]
    ttl_s: float
    owner: str
    reason: str
    before: str
    share: float = 1.0
    automatic: bool = False
    traffic: float = 0.0
    users: int = 0
    key: str = ""

    @property
    def plan_hash(self) -> str:
        """SHA-256, in hexadecimal, over what would be done to whom and for how long: what an approval binds."""
        effect = Block(block_id="") if isinstance(self.effect, Block) else self.effect
        said = [self.action, effect, self.scope, self.share, self.ttl_s, self.owner]
        return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()


def granted(state: ControlState, draft: Draft, actor: str, now_ns: int) -> LeaseGranted:
    """The lease that a draft becomes.

    Raises:
        InputError: it would last too short or too long.
        TransitionError: it is automatic while automation is stopped, or its key was used.
    """
    if draft.automatic and not state.snapshot.automation:
        raise TransitionError("automation is stopped by the red button: a person may apply this")
    _must_have_sound_ttl(draft.ttl_s)
    lease_id = derived_id("lse", draft.key) if draft.key else random_id("lse")
    lease = Lease(
        id=lease_id,
        sequence=state.snapshot.version + 1,
        action=draft.action,
        effect=draft.effect,
        scope=draft.scope,
        share=draft.share,
        granted_ns=now_ns,
        expires_ns=now_ns + ttl_ns(draft.ttl_s),
        owner=draft.owner,
        actor=actor,
        reason=draft.reason,
        plan_hash=draft.plan_hash,
        before=draft.before,
        automatic=draft.automatic,
        traffic=draft.traffic,
        users=draft.users,
    )
    return LeaseGranted(lease=lease)


def known_by_key(state: ControlState, draft: Draft) -> Lease | None:
    """The lease, live or ended, that was granted with the key of this draft; None where there is none, or no key.

    Raises:
        InputError: the key was used for another action or scope.
    """
    if not draft.key:
        return None
    lease_id = derived_id("lse", draft.key)
    known = state.lease(lease_id) or next((ended.lease for ended in state.ended if ended.lease.id == lease_id), None)
    if known is not None and (known.action, known.scope) != (draft.action, draft.scope):
        raise InputError(f"was used for {known.action} before", "key")
    return known


def renewed(state: ControlState, lease_id: str, ttl_s: float, reason: str, now_ns: int) -> LeaseRenewed:
    """A lease that ends `ttl_s` seconds from now, earlier or later than it would have.

    Raises:
        NotFoundError: there is no such live lease.
        InputError: the time is too short or too long, or there is no reason.
    """
    lease = live_lease(state, lease_id, now_ns)
    must_have_reason(reason)
    _must_have_sound_ttl(ttl_s)
    return LeaseRenewed(lease_id=lease.id, before_ns=lease.expires_ns, expires_ns=now_ns + ttl_ns(ttl_s), reason=reason)


def revoked(state: ControlState, lease_id: str, reason: str, now_ns: int) -> LeaseRevoked:
    """A lease that ends now.

    Raises:
        NotFoundError: there is no such live lease.
        InputError: there is no reason.
    """
    must_have_reason(reason)
    return LeaseRevoked(lease_id=live_lease(state, lease_id, now_ns).id, reason=reason)


def expired(state: ControlState, now_ns: int) -> list[LeaseExpired]:
    """One event for each lease whose time is over."""
    return [LeaseExpired(lease_id=lease.id) for lease in state.snapshot.leases if lease.expires_ns <= now_ns]


def stopped(state: ControlState, reason: str) -> list[ControlEvent]:
    """The red button: automation ends, and with it every lease that no person stood behind. People's leases stay.

    Raises:
        InputError: there is no reason.
        TransitionError: it is pressed already.
    """
    must_have_reason(reason)
    if not state.snapshot.automation:
        raise TransitionError("automation is stopped already")
    why = f"red button: {reason}"[:MAX_REASON]
    automatic = [lease.id for lease in state.snapshot.leases if lease.automatic]
    return [AutomationStopped(reason=reason), *(LeaseRevoked(lease_id=lease_id, reason=why) for lease_id in automatic)]


def resumed(state: ControlState, reason: str) -> AutomationResumed:
    """The red button is released; what was revoked stays revoked.

    Raises:
        InputError: there is no reason.
        TransitionError: it is not pressed.
    """
    must_have_reason(reason)
    if state.snapshot.automation:
        raise TransitionError("automation is not stopped")
    return AutomationResumed(reason=reason)


def lifted(state: ControlState, block_id: str, reason: str) -> list[BlockLifted]:
    """A guard's block that was wrong. It is not known here which guard's: the gateway that told the id knows.

    Raises:
        InputError: this is no id of a block, it was lifted before, or there is no reason.
    """
    must_have_reason(reason)
    if not _BLOCK_ID.fullmatch(block_id):
        raise InputError("is no id of a block, such as blk_1a2b3c4d5e6f", "block_id")
    if block_id in state.snapshot.lifted:
        raise InputError("was lifted before", "block_id")
    return [BlockLifted(block_id=block_id, reason=reason)]


def live_lease(state: ControlState, lease_id: str, now_ns: int) -> Lease:
    """The lease of this id that has not ended.

    Raises:
        NotFoundError: there is none; says how it ended where that is known.
    """
    lease = state.lease(lease_id)
    if lease is not None and lease.expires_ns > now_ns:
        return lease
    ended = next((e for e in reversed(state.ended) if e.lease.id == lease_id), None)
    if ended is not None:
        raise NotFoundError(f"lease {lease_id} was {ended.how} by {ended.actor}: {ended.reason}")
    raise NotFoundError(f"lease {lease_id} has expired" if lease else f"no lease {lease_id!r}")


def blocks(state: ControlState, now_ns: int) -> Iterator[tuple[str, Lease, EndedLease | None]]:
    """Every block that is known: its id, its lease, and how that ended where it has."""
    for lease in state.snapshot.live(now_ns):
        if isinstance(lease.effect, Block):
            yield lease.effect.block_id, lease, None
    for ended in reversed(state.ended):
        if isinstance(ended.lease.effect, Block):
            yield ended.lease.effect.block_id, ended.lease, ended


def must_have_reason(reason: str) -> None:
    """Refuses a change without a reason.

    Raises:
        InputError: it is blank or too long.
    """
    if not reason.strip() or len(reason) > MAX_REASON:
        raise InputError(f"must have 1 to {MAX_REASON} characters", "reason")


def _must_have_sound_ttl(ttl_s: float) -> None:
    for problem in ttl_problems("ttl_s", ttl_s):
        raise InputError(problem.message, problem.place)
