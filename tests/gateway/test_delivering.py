"""From a target's answer to the client: unchanged unless a guard acts, and never more than a guard has read."""

from typing import Any

import orjson
import pytest

from holdfast.control.effects import DisableTool
from holdfast.control.snapshot import Dialect, GuardMode, GuardPlace, Route, Target, WeightedTarget
from holdfast.core.call import ToolCall
from holdfast.testing.gateway import lease, simple
from holdfast.testing.model_server import Reply
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import Told, World, chat, guard, with_upstreams

IBAN = "DE89370400440532013000"
LEAK = Behaviour(reply=Reply(text=f"Your account is {IBAN}, and the money is on its way to you since Monday morning."))
LONG = "The parcel left our warehouse on Monday and it should be with you by the end of the week. " * 12
EVERYONE = {"tenant": "acme"}
WITH_TEMPLATE = (Route(name="chat", targets=(WeightedTarget(target="t0"),), template="sorry"),)
MESSAGES = "/v1/messages"


def asked(world: World, behaviour: Behaviour, body: Any = None, **fields: Any) -> Told:
    async def test(upstream: ScriptedUpstream) -> Told:
        desired = simple(upstream.url, **fields)
        world.put(desired)
        return await world.ask(body or chat("Where is my money?"))

    return with_upstreams(test, behaviour)


def test_an_answer_that_nobody_objects_to_reaches_the_client_byte_for_byte() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        guards = tuple(guard(k, k, GuardPlace.OUTPUT) for k in ("sensitive_output", "toxicity", "canary_leak", "policy"))
        plain, guarded = World(simple(upstream.url)), World(simple(upstream.url, guards=guards))
        for body in (chat("hi"), chat("hi", stream=True)):
            assert (await plain.ask(body)).body == (await guarded.ask(body)).body

    with_upstreams(test, Behaviour(reply=Reply(text=LONG)))


def test_sensitive_values_are_taken_out_of_an_answer_and_the_client_is_told() -> None:
    pii = guard("pii", "sensitive_output", GuardPlace.OUTPUT)
    world = World()
    told = asked(world, LEAK, guards=(pii,))
    assert IBAN not in told.text
    assert "<IBAN_CODE>" in told.text
    assert told.headers["x-holdfast-changed"] == "guard:pii"
    assert told.headers["x-holdfast-block-id"].startswith("blk_")
    values = world.spans[0]["attributes"]
    assert (values["gen_ai.guardrail.verdict"], values["gen_ai.guardrail.action"]) == ("deny", "redacted")


def test_an_answer_may_be_replaced_or_refused_as_the_guard_is_configured() -> None:
    for action, status in (("replace", 200), ("refuse", 400)):
        pii = guard("pii", "sensitive_output", GuardPlace.OUTPUT, parameters={"action": action})
        told = asked(World(), LEAK, guards=(pii,), routes=WITH_TEMPLATE)
        assert (told.status, IBAN.encode() in told.body) == (status, False)
    assert told.json["error"]["code"] == "content_filter"


def test_of_a_streamed_answer_nothing_sensitive_goes_out_and_the_template_ends_it() -> None:
    pii = guard("pii", "sensitive_output", GuardPlace.OUTPUT)
    reply = Reply(text=LONG + f"Your account is {IBAN}. " + LONG)
    world = World()
    told = asked(world, Behaviour(reply=reply), chat("Where?", stream=True), guards=(pii,), routes=WITH_TEMPLATE)
    assert told.text.startswith(LONG[:400])
    assert IBAN[:8] not in told.text
    assert told.text.endswith("We will come back to you.")
    assert told.body.endswith(b"data: [DONE]\n\n")
    assert b'"finish_reason":"content_filter"' in told.body
    assert world.spans[0]["attributes"]["gen_ai.guardrail.action"] == "cut"


def test_a_violation_at_the_very_end_of_a_stream_is_seen_too() -> None:
    pii = guard("pii", "sensitive_output", GuardPlace.OUTPUT)
    told = asked(World(), Behaviour(reply=Reply(text=LONG + f"It is {IBAN}")), chat("?", stream=True), guards=(pii,))
    assert IBAN[:8] not in told.text


