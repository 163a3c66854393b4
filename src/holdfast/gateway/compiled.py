"""A snapshot as the data plane asks it: everything by name, keys by hash, guards and breakers by route. Never changed."""

import hashlib
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from holdfast.control.effective import Matcher
from holdfast.control.snapshot import (
    BreakerRule,
    BreakerSignal,
    Guard,
    GuardPlace,
    Prompt,
    Route,
    Snapshot,
    Target,
    Template,
    VirtualKey,
)
from holdfast.gateway.guards.protocol import UNCALIBRATED
from holdfast.score.calibrator import Calibrator

DEFAULT_BREAKER = BreakerRule(name="transport", signal=BreakerSignal.TRANSPORT)
"""In force where a snapshot has no breaker on transport errors of its own."""
ANY = VirtualKey(name="", sha256="", application="")
"""Who asks where no keys are configured."""
ROUTE_HEADER = "x-holdfast-route"


class Compiled:
    """One snapshot, indexed, and what people's labels taught. `warnings`: what refers to nothing; it is left out."""

    def __init__(self, snapshot: Snapshot, calibrator: Calibrator = UNCALIBRATED) -> None:
        desired = snapshot.desired
        self.calibrator = calibrator
        self.snapshot = snapshot
        self.version = snapshot.version
        self.matcher = Matcher(snapshot)
        self.targets: Mapping[str, Target] = {t.name: t for t in desired.targets}
        self.routes: Mapping[str, Route] = {r.name: r for r in desired.routes}
        self.templates: Mapping[str, Template] = {t.name: t for t in desired.templates}
        self.prompts: Mapping[str, Prompt] = {p.name: p for p in desired.prompts}
        self.user_limit, self.tenant_limit = desired.user_limit, desired.tenant_limit
        self.needs_key = bool(desired.keys)
        self._keys = {k.sha256: k for k in desired.keys}
        self._by_model = _by_model(desired.routes)
        self._any = tuple(r for r in desired.routes if not r.models)
        self._guards = {
            (place, route.name): tuple(g for g in desired.guards if g.place is place and (not g.routes or route.name in g.routes))
            for place in GuardPlace
            for route in desired.routes
        }
        rules = desired.breakers
        if not any(rule.signal is BreakerSignal.TRANSPORT for rule in rules):
            rules = (*rules, DEFAULT_BREAKER)
        if not snapshot.automation:
            # The red button stops what acts by itself on judgement; that a dead target is not asked is no judgement.
            rules = tuple(replace(r, shadow=True) if r.signal is BreakerSignal.QUALITY else r for r in rules)
        self._rules = {r.name: r for r in rules}
        self._breakers = {r.name: tuple(b for b in rules if not b.routes or r.name in b.routes) for r in desired.routes}
        self.warnings = tuple(_dangling(self))

    def key(self, shown: str) -> VirtualKey | None:
        """Whose key this is; None for nobody's.

        The key is found by its SHA-256: how long the look-up takes tells nothing of any key.
        """
        if not self.needs_key:
            return ANY
        return self._keys.get(hashlib.sha256(shown.encode("utf-8", "surrogateescape")).hexdigest()) if shown else None

    def route_of(self, key: VirtualKey, named: str, model: str) -> Route | None:
        """The route that a request asks for and its key may use; None for none.

        `named` decides where it is not empty, then the model, then the first route that takes any model.
        """
        if named:
            route = self.routes.get(named)
            return route if route is not None and _allowed(route, key) else None
        for route in (*self._by_model.get(model, ()), *self._any):
            if _allowed(route, key):
                return route
        return None

    def routes_of(self, key: VirtualKey) -> tuple[Route, ...]:
        """All routes that a key may use."""
        return tuple(r for r in self.routes.values() if _allowed(r, key))

    def guards(self, place: GuardPlace, route: str, tenant: str) -> Iterable[Guard]:
        """The guards of a place that are in scope; those that are off too, since a lease may enforce them."""
        return [g for g in self._guards.get((place, route), ()) if not g.tenants or tenant in g.tenants]

    def guarded(self, place: GuardPlace, route: str) -> bool:
        """Whether there is any guard, of whatever tenant and in whatever mode."""
        return bool(self._guards.get((place, route)))

    def breakers(self, route: str) -> tuple[BreakerRule, ...]:
        """The breaker rules of a route."""
        return self._breakers.get(route, ())

    def breakers_named(self, name: str) -> tuple[BreakerRule, ...]:
        """The breaker rule of that name, on whatever routes; none where there is none."""
        found = self._rules.get(name)
        return () if found is None else (found,)


def _allowed(route: Route, key: VirtualKey) -> bool:
    return not key.routes or route.name in key.routes


def _by_model(routes: Iterable[Route]) -> dict[str, tuple[Route, ...]]:
    found: dict[str, tuple[Route, ...]] = {}
    for route in routes:
        for model in route.models:
            found[model] = (*found.get(model, ()), route)
    return found


def _dangling(compiled: Compiled) -> Iterable[str]:
    for route in compiled.routes.values():
        missing = [t.target for t in route.targets if t.target not in compiled.targets]
        yield from (f"route {route.name}: no target named {name}" for name in missing)
        if route.template and route.template not in compiled.templates:
            yield f"route {route.name}: no template named {route.template}"
        if route.prompt and route.prompt not in compiled.prompts:
            yield f"route {route.name}: no prompt named {route.prompt}"
