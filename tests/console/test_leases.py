"""A lease in words."""

from holdfast.console.leases import ShownLease
from holdfast.control.effects import Refuse
from holdfast.control.snapshot import Lease

S = 1_000_000_000


def test_a_lease_says_what_where_and_until_when() -> None:
    lease = Lease(
        id="lease_1",
        sequence=1,
        action="kill_route",
        effect=Refuse(),
        scope={"route": "/chat", "tenant": "a"},
        share=1.0,
        granted_ns=0,
        expires_ns=600 * S,
        owner="inc_1",
        actor="user:ada",
        reason="it leaks",
        plan_hash="",
        before="",
    )
    shown = ShownLease(lease, 0)
    assert (shown.scope, shown.ends) == ("route=/chat, tenant=a", "in 10 min")
