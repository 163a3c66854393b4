"""`throttle_user`: one abusing user gets a lower rate."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import in_force
from holdfast.control.effects import Throttle
from holdfast.control.snapshot import Snapshot
from holdfast.core.errors import InputError


class ThrottleUserArguments(Arguments, frozen=True, kw_only=True):
    """`requests_per_s`, above 0; to stop a user altogether, block."""

    requests_per_s: float = 0.1


class ThrottleUser:
    """Limits the user in scope."""

    name = "throttle_user"
    summary = "limit one user to a lower rate of requests"
    arguments = ThrottleUserArguments
    caps = Caps(users=50, traffic=0.1)
    needs = ("user",)

    def effect(self, arguments: ThrottleUserArguments, scope: dict[str, str], snapshot: Snapshot) -> Throttle:
        """Raises InputError where the rate is not above 0."""
        if not 0 < arguments.requests_per_s <= 1e6:
            raise InputError("must be above 0", "arguments.requests_per_s")
        return Throttle(requests_per_s=arguments.requests_per_s)

    def does(self, effect: Throttle) -> str:
        """In words."""
        return f"the user is limited to {effect.requests_per_s:g} requests a second"

    def before(self, effect: Throttle, scope: dict[str, str], snapshot: Snapshot) -> str:
        """What limits the user now."""
        standing = in_force(scope, snapshot).requests_per_s
        configured = snapshot.desired.user_limit.requests_per_s
        if standing is not None:
            return f"limited to {standing:g} requests a second by another lease"
        return f"limited to {configured:g} requests a second as every user" if configured else "not limited"
