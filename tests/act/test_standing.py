import msgspec
import pytest

from holdfast.act.standing import among, guards_in, in_force, routes_in, routing_said, weights_of
from holdfast.control.effects import ShiftTraffic, UseModel
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE
from tests.control.examples import lease, snapshot

replace = msgspec.structs.replace


def test_a_scope_without_a_route_means_all_of_them() -> None:
    assert [route.name for route in routes_in({"tenant": "acme"}, EXAMPLE)] == ["support", "search"]
    assert [route.name for route in routes_in({"route": "search"}, EXAMPLE)] == ["search"]


def test_a_route_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="support, search"):
        routes_in({"route": "gone"}, EXAMPLE)


def test_guards_are_those_of_the_route_and_the_tenant() -> None:
    injection, pii = EXAMPLE.desired.guards
    guards = (replace(injection, routes=("search",)), replace(pii, tenants=("acme",)))
    narrowed = replace(EXAMPLE, desired=replace(EXAMPLE.desired, guards=guards))
    assert [guard.name for guard in guards_in({"route": "support"}, narrowed)] == ["pii"]
    assert [guard.name for guard in guards_in({"tenant": "other"}, narrowed)] == ["injection"]
    assert len(guards_in({"route": "search", "tenant": "acme"}, narrowed)) == 2


def test_who_serves_is_said_from_what_is_configured_or_else_from_the_lease() -> None:
    assert routing_said({"route": "search"}, EXAMPLE) == "search: large 3, small 1"
    here = {"route": "support"}
    assert routing_said(here, snapshot(lease(UseModel(target="small")))) == "all to small, by lse_1"
    assert routing_said(here, snapshot(lease(ShiftTraffic(weights={"small": 1.0})))) == "weights small 1, by lse_1"
    assert routing_said({"tenant": "a"}, replace(EXAMPLE, desired=replace(EXAMPLE.desired, routes=()))) == "no route"


def test_leases_that_do_not_match_do_not_count() -> None:
    assert in_force({"route": "search"}, snapshot(lease())).leases == ()


def test_weights_are_by_target() -> None:
    assert weights_of(EXAMPLE.desired.routes[1]) == {"large": 3.0, "small": 1.0}


def test_a_name_that_leads_nowhere_is_told_with_what_there_is() -> None:
    with pytest.raises(InputError, match="p: there is no tool 'x': a, b"):
        among("p", "x", ["b", "a"], "tool")
    with pytest.raises(InputError, match="none is configured"):
        among("p", "x", [], "tool")
