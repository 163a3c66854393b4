"""`kill_route`: a route is stopped. The last resort, and never without a person."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import in_force, routes_in
from holdfast.control.effects import Refuse
from holdfast.control.snapshot import Snapshot
from holdfast.core.errors import InputError


class KillRouteArguments(Arguments, frozen=True, kw_only=True):
    """`retry_after_s`: when clients are told to try again, in [0, 86400]."""

    retry_after_s: float = 60.0


class KillRoute:
    """Refuses the requests of the route in scope, with a hint when to retry."""

    name = "kill_route"
    summary = "refuse the requests of a route, with a hint when to retry"
    arguments = KillRouteArguments
    caps = Caps()
    needs = ("route",)

    def effect(self, arguments: KillRouteArguments, scope: dict[str, str], snapshot: Snapshot) -> Refuse:
        """Raises InputError where there is no such route, or the hint is out of range."""
        routes_in(scope, snapshot)
        if not 0 <= arguments.retry_after_s <= 86_400:
            raise InputError("must be from 0 to 86400", "arguments.retry_after_s")
        return Refuse(retry_after_s=arguments.retry_after_s)

    def does(self, effect: Refuse) -> str:
        """In words."""
        return f"every request is refused, and told to try again after {effect.retry_after_s:g} s"

    def before(self, effect: Refuse, scope: dict[str, str], snapshot: Snapshot) -> str:
        """Whether it is stopped already."""
        return "refused by another lease" if in_force(scope, snapshot).refuse else "served"
