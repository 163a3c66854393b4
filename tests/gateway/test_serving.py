"""Getting an answer: fail-over, retries, breakers, back-pressure, and what is served when nobody answers."""

import asyncio
import random

import pytest

from holdfast.control.effects import OpenBreaker, ShiftTraffic, UseModel
from holdfast.control.snapshot import BreakerRule, BreakerSignal, Dialect, GuardPlace, Retries, Route, Target, WeightedTarget
from holdfast.gateway.breaker import BreakerState
from holdfast.testing.gateway import lease, simple
from holdfast.testing.model_server import Reply
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import World, chat, guard, with_upstreams

EVERYONE = {"tenant": "acme"}
FAR = {"expires_ns": 2**62}
QUICK = Retries(attempts=1)
WELL = Behaviour()


def route(count: int, **fields: object) -> Route:
    targets = tuple(WeightedTarget(target=f"t{n}", order=n) for n in range(count))
    return Route(name="chat", targets=targets, **({"retries": QUICK} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["reset", "garbage", "empty", "down", "busy"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_client_sees_nothing_of_a_sick_target_while_a_healthy_one_remains(kind: str, stream: bool) -> None:
    async def test(sick: ScriptedUpstream, well: ScriptedUpstream) -> None:
        world = World(simple(sick.url, well.url, routes=(route(2),)))
        told = [await world.ask(chat("hi", stream=stream)) for _ in range(5)]
        assert {t.status for t in told} == {200}
        assert {t.text for t in told} == {"Your refund was sent on Monday."}
        assert {t.headers["x-holdfast-target"] for t in told} == {"t1"}

    with_upstreams(test, Behaviour(kind=kind), WELL)


def test_a_target_that_hangs_is_given_up_in_time() -> None:
    async def test(hung: ScriptedUpstream, well: ScriptedUpstream) -> None:
        targets = (Target(name="t0", base_url=hung.url, first_byte_s=0.15), Target(name="t1", base_url=well.url))
        world = World(simple(targets=targets, routes=(route(2),)))
        told = await world.ask()
        assert (told.status, told.headers["x-holdfast-target"]) == (200, "t1")
        alone = World(simple(targets=targets[:1], routes=(route(1),)))
        late = await alone.ask()
        assert (late.status, late.json["error"]["code"]) == (504, "upstream_timeout")

    with_upstreams(test, Behaviour(kind="hang"), WELL)


def test_a_dead_target_trips_its_breaker_with_the_call_that_reaches_the_threshold_and_is_then_not_asked() -> None:
    async def test(sick: ScriptedUpstream, well: ScriptedUpstream) -> None:
        rule = BreakerRule(name="t", signal=BreakerSignal.TRANSPORT, min_count=5, cool_s=30)
        world = World(simple(sick.url, well.url, routes=(route(2),), breakers=(rule,)))
        for _ in range(20):
            assert (await world.ask()).status == 200
        assert len(sick.asked()) == 5
        assert world.gateway.breakers.transitions[0].after is BreakerState.OPEN

    with_upstreams(test, Behaviour(kind="down"), WELL)


def test_a_target_that_is_well_again_comes_back_by_probes_that_cost_no_client_anything() -> None:
    async def test(sick: ScriptedUpstream, well: ScriptedUpstream) -> None:
        rule = BreakerRule(name="t", signal=BreakerSignal.TRANSPORT, min_count=3, cool_s=10, probes=3)
        world = World(simple(sick.url, well.url, routes=(route(2),), breakers=(rule,)))
        for _ in range(5):
            await world.ask()
        world.clock.advance(11)
        told = [await world.ask() for _ in range(3)]
        assert [t.headers["x-holdfast-target"] for t in told] == ["t1", "t1", "t1"]
        sick.behave(WELL)
        world.clock.advance(40)
        told = [await world.ask() for _ in range(5)]
        assert {t.status for t in told} == {200}
        assert told[-1].headers["x-holdfast-target"] == "t0"
        assert world.gateway.breakers.transitions[-1].after is BreakerState.CLOSED

    with_upstreams(test, Behaviour(kind="down"), WELL)


def test_never_are_all_targets_taken_away_the_one_that_failed_first_is_asked_again() -> None:
    async def test(first: ScriptedUpstream, second: ScriptedUpstream) -> None:
        rule = BreakerRule(name="t", signal=BreakerSignal.TRANSPORT, min_count=3, cool_s=1000)
        world = World(simple(first.url, second.url, routes=(route(2),), breakers=(rule,)))
        for _ in range(6):
            await world.ask()
            world.clock.advance(0.5)
        first.behave(WELL)
        told = await world.ask()
        assert told.status == 200
        assert told.headers["x-holdfast-changed"] == "breaker:overridden"

    with_upstreams(test, Behaviour(kind="down"), Behaviour(kind="down"))


def test_with_a_template_on_the_route_dead_targets_are_not_asked_again_and_again() -> None:
    async def test(sick: ScriptedUpstream) -> None:
        rule = BreakerRule(name="t", signal=BreakerSignal.TRANSPORT, min_count=3, cool_s=1000)
        world = World(simple(sick.url, routes=(route(1, template="sorry"),), breakers=(rule,)))
        told = [await world.ask(chat("hi", stream=n % 2 == 0)) for n in range(10)]
        assert {t.status for t in told} == {200}
        assert {t.text for t in told} == {"We will come back to you."}
        assert len(sick.asked()) == 3
        assert told[0].headers["x-holdfast-changed"] == "fallback:template"

    with_upstreams(test, Behaviour(kind="down"))


def test_429_is_back_pressure_it_trips_no_breaker_and_the_pause_is_kept() -> None:
    async def test(busy: ScriptedUpstream, well: ScriptedUpstream) -> None:
        world = World(simple(busy.url, well.url, routes=(route(2),)))
        for _ in range(40):
            assert (await world.ask()).status == 200
        assert len(busy.asked()) == 1
        assert not world.gateway.breakers.transitions
        world.clock.advance(21)
        await world.ask()
        assert len(busy.asked()) == 1

    with_upstreams(test, Behaviour(kind="busy", retry_after_s=20), WELL)


def test_where_nobody_else_can_answer_the_clients_hear_the_429_and_its_hint() -> None:
    async def test(busy: ScriptedUpstream) -> None:
        world = World(simple(busy.url, routes=(route(1),)))
        told = await world.ask()
        assert (told.status, told.headers["retry-after"]) == (429, "20")
        assert told.json["error"]["message"] == "scripted busy"

    with_upstreams(test, Behaviour(kind="busy", retry_after_s=20))


def test_a_failure_that_passes_is_retried_on_the_same_target() -> None:
    async def test(shaky: ScriptedUpstream) -> None:
        policy = Retries(attempts=3, base_s=0.001, cap_s=0.01)
        world = World(simple(shaky.url, routes=(route(1, retries=policy),)))
        assert (await world.ask()).status == 200
        assert len(shaky.asked()) == 3

    with_upstreams(test, Behaviour(kind="down", failures=2))


def test_retries_have_a_budget_so_that_they_cannot_multiply_an_outage() -> None:
    async def test(down: ScriptedUpstream) -> None:
        policy = Retries(attempts=5, base_s=0.0, cap_s=0.0, budget=0.1)
        rule = BreakerRule(name="t", signal=BreakerSignal.TRANSPORT, min_count=10_000)
        world = World(simple(down.url, routes=(route(1, retries=policy),), breakers=(rule,)))
        for _ in range(100):
            await world.ask()
        assert len(down.asked()) <= 100 + 10 + 10 + 1

    with_upstreams(test, Behaviour(kind="down"))


def test_the_targets_own_words_about_a_bad_request_reach_the_client_and_are_no_failure() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        rule = BreakerRule(name="t", signal=BreakerSignal.TRANSPORT, min_count=2)
        world = World(simple(upstream.url, breakers=(rule,)))
        told = [await world.ask() for _ in range(5)]
        assert {t.status for t in told} == {400}
        assert told[0].json["error"]["message"] == "context too long"
        assert not world.gateway.breakers.transitions

    with_upstreams(test, Behaviour(reply=Reply(status=400, text="context too long")))


def test_only_so_many_requests_are_sent_at_once_and_the_others_hear_when_to_come_back() -> None:
    async def test(slow: ScriptedUpstream) -> None:
        target = Target(name="t0", base_url=slow.url, max_concurrency=2, queue_s=0.05)
        world = World(simple(targets=(target,), routes=(route(1),)))
        told = await asyncio.gather(*(world.ask() for _ in range(6)))
        assert sorted(t.status for t in told) == [200, 200, 503, 503, 503, 503]
        assert {t.headers.get("retry-after") for t in told if t.status == 503} == {"1"}
        assert not world.gateway.breakers.transitions

    with_upstreams(test, Behaviour(kind="slow", delay_s=0.4))


def test_a_lease_sends_everybody_in_its_scope_to_another_target() -> None:
    async def test(big: ScriptedUpstream, small: ScriptedUpstream) -> None:
        world = World(simple(big.url, small.url, routes=(route(1),)), lease(1, UseModel(target="t1"), EVERYONE, **FAR))
        told = await world.ask()
        assert (told.headers["x-holdfast-target"], told.headers["x-holdfast-changed"]) == ("t1", "target:t1")
        assert not big.asked()

    with_upstreams(test, WELL, WELL)


def test_a_target_may_have_a_model_of_its_own_and_the_client_is_told() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        target = Target(name="t0", base_url=upstream.url + "/v1", model="local-7b")
        told = await World(simple(targets=(target,), routes=(route(1),))).ask()
        asked = upstream.asked()[0][0]
        assert (asked.path, asked.body["model"]) == ("/v1/chat/completions", "local-7b")
        assert told.headers["x-holdfast-changed"] == "model:local-7b"

    with_upstreams(test, WELL)


def test_shifted_traffic_goes_where_the_lease_says() -> None:
    async def test(first: ScriptedUpstream, second: ScriptedUpstream) -> None:
        desired = simple(first.url, second.url, routes=(route(2),))
        world = World(desired, lease(1, ShiftTraffic(weights={"t0": 0.0, "t1": 1.0}), EVERYONE, **FAR))
        assert (await world.ask()).headers["x-holdfast-target"] == "t1"

    with_upstreams(test, WELL, WELL)


def test_a_breaker_that_a_lease_holds_open_is_open_for_its_scope_only() -> None:
    async def test(first: ScriptedUpstream, second: ScriptedUpstream) -> None:
        opened = lease(1, OpenBreaker(target="t0"), {"user": "u1"}, **FAR)
        world = World(simple(first.url, second.url, routes=(route(2),)), opened)
        told = [await world.ask(chat("hi", user=u)) for u in ("u1", "u2")]
        assert [t.headers["x-holdfast-target"] for t in told] == ["t1", "t0"]

    with_upstreams(test, WELL, WELL)


def test_a_route_without_a_target_of_the_clients_dialect_says_so() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        target = Target(name="t0", base_url=upstream.url, dialect=Dialect.ANTHROPIC)
        told = await World(simple(targets=(target,), routes=(route(1),))).ask()
        assert (told.status, told.json["error"]["code"]) == (503, "no_target")

    with_upstreams(test, WELL)


def test_the_safe_answer_of_the_same_request_is_served_when_the_target_is_gone_and_nobody_elses() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        sensitive = guard("pii", "sensitive_output", GuardPlace.OUTPUT)
        world = World(simple(upstream.url, routes=(route(1, cache_safe_answers=True),), guards=(sensitive,)))
        await world.ask(chat("opening hours?", user="u1"))
        upstream.behave(Behaviour(kind="down"))
        again = await world.ask(chat("opening hours?", user="u1"))
        assert (again.text, again.headers["x-holdfast-changed"]) == ("Your refund was sent on Monday.", "fallback:safe-answer")
        assert (await world.ask(chat("opening hours?", user="u2"))).status == 503
        assert (await world.ask(chat("something else", user="u1"))).status == 503

    with_upstreams(test, WELL)


def test_credentials_come_from_the_environment_and_a_target_that_refuses_them_is_left_without_telling_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", "sk-upstream-secret")

    async def test(strict: ScriptedUpstream, well: ScriptedUpstream) -> None:
        targets = tuple(Target(name=f"t{n}", base_url=u.url, api_key_env="UPSTREAM_KEY") for n, u in enumerate((strict, well)))
        world = World(simple(targets=targets, routes=(route(2),)))
        assert (await world.ask()).status == 200
        assert well.asked()[0][1]["authorization"] == "Bearer sk-upstream-secret"
        alone = World(simple(targets=targets[:1], routes=(route(1),)))
        told = await alone.ask()
        assert told.status == 502
        assert b"sk-upstream" not in told.body
        assert not any(b"sk-upstream" in line for line in (*world.lines, *alone.lines))

    with_upstreams(test, Behaviour(kind="unauthorised"), WELL)


def test_a_key_that_is_not_there_is_named_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)

    async def test(upstream: ScriptedUpstream) -> None:
        target = Target(name="t0", base_url=upstream.url, api_key_env="NO_SUCH_KEY")
        told = await World(simple(targets=(target,), routes=(route(1),))).ask()
        assert told.status == 502
        assert "NO_SUCH_KEY" in told.json["error"]["message"]
        assert not upstream.asked()

    with_upstreams(test, WELL)


def test_weights_divide_real_traffic() -> None:
    async def test(first: ScriptedUpstream, second: ScriptedUpstream) -> None:
        targets = (WeightedTarget(target="t0", weight=3), WeightedTarget(target="t1", weight=1))
        world = World(simple(first.url, second.url, routes=(Route(name="chat", targets=targets),)))
        world.gateway.serving._draw = random.Random(3).random
        for _ in range(200):
            await world.ask()
        assert 30 <= len(second.asked()) <= 70

    with_upstreams(test, WELL, WELL)
