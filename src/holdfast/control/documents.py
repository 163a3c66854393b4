"""Leases, blocks and events as JSON values for people and programs: API, command line and console show the same."""

from typing import Any

import msgspec

from holdfast.control.diff import described
from holdfast.control.effects import Block
from holdfast.control.events import ControlEvent, DesiredChanged, EndedLease, LeaseGranted, LeaseRenewed
from holdfast.control.snapshot import Lease
from holdfast.core.clock import NS_PER_S, to_iso


def lease_document(lease: Lease, now_ns: int) -> dict[str, Any]:
    """A lease with its times as text, and the seconds that it has left."""
    told: dict[str, Any] = msgspec.to_builtins(lease)
    for name in ("granted", "expires"):
        told[name] = to_iso(told.pop(f"{name}_ns"))
    told["left_s"] = round(max(0, lease.expires_ns - now_ns) / NS_PER_S, 3)
    told["text"] = described(lease)
    return told


def ended_document(ended: EndedLease) -> dict[str, Any]:
    """A lease that has ended: how, when, by whom and why."""
    return {
        **lease_document(ended.lease, ended.lease.expires_ns),
        "ended": to_iso(ended.ended_ns),
        "how": ended.how.value,
        "ended_by": ended.actor,
        "ended_because": ended.reason,
    }


def block_document(block_id: str, lease: Lease, ended: EndedLease | None, now_ns: int) -> dict[str, Any]:
    """What support is told of a block: who, since when, until when, why, and whether and by whom it was lifted."""
    shown = ended_document(ended) if ended else lease_document(lease, now_ns)
    return {"block_id": block_id, "live": ended is None and lease.expires_ns > now_ns, **shown}


def block_id_of(lease: Lease) -> str:
    """The id that a blocked user is told; empty where the lease blocks nobody."""
    return lease.effect.block_id if isinstance(lease.effect, Block) else ""


def event_document(event: ControlEvent) -> dict[str, Any]:
    """What happened in one line, with the reason, what stood there before and what stands there now."""
    match event:
        case DesiredChanged(changes=changes, reason=reason):
            text, before, after = "; ".join(changes), None, None
        case LeaseGranted(lease=lease):
            text, reason, before, after = described(lease), lease.reason, lease.before, lease.id
        case LeaseRenewed(lease_id=lease_id, before_ns=before_ns, expires_ns=expires_ns, reason=reason):
            text, before, after = lease_id, to_iso(before_ns), to_iso(expires_ns)
        case _:
            text, reason = getattr(event, "lease_id", getattr(event, "block_id", "")), getattr(event, "reason", "")
            before, after = None, None
    return {"event": type(event).__name__, "text": text, "reason": reason, "before": before, "after": after}
