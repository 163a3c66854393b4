"""Never all targets of a route at once: no request may find every target of its route taken away.

A request loses targets to the open breakers that match it, and is held to some by the newest shift of traffic or the newest model
downgrade that matches it. Which of several shifts that is changes when one of them ends, so each is looked at by itself: what
holds now then also holds after any of them has ended. Leases whose scopes contradict each other never meet.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from holdfast.control.effects import OpenBreaker, ShiftTraffic, UseModel
from holdfast.control.problem import Problem
from holdfast.control.snapshot import Lease, Route, Snapshot

MAX_STEPS = 20_000
"""Combinations that are tried before the answer is that there are too many."""

Scope = dict[str, str]


def availability_problems(snapshot: Snapshot) -> Iterator[Problem]:
    """One problem for each route that some request would find without any target."""
    openers = [lease for lease in snapshot.leases if isinstance(lease.effect, OpenBreaker)]
    if not openers:
        return
    for route in snapshot.desired.routes:
        found = _blackout(route, snapshot.leases, openers)
        if found:
            yield Problem(f"routes[{route.name}]", found)


def _blackout(route: Route, leases: Iterable[Lease], openers: Sequence[Lease]) -> str:
    """Why a request of this route would have no target; empty where each has one."""
    here: Scope = {"route": route.name}
    steps = iter(range(MAX_STEPS))
    for held, scope, why in _held_to(route, leases, here):
        closing = _closed_together(held, scope, openers, steps)
        if closing is not None:
            ids = ", ".join(dict.fromkeys(lease.id for lease in closing))
            return f"all its targets{why} would be open at once ({ids}): to stop a route, use kill_route"
        if next(steps, None) is None:
            return "too many overlapping leases open its targets to be sure that one remains: revoke some"
    return ""


def _held_to(route: Route, leases: Iterable[Lease], here: Scope) -> Iterator[tuple[list[str], Scope, str]]:
    """The sets of targets that a request may be held to: the route's own, or those of a lease."""
    yield [weighted.target for weighted in route.targets if weighted.weight > 0], here, ""
    own = {weighted.target for weighted in route.targets}
    for lease in leases:
        scope = _both(lease.scope, here)
        if scope is None:
            continue
        if isinstance(lease.effect, ShiftTraffic):
            weights = lease.effect.weights
            yield [name for name in own if weights.get(name, 0) > 0], scope, f" with weight in {lease.id}"
        elif isinstance(lease.effect, UseModel):
            yield [lease.effect.target], scope, f" that {lease.id} allows"


def _closed_together(targets: list[str], scope: Scope, openers: Sequence[Lease], steps: Iterator[int]) -> list[Lease] | None:
    """Leases that one request can meet together and that open all of `targets`; None where there are none."""
    if not targets:
        return []
    first, *rest = targets
    for lease in openers:
        if not isinstance(lease.effect, OpenBreaker) or lease.effect.target != first:
            continue
        if next(steps, None) is None:
            return None
        met = _both(lease.scope, scope)
        if met is None:
            continue
        others = _closed_together(rest, met, openers, steps)
        if others is not None:
            return [lease, *others]
    return None


def _both(one: Scope, other: Scope) -> Scope | None:
    """The scope of requests that are in both; None where the two contradict each other."""
    if any(other.get(name, value) != value for name, value in one.items()):
        return None
    return {**other, **one}


def in_order(leases: Sequence[Lease]) -> bool:
    """Whether the leases stand in the order in which they were granted."""
    return all(earlier.sequence < later.sequence for earlier, later in pairwise(leases))
