"""Probes of quality: copies that no user sees, judged before a breaker closes."""

import asyncio

from holdfast.control.effects import OpenBreaker
from holdfast.control.snapshot import BreakerRule, BreakerSignal, GuardMode, GuardPlace, Route, WeightedTarget
from holdfast.gateway.breaker import BreakerState
from holdfast.testing.gateway import lease, simple
from holdfast.testing.model_server import Reply
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import World, chat, guard, with_upstreams

SICK = Behaviour(reply=Reply(text="You are a worthless idiot and I hate you."))
TOXICITY = guard("tox", "toxicity", GuardPlace.OUTPUT, GuardMode.SHADOW)
RULE = BreakerRule(
    name="q", signal=BreakerSignal.QUALITY, dimensions=("tenant",), min_count=4, open_at=0.5, cool_s=10, probes=3, guard="tox"
)
ROUTES = (Route(name="chat", targets=(WeightedTarget(target="t0"), WeightedTarget(target="t1", order=1)), template="sorry"),)


def world(*urls: str, **changes: object) -> World:
    return World(simple(*urls, routes=ROUTES, guards=(TOXICITY,), **({"breakers": (RULE,)} | changes)))


async def settled(one: World) -> None:
    """Until no probe is under way."""
    while one.gateway.probing._under_way:
        await asyncio.gather(*one.gateway.probing._under_way)


async def sick(one: World) -> None:
    for _ in range(4):
        await one.ask(chat("hello"))


def test_a_quality_breaker_trips_for_the_sick_cohort_and_the_next_target_serves() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = world(bad.url, good.url)
        await sick(one)
        told = await one.ask(chat("hello"))
        assert told.headers["x-holdfast-target"] == "t1"
        assert one.gateway.breakers.transitions[-1].scope == "tenant=acme"

    with_upstreams(test, SICK, Behaviour())


def test_it_stays_open_while_the_copies_are_bad_and_no_user_sees_one_of_them() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = world(bad.url, good.url)
        await sick(one)
        bad.asked()
        for _ in range(5):
            one.clock.advance(200)
            told = await one.ask(chat("hello", stream=True))
            await settled(one)
            assert "idiot" not in told.text
            assert told.headers["x-holdfast-target"] == "t1"
        copies = [asked.body for asked, _ in bad.asked()]
        assert copies
        assert not any(copy["stream"] for copy in copies)
        assert one.gateway.breakers.transitions[-1].after is BreakerState.OPEN

    with_upstreams(test, SICK, Behaviour())


def test_it_closes_when_the_judged_copies_are_good() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = world(bad.url, good.url)
        await sick(one)
        bad.behave(Behaviour())
        one.clock.advance(11)
        served = []
        for _ in range(4):
            served.append((await one.ask(chat("hello"))).headers["x-holdfast-target"])
            await settled(one)
        assert served == ["t1", "t1", "t1", "t0"]

    with_upstreams(test, SICK, Behaviour())


def test_a_target_that_does_not_answer_a_probe_has_not_recovered() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = world(bad.url, good.url)
        await sick(one)
        bad.behave(Behaviour(kind="down"))
        one.clock.advance(11)
        await one.ask(chat("hello"))
        await settled(one)
        assert one.gateway.breakers.transitions[-1].after is BreakerState.OPEN

    with_upstreams(test, SICK, Behaviour())


def test_probes_of_a_leased_breaker_are_judged_for_the_server() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = world(bad.url, good.url, breakers=())
        opened = lease(7, OpenBreaker(target="t0", judge="tox"), {"tenant": "acme"}, expires_ns=2**62)
        one.put(one.gateway.compiled.snapshot.desired, opened)
        for _ in range(3):
            await one.ask(chat("hello"))
            await settled(one)
        verdicts = one.gateway.probe_verdicts()
        assert [(v.lease_id, v.target, v.good, v.judge) for v in verdicts] == [("lease-7", "t0", False, "tox")]
        bad.behave(Behaviour())
        one.clock.advance(2)
        await one.ask(chat("hello"))
        await settled(one)
        assert [v.good for v in verdicts] == [False, True]

    with_upstreams(test, SICK, Behaviour())