def test_a_guard_in_shadow_lets_a_stream_pass_and_judges_all_of_it() -> None:
    pii = guard("pii", "sensitive_output", GuardPlace.OUTPUT, GuardMode.SHADOW)
    world = World()
    told = asked(world, LEAK, chat("?", stream=True), guards=(pii,))
    assert IBAN in told.text
    values = world.spans[0]["attributes"]
    assert (values["gen_ai.guardrail.verdict"], values["gen_ai.guardrail.action"]) == ("deny", "shadow")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_canary_in_the_answer_is_withheld(stream: bool) -> None:
    canary = guard("canary", "canary_leak", GuardPlace.OUTPUT, parameters={"canaries": ["ZX-CANARY-81f2"]})
    told = asked(
        World(), Behaviour(reply=Reply(text="Sure: ZX-CANARY-81f2 is in it")), chat("?", stream=stream), guards=(canary,)
    )
    assert b"81f2" not in told.body


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_tool_that_a_lease_disabled_is_not_called_even_if_the_model_calls_it(stream: bool) -> None:
    reply = Reply(tool_calls=(ToolCall("delete_all", '{"sure": true}', "c1"),), finish_reason="tool_calls")

    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url), lease(1, DisableTool(tool="delete_all"), EVERYONE, expires_ns=2**62))
        told = await world.ask(chat("clean up", stream=stream))
        assert (told.status, b"delete_all" in told.body, b"sure" in told.body) == (200, False, False)
        assert stream or told.headers["x-holdfast-changed"] == "tool:delete_all"

    with_upstreams(test, Behaviour(reply=reply))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_tool_that_is_not_on_the_list_is_refused(stream: bool) -> None:
    reply = Reply(tool_calls=(ToolCall("delete_all", "{}", "c1"),), finish_reason="tool_calls")
    tools = guard("tools", "tool_allow_list", GuardPlace.OUTPUT, parameters={"tools": ["search"]})
    told = asked(World(), Behaviour(reply=reply), chat("?", stream=stream), guards=(tools,))
    assert b"delete_all" not in told.body
    assert stream or told.status == 400


@pytest.mark.parametrize("kind", ["cut", "reset"])
@pytest.mark.parametrize("guards", [False, True], ids=["plain", "guarded"])
def test_a_stream_that_breaks_off_ends_with_an_error_in_the_providers_words(kind: str, guards: bool) -> None:
    pii = (guard("pii", "sensitive_output", GuardPlace.OUTPUT),) if guards else ()
    world = World()
    told = asked(world, Behaviour(kind=kind, after=5, reply=Reply(text=LONG)), chat("?", stream=True), guards=pii)
    last = told.body.rstrip().rsplit(b"\n\n", 1)[-1]
    assert orjson.loads(last.removeprefix(b"data: "))["error"]["code"] == "upstream_failed"
    assert world.spans[0]["attributes"]["error.type"] == "upstream_failed"


def test_anthropics_streams_are_cut_in_anthropics_words() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        target = Target(name="t0", base_url=upstream.url, dialect=Dialect.ANTHROPIC)
        pii = guard("pii", "sensitive_output", GuardPlace.OUTPUT)
        world = World(simple(targets=(target,), routes=WITH_TEMPLATE, guards=(pii,)))
        told = await world.ask(chat("?", stream=True, max_tokens=9), path=MESSAGES)
        kinds = [line[7:].decode() for line in told.body.splitlines() if line.startswith(b"event: ")]
        assert kinds[0] == "message_start"
        assert kinds[-2:] == ["message_delta", "message_stop"]
        assert kinds.count("content_block_start") == kinds.count("content_block_stop")
        assert IBAN[:8].encode() not in told.body
        whole = await world.ask(chat("?", max_tokens=9), path=MESSAGES)
        assert "<IBAN_CODE>" in whole.json["content"][0]["text"]

    with_upstreams(test, LEAK)


def test_responses_are_guarded_like_chats() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        pii = guard("pii", "sensitive_output", GuardPlace.OUTPUT)
        world = World(simple(upstream.url, guards=(pii,), routes=WITH_TEMPLATE))
        whole = await world.ask({"model": "m", "input": "?"}, path="/v1/responses")
        assert "<IBAN_CODE>" in whole.json["output"][0]["content"][0]["text"]
        streamed = await world.ask({"model": "m", "input": "?", "stream": True}, path="/v1/responses")
        assert IBAN[:8].encode() not in streamed.body
        assert b"event: response.completed" in streamed.body

    with_upstreams(test, LEAK)


def test_calls_that_are_not_understood_pass_unchanged_in_both_directions() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        told = await world.ask({"anything": [1, {"x": None}]}, path="/v1/fine_tuning/jobs?limit=2&after=x")
        assert told.json == {"path": "/v1/fine_tuning/jobs?limit=2&after=x", "echo": {"anything": [1, {"x": None}]}}
        assert told.headers["x-upstream"] == "echo"

    with_upstreams(test, Behaviour())
