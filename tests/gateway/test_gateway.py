"""The order of things in one worker."""

import asyncio
from typing import Any

import pytest

from holdfast.control.snapshot import BreakerRule, BreakerSignal, RateLimit, Retries, Route, Target, WeightedTarget
from holdfast.gateway.delivering import Delivery
from holdfast.gateway.gateway import BACKLOG_PART, MAX_FINISHED, Work
from holdfast.testing.gateway import simple
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import World, chat, request, until, with_upstreams


def test_a_request_ends_under_the_snapshot_that_it_began_with() -> None:
    async def test(slow: ScriptedUpstream) -> None:
        world = World(simple(slow.url))
        asked = asyncio.create_task(world.ask())
        await until(slow.asked)
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
        assert world.gateway.upstreams.all()[0]._connections.idle() is None

    with_upstreams(test, Behaviour())


@pytest.mark.parametrize("judged", [True, False], ids=["judged", "finished"])
def test_what_is_left_to_do_does_not_pile_up_while_more_arrives_in_each_turn_than_is_meant_for_one(judged: bool) -> None:
    arriving, turns = 40, 300

    async def test() -> None:
        gateway = World().gateway
        exchange = gateway.begin(request())
        most = 0
        for _ in range(turns):
            for _ in range(arriving):
                if judged:
                    gateway._hear(Work(exchange, Delivery(), (), ()), None)
                else:
                    gateway.finish(exchange, Delivery())
            await asyncio.sleep(0)
            most = max(most, len(gateway._judged), len(gateway._finished))
        assert most <= (arriving * (BACKLOG_PART + 1) if judged else MAX_FINISHED)
        gateway.settle()
        assert not gateway._judged
        assert not gateway._finished

    asyncio.run(test())
