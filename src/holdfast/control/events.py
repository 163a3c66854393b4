"""What can happen to the control plane, and the fold that makes of it what gateways run.

The events are a stream of the ledger, so their version is the snapshot's. Each says who and when (in the stream's envelope), why,
and what stood there before; the fold needs nothing else.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import singledispatch

import msgspec

from holdfast.control.snapshot import Desired, Lease, Snapshot
from holdfast.core.errors import IntegrityError, TransitionError
from holdfast.core.stream import EventStream, StreamEntry, StreamEvent

MAX_LIFTED = 100
"""Lifted blocks that travel with the snapshot: gateways that follow have counted the older ones."""
MAX_ENDED = 500
"""Leases that have ended and are still told of; the ledger knows the older ones."""


class DesiredChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """People configured something else. `changes` are the differences to what stood there before, in words."""

    desired: Desired
    changes: tuple[str, ...]
    reason: str


class LeaseGranted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A containment was applied; the lease carries its reason and what stood there before."""

    lease: Lease


class LeaseRenewed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A lease ends at another time than `before_ns`."""

    lease_id: str
    before_ns: int
    expires_ns: int
    reason: str


class LeaseRevoked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A containment was taken back before its time."""

    lease_id: str
    reason: str


class LeaseExpired(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A containment came to its end; gateways ended it by themselves at that time."""

    lease_id: str


class AutomationStopped(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The red button was pressed."""

    reason: str


class AutomationResumed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The red button was released."""

    reason: str


class BlockLifted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A guard had stopped somebody harmless, as support found out."""

    block_id: str
    reason: str


ControlEvent = (
    DesiredChanged
    | LeaseGranted
    | LeaseRenewed
    | LeaseRevoked
    | LeaseExpired
    | AutomationStopped
    | AutomationResumed
    | BlockLifted
)
"""Everything that can happen to the control plane."""


class HowEnded(StrEnum):
    """How a lease came to its end."""

    REVOKED = "revoked"
    EXPIRED = "expired"


class EndedLease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease that is no more: how, when, by whom and why."""

    lease: Lease
    how: HowEnded
    ended_ns: int
    actor: str
    reason: str


class ControlState(msgspec.Struct, frozen=True, kw_only=True):
    """What the events come to: the snapshot, and the last leases that ended, newest last."""

    snapshot: Snapshot = Snapshot(version=0, created_ns=0, desired=Desired())
    ended: tuple[EndedLease, ...] = ()

    def lease(self, lease_id: str) -> Lease | None:
        """The lease of this id that has not been ended."""
        return next((lease for lease in self.snapshot.leases if lease.id == lease_id), None)


START = ControlState()
"""Before the first event."""

_decode = msgspec.json.Decoder(ControlEvent).decode


def recorded(event: ControlEvent, actor: str, time_ns: int) -> StreamEvent:
    """The event as the stream keeps it."""
    return StreamEvent(time_ns=time_ns, actor=actor, type=type(event).__name__, body=msgspec.json.encode(event).decode())


def event_in(entry: StreamEntry) -> ControlEvent:
    """The event in an entry of the stream.

    Raises:
        IntegrityError: it is none, or one of a newer Holdfast.
    """
    try:
        event: ControlEvent = _decode(entry.event.body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise IntegrityError(f"control event {entry.version} cannot be read: {error}") from error
    return event


def fold(entries: Iterable[StreamEntry], state: ControlState = START) -> ControlState:
    """The state after these events, in order.

    Raises:
        IntegrityError: an event cannot be read, or one is missing.
        TransitionError: an event does not fit what was there.
    """
    for entry in entries:
        state = apply(state, entry)
    return state


def folds(stream: EventStream) -> str:
    """Why a stream does not fold to a state, as a tampered one may; empty where it does."""
    state = START
    try:
        while page := stream.read(state.snapshot.version):
            state = fold(page, state)
    except (IntegrityError, TransitionError) as error:
        return str(error)
    return ""


def apply(state: ControlState, entry: StreamEntry) -> ControlState:
    """The state after one more event.

    Raises:
        IntegrityError, TransitionError: as in `fold`.
    """
    if entry.version != state.snapshot.version + 1:
        raise IntegrityError(f"control event {entry.version} does not follow {state.snapshot.version}")
    changed = _applied(event_in(entry), state, entry.event)
    snapshot = msgspec.structs.replace(changed.snapshot, version=entry.version, created_ns=entry.event.time_ns)
    return msgspec.structs.replace(changed, snapshot=snapshot)


@singledispatch
def _applied(event: object, state: ControlState, said: StreamEvent) -> ControlState:
    raise TypeError(f"unknown event {type(event).__name__}")


@_applied.register
def _(event: DesiredChanged, state: ControlState, said: StreamEvent) -> ControlState:
    return _with(state, desired=event.desired)


@_applied.register
def _(event: LeaseGranted, state: ControlState, said: StreamEvent) -> ControlState:
    if state.lease(event.lease.id) is not None:
        raise TransitionError(f"lease {event.lease.id} was granted before")
    return _with(state, leases=(*state.snapshot.leases, event.lease))


@_applied.register
def _(event: LeaseRenewed, state: ControlState, said: StreamEvent) -> ControlState:
    renewed = msgspec.structs.replace(_known(state, event.lease_id), expires_ns=event.expires_ns)
    return _with(state, leases=tuple(renewed if lease.id == renewed.id else lease for lease in state.snapshot.leases))


@_applied.register
def _(event: LeaseRevoked, state: ControlState, said: StreamEvent) -> ControlState:
    return _ended(state, event.lease_id, HowEnded.REVOKED, said, event.reason)


@_applied.register
def _(event: LeaseExpired, state: ControlState, said: StreamEvent) -> ControlState:
    return _ended(state, event.lease_id, HowEnded.EXPIRED, said, "its time was over")


@_applied.register
def _(event: AutomationStopped, state: ControlState, said: StreamEvent) -> ControlState:
    return _with(state, automation=False)


@_applied.register
def _(event: AutomationResumed, state: ControlState, said: StreamEvent) -> ControlState:
    return _with(state, automation=True)


@_applied.register
def _(event: BlockLifted, state: ControlState, said: StreamEvent) -> ControlState:
    return _with(state, lifted=(*state.snapshot.lifted, event.block_id)[-MAX_LIFTED:])


def _with(state: ControlState, **changes: object) -> ControlState:
    return msgspec.structs.replace(state, snapshot=msgspec.structs.replace(state.snapshot, **changes))


def _known(state: ControlState, lease_id: str) -> Lease:
    lease = state.lease(lease_id)
    if lease is None:
        raise TransitionError(f"there is no lease {lease_id}")
    return lease


def _ended(state: ControlState, lease_id: str, how: HowEnded, said: StreamEvent, reason: str) -> ControlState:
    lease = _known(state, lease_id)
    ended = EndedLease(lease=lease, how=how, ended_ns=said.time_ns, actor=said.actor, reason=reason)
    left = _with(state, leases=tuple(other for other in state.snapshot.leases if other.id != lease_id))
    return msgspec.structs.replace(left, ended=(*state.ended, ended)[-MAX_ENDED:])
