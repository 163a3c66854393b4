"""Probes of quality: copies that no user sees, judged before a breaker closes."""

import asyncio

from holdfast.control.effects import OpenBreaker
from holdfast.control.probes import MAX_CALL_BYTES
from holdfast.control.snapshot import BreakerRule, BreakerSignal, GuardMode, GuardPlace, Route, WeightedTarget
from holdfast.core.call import Call
from holdfast.gateway.breaker import BreakerState
from holdfast.gateway.probing import ANSWER_KEPT_S, MAX_ANSWERS
from holdfast.ingest.otlp import Encoding, decode_traces
from holdfast.testing.gateway import lease, simple
from holdfast.testing.model_server import Reply
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import REDACTOR, World, chat, guard, with_upstreams

SICK = Behaviour(reply=Reply(text="You are a worthless idiot and I hate you."))
TOXICITY = guard("tox", "toxicity", GuardPlace.OUTPUT, GuardMode.SHADOW)
RULE = BreakerRule(
    name="q", signal=BreakerSignal.QUALITY, dimensions=("tenant",), min_count=4, open_at=0.5, cool_s=10, probes=3, guard="tox"
)
ROUTES = (Route(name="chat", targets=(WeightedTarget(target="t0"), WeightedTarget(target="t1", order=1)), template="sorry"),)


def world(*urls: str, content: bool = True, **changes: object) -> World:
    return World(simple(*urls, routes=ROUTES, **({"guards": (TOXICITY,), "breakers": (RULE,)} | changes)), content=content)


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
        verdicts = one.gateway.probing.verdicts
        assert [(v.lease_id, v.target, v.good, v.judge) for v in verdicts] == [("lease-7", "t0", False, "tox")]
        bad.behave(Behaviour())
        one.clock.advance(2)
        await one.ask(chat("hello"))
        await settled(one)
        assert [v.good for v in verdicts] == [False, True]

    with_upstreams(test, SICK, Behaviour())


# A judge of the server's


def leased(judge: str, *urls: str, content: bool = True, **changes: object) -> World:
    one = world(*urls, content=content, breakers=(), **changes)
    opened = lease(7, OpenBreaker(target="t0", judge=judge), {"tenant": "acme"}, expires_ns=2**62)
    one.put(one.gateway.compiled.snapshot.desired, opened)
    return one


async def probed(one: World, text: str = "hello", **fields: object) -> None:
    await one.ask(chat(text, **fields))
    await settled(one)


def test_what_no_guard_here_judges_goes_to_the_server_as_it_goes_into_telemetry() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = leased("person", bad.url, good.url)
        await probed(one, "I am ada.lovelace@example.com", stream=True)
        (answer,) = one.gateway.probing.answers()
        assert (answer.lease_id, answer.target, answer.judge) == ("lease-7", "t0", "person")
        (call,) = decode_traces(answer.call, Encoding.JSON, REDACTOR).records
        assert isinstance(call, Call)
        assert (call.trace_id, call.answer) == (answer.trace_id, "You are a worthless idiot and I hate you.")
        assert call.input_messages[0].content.startswith("I am")
        assert b"ada.lovelace" not in answer.call
        assert not one.gateway.probing.verdicts

    with_upstreams(test, SICK, Behaviour())


def test_the_users_own_answer_and_verdicts_are_not_told_as_the_probes() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = leased("person", bad.url, good.url)
        await probed(one)
        (answer,) = one.gateway.probing.answers()
        assert b'"stringValue":"t1"' not in answer.call
        assert b"guardrail" not in answer.call
        assert one.spans[0]["attributes"]["holdfast.gateway.target"] == "t1"

    with_upstreams(test, SICK, Behaviour())


def test_a_target_that_gives_no_answer_needs_no_judge() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = leased("person", bad.url, good.url)
        await probed(one)
        (verdict,) = one.gateway.probing.verdicts
        assert (verdict.good, verdict.reason) == (False, "the target gave no answer")
        assert one.gateway.probing.answers() == ()

    with_upstreams(test, Behaviour(kind="down"), Behaviour())


def test_a_guard_that_did_not_judge_leaves_the_probe_unjudged() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        off = guard("tox", "toxicity", GuardPlace.OUTPUT, GuardMode.OFF)
        one = leased("tox", bad.url, good.url, guards=(off,))
        await probed(one)
        (verdict,) = one.gateway.probing.verdicts
        assert (verdict.good, verdict.reason) == (None, "the guard did not judge this answer")

    with_upstreams(test, SICK, Behaviour())


def test_a_gateway_that_lets_no_texts_leave_says_that_it_could_not_have_it_judged() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = leased("person", bad.url, good.url, content=False)
        await probed(one)
        (verdict,) = one.gateway.probing.verdicts
        assert verdict.good is None
        assert "lets no texts leave" in verdict.reason
        assert one.gateway.probing.answers() == ()

    with_upstreams(test, SICK, Behaviour())


def test_an_answer_that_is_too_large_to_be_judged_is_told_as_such() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = leased("person", bad.url, good.url)
        long = [{"role": "user", "content": f"{n} " + "long " * 3_000} for n in range(30)]
        await one.ask({"model": "gpt-4o-mini", "messages": long})
        await settled(one)
        (verdict,) = one.gateway.probing.verdicts
        assert (verdict.good, verdict.reason) == (None, f"request and answer have over {MAX_CALL_BYTES} bytes")

    with_upstreams(test, SICK, Behaviour())


def test_answers_that_nobody_takes_are_few_and_forgotten() -> None:
    async def test(bad: ScriptedUpstream, good: ScriptedUpstream) -> None:
        one = leased("person", bad.url, good.url)
        for _ in range(MAX_ANSWERS + 2):
            await probed(one)
            one.clock.advance(1.5)
        waiting = one.gateway.probing.answers()
        assert len(waiting) == MAX_ANSWERS
        assert [a.time_ns for a in waiting] == sorted(a.time_ns for a in waiting)
        one.clock.advance(ANSWER_KEPT_S + 1)
        assert one.gateway.probing.answers() == ()

    with_upstreams(test, SICK, Behaviour())
