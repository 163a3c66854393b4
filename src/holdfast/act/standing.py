"""What is in force for a scope now: the desired state with the live leases that match it, and how to say so."""

from collections.abc import Iterable

from holdfast.control.effective import Effective, Matcher
from holdfast.control.snapshot import Guard, Route, Snapshot
from holdfast.core.errors import InputError


def in_force(scope: dict[str, str], snapshot: Snapshot) -> Effective:
    """What the leases come to for a request that has just the scope's values."""
    return Matcher(snapshot).match({name: (value,) for name, value in scope.items()}, snapshot.created_ns)


def routes_in(scope: dict[str, str], snapshot: Snapshot) -> tuple[Route, ...]:
    """The routes that requests of this scope may take: the one that it names, else all.

    Raises:
        InputError: it names a route that there is not.
    """
    name = scope.get("route")
    found = tuple(route for route in snapshot.desired.routes if name in (None, route.name))
    if name is not None and not found:
        raise InputError(
            f"there is no route {name!r}: {', '.join(route.name for route in snapshot.desired.routes)}", "scope[route]"
        )
    return found


def guards_in(scope: dict[str, str], snapshot: Snapshot) -> tuple[Guard, ...]:
    """The guards that are configured for requests of this scope."""
    route, tenant = scope.get("route"), scope.get("tenant")
    return tuple(
        guard
        for guard in snapshot.desired.guards
        if (not guard.routes or route is None or route in guard.routes)
        and (not guard.tenants or tenant is None or tenant in guard.tenants)
    )


def weights_of(route: Route) -> dict[str, float]:
    """The weights of a route's targets as configured."""
    return {weighted.target: weighted.weight for weighted in route.targets}


def weights_said(weights: dict[str, float]) -> str:
    """Such as ``gpt 1, mini 0``."""
    return ", ".join(f"{name} {weight:g}" for name, weight in weights.items())


def routing_said(scope: dict[str, str], snapshot: Snapshot) -> str:
    """Who serves requests of this scope now."""
    force = in_force(scope, snapshot)
    if force.target:
        return f"all to {force.target}, by {force.leases[-1].id}"
    if force.weights is not None:
        return f"weights {weights_said(force.weights)}, by {force.leases[-1].id}"
    return "; ".join(f"{route.name}: {weights_said(weights_of(route))}" for route in routes_in(scope, snapshot)) or "no route"


def among(place: str, name: str, known: Iterable[str], what: str) -> None:
    """Refuses a name that leads nowhere.

    Raises:
        InputError: names what there is.
    """
    names = sorted(known)
    if name not in names:
        raise InputError(f"there is no {what} {name!r}: {', '.join(names) or 'none is configured'}", place)
