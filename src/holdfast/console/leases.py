"""What is contained, as pages show it."""

from fastapi import Request

from holdfast.api.plane import plane_of
from holdfast.console.shown import ago, moment
from holdfast.control.snapshot import Lease

NONE = "Nothing is contained. A containment is a lease: it has a scope, an end and a captured undo."


class ShownLease:
    """A lease in words."""

    def __init__(self, lease: Lease, now_ns: int) -> None:
        self.id = lease.id
        self.action = lease.action
        self.owner = lease.owner
        self.actor = lease.actor
        self.reason = lease.reason
        self.automatic = lease.automatic
        self.share = lease.share
        self.before = lease.before
        self.scope = ", ".join(f"{name}={value}" for name, value in lease.scope.items())
        self.ends = ago(lease.expires_ns, now_ns)
        self.ends_at = moment(lease.expires_ns)


def live_leases(request: Request, owner: str = "") -> list[ShownLease]:
    """The leases in force, of one owner or of all, in the order in which they were granted."""
    plane = plane_of(request)
    now = plane.store.now_ns()
    return [ShownLease(lease, now) for lease in plane.store.refresh().snapshot.live(now) if owner in ("", lease.owner)]
