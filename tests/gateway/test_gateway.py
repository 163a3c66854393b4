"""The order of things in one worker."""

import asyncio
from typing import Any

from holdfast.control.snapshot import BreakerRule, BreakerSignal, RateLimit, Retries, Route, Target, WeightedTarget
from holdfast.testing.gateway import simple
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import World, chat, with_upstreams


def test_a_request_ends_under_the_snapshot_that_it_began_with() -> None:
    async def test(slow: ScriptedUpstream) -> None:
        world = World(simple(slow.url))
        asked = asyncio.create_task(world.ask())
        await asyncio.sleep(0.05)
        world.put(simple("http://127.0.0.1:9"))
        told = await asked
        assert (told.status, told.headers["x-holdfast-snapshot"]) == (200, "1")
        assert (await world.ask()).status == 502

    with_upstreams(test, Behaviour(kind="slow", delay_s=0.2))


def test_a_latency_breaker_trips_on_answers_that_come_too_late() -> None:
    async def test(slow: ScriptedUpstream, well: ScriptedUpstream) -> None:
        rule = BreakerRule(name="slow", signal=BreakerSignal.LATENCY, limit=1.0, min_count=3)
        routes = (Route(name="chat", targets=(WeightedTarget(target="t0"), WeightedTarget(target="t1", order=1))),)
        world = World(simple(slow.url, well.url, routes=routes, breakers=(rule,)))
        finish = world.gateway.finish

        def late(exchange: Any, delivery: Any) -> None:
            if exchange.target == "t0":
                world.clock.advance(2)
            finish(exchange, delivery)

        world.gateway.finish = late  # type: ignore[method-assign]
        told = [(await world.ask()).headers["x-holdfast-target"] for _ in range(5)]
        assert told == ["t0", "t0", "t0", "t1", "t1"]

    with_upstreams(test, Behaviour(), Behaviour())


def test_a_cost_breaker_trips_on_answers_that_are_too_dear() -> None:
    async def test(dear: ScriptedUpstream, cheap: ScriptedUpstream) -> None:
        targets = (
            Target(name="t0", base_url=dear.url, usd_per_million_input=1e5, usd_per_million_output=1e5),
            Target(name="t1", base_url=cheap.url),
        )
        rule = BreakerRule(name="dear", signal=BreakerSignal.COST, limit=1.0, min_count=2)
        routes = (Route(name="chat", targets=(WeightedTarget(target="t0"), WeightedTarget(target="t1", order=1))),)
        world = World(simple(targets=targets, routes=routes, breakers=(rule,)))
        told = [(await world.ask()).headers["x-holdfast-target"] for _ in range(4)]
        assert told == ["t0", "t0", "t1", "t1"]

    with_upstreams(test, Behaviour(), Behaviour())


def test_what_fails_after_the_answer_costs_the_client_nothing_and_is_counted() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))

        def broken(line: bytes) -> None:
            raise RuntimeError("no")

        world.gateway._keep = broken
        assert (await world.ask()).status == 200
        assert b'holdfast_gateway_internal_errors_total{where="finish"} 1.0' in world.gateway.meters.exposition()

    with_upstreams(test, Behaviour())


def test_limits_of_the_whole_tenant_count_every_user() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url, tenant_limit=RateLimit(requests_per_s=1.0, burst_s=2.0)))
        told = [(await world.ask(chat("hi", user=f"u{n}"))).status for n in range(4)]
        assert told == [200, 200, 429, 429]

    with_upstreams(test, Behaviour())


def test_connections_are_let_go_at_the_end() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        routes = (Route(name="chat", targets=(WeightedTarget(target="t0"),), retries=Retries(attempts=1)),)
        world = World(simple(upstream.url, routes=routes))
        await world.ask()
        await world.gateway.close()
        assert world.gateway.upstreams.all()[0]._client is None

    with_upstreams(test, Behaviour())
