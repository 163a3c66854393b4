"""`open_breaker`: a target is not used for the requests in scope."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import among, in_force, routes_in
from holdfast.control.effects import OpenBreaker
from holdfast.control.snapshot import Snapshot


class OpenBreakerArguments(Arguments, frozen=True, kw_only=True):
    """`target`: which; `judge`: whose good verdicts on probes close it early, empty: nobody's."""

    target: str
    judge: str = ""


class OpenBreakerAction:
    """Keeps the breaker of a target open; never of all targets of a route."""

    name = "open_breaker"
    summary = "stop using one target, until its time is over or probes are judged good"
    arguments = OpenBreakerArguments
    caps = Caps(users=5_000, traffic=0.5)
    needs = ()

    def effect(self, arguments: OpenBreakerArguments, scope: dict[str, str], snapshot: Snapshot) -> OpenBreaker:
        """Raises InputError where the target serves nothing in scope."""
        serving = {weighted.target for route in routes_in(scope, snapshot) for weighted in route.targets}
        among("arguments.target", arguments.target, serving, "target in scope")
        return OpenBreaker(target=arguments.target, judge=arguments.judge)

    def does(self, effect: OpenBreaker) -> str:
        """In words."""
        early = f", or {effect.judge} has judged its probes good" if effect.judge else ""
        return f"{effect.target} is not used, the other targets are, until the lease ends{early}"

    def before(self, effect: OpenBreaker, scope: dict[str, str], snapshot: Snapshot) -> str:
        """Whether it is open already."""
        opened = effect.target in in_force(scope, snapshot).opened
        return f"{effect.target} is kept open by another lease" if opened else f"{effect.target} is used as its breakers allow"
