"""Leases and drafts for the tests of the control plane."""

from typing import Any

from holdfast.control.effects import DisableTool, Effect
from holdfast.control.leases import Draft
from holdfast.control.snapshot import Desired, Lease, Snapshot
from holdfast.testing.control import example_desired

NOW = 1_000_000_000_000
LATER = NOW + 60_000_000_000


def lease(effect: Effect | None = None, number: int = 1, **changes: Any) -> Lease:
    fields: dict[str, Any] = {
        "id": f"lse_{number}",
        "sequence": number,
        "action": "disable_tool",
        "effect": effect or DisableTool(tool="refund"),
        "scope": {"route": "support"},
        "share": 1.0,
        "granted_ns": NOW,
        "expires_ns": LATER,
        "owner": "inc_1",
        "actor": "user:ada",
        "reason": "it refunds everybody",
        "plan_hash": "0" * 64,
        "before": "refund may be called",
    }
    return Lease(**{**fields, **changes})


def snapshot(*leases: Lease, desired: Desired | None = None) -> Snapshot:
    return Snapshot(version=len(leases), created_ns=NOW, desired=desired or example_desired(), leases=leases)


def draft(effect: Effect | None = None, **changes: Any) -> Draft:
    fields: dict[str, Any] = {
        "action": "disable_tool",
        "effect": effect or DisableTool(tool="refund"),
        "scope": {"route": "support"},
        "ttl_s": 60.0,
        "owner": "inc_1",
        "reason": "it refunds everybody",
        "before": "refund may be called",
    }
    return Draft(**{**fields, **changes})
