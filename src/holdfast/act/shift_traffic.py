"""`shift_traffic`: a route's targets share its requests in other proportions."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import among, routes_in, routing_said, weights_of, weights_said
from holdfast.control.effects import ShiftTraffic
from holdfast.control.snapshot import Snapshot
from holdfast.core.errors import InputError


class ShiftTrafficArguments(Arguments, frozen=True, kw_only=True):
    """`weights`: target to weight, 0 or above; a target that is not named gets none."""

    weights: dict[str, float]


class ShiftTrafficAction:
    """Replaces the weights of the route in scope."""

    name = "shift_traffic"
    summary = "share a route's requests between its targets in other proportions"
    arguments = ShiftTrafficArguments
    caps = Caps(users=5_000, traffic=0.5)
    needs = ("route",)

    def effect(self, arguments: ShiftTrafficArguments, scope: dict[str, str], snapshot: Snapshot) -> ShiftTraffic:
        """Raises InputError where a target is not of the route, or none gets weight."""
        (route,) = routes_in(scope, snapshot)
        for name, weight in arguments.weights.items():
            among("arguments.weights", name, weights_of(route), f"target of route {route.name}")
            if not 0 <= weight <= 1e9:
                raise InputError("must be 0 or above", f"arguments.weights[{name}]")
        if not any(weight > 0 for weight in arguments.weights.values()):
            raise InputError("have no weight at all: to stop a route, use kill_route", "arguments.weights")
        return ShiftTraffic(weights={**dict.fromkeys(weights_of(route), 0.0), **arguments.weights})

    def does(self, effect: ShiftTraffic) -> str:
        """In words."""
        return f"the targets share the requests as {weights_said(effect.weights)}"

    def before(self, effect: ShiftTraffic, scope: dict[str, str], snapshot: Snapshot) -> str:
        """The weights now."""
        return routing_said(scope, snapshot)
