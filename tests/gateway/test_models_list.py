"""The list of models."""

from holdfast.control.snapshot import Route, WeightedTarget
from holdfast.testing.gateway import simple
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import World, with_upstreams


def test_a_gateway_that_takes_any_model_asks_its_target_for_the_list() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        told = await World(simple(upstream.url)).ask(None, "/v1/models", "GET")
        assert (told.status, told.json["path"]) == (200, "/v1/models")

    with_upstreams(test, Behaviour())


def test_routes_that_name_their_models_are_the_list() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        to = (WeightedTarget(target="t0"),)
        routes = (Route(name="a", targets=to, models=("m1",)), Route(name="b", targets=to, models=("m2", "m1")))
        told = await World(simple(upstream.url, routes=routes)).ask(None, "/v1/models", "GET", {"x-holdfast-route": "a"})
        assert [m["id"] for m in told.json["data"]] == ["m1", "m2"]
        assert not upstream.asked()

    with_upstreams(test, Behaviour())
