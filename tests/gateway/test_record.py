"""What the gateway tells of a call: read by our own ingest, redacted, and honest about guards."""

import orjson

from holdfast.control.snapshot import GuardMode, GuardPlace
from holdfast.core.call import Call, Kind, Status
from holdfast.gateway.gateway import Gateway
from holdfast.gateway.http import GatewayApp
from holdfast.ingest.otlp import Encoding
from holdfast.ingest.otlp.decode import decode_traces
from holdfast.testing.gateway import simple
from holdfast.testing.model_server import Reply
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import REDACTOR, World, chat, guard, with_upstreams

IBAN = "DE89370400440532013000"


def calls(world: World) -> list[Call]:
    found = []
    for line in world.lines:
        decoded = decode_traces(line, Encoding.JSON, REDACTOR, world.clock.now_ns())
        assert not decoded.rejected
        found += [r for r in decoded.records if isinstance(r, Call)]
    return found


def test_our_own_ingest_reads_every_field_of_a_call() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        tools = [{"type": "function", "function": {"name": "search"}}]
        body = {
            "model": "gpt-4o-mini",
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Where is it?"}],
            "user": "u1",
            "temperature": 0.2,
            "tools": tools,
        }
        headers = {"x-holdfast-prompt-version": "v7", "x-holdfast-region": "eu-1", "x-holdfast-index-version": "i3"}
        await world.ask(body, headers=headers)
        call = calls(world)[0]
        assert call.kind is Kind.LLM
        assert (call.service, call.model, call.provider) == ("shop", "gpt-4o-mini", "openai")
        assert call.dimensions["route"] == ("chat",)
        assert call.dimensions["tenant"] == ("acme",)
        assert call.dimensions["user"] == ("u1",)
        assert call.dimensions["prompt.version"] == ("v7",)
        assert call.dimensions["index.version"] == ("i3",)
        assert call.dimensions["region"] == ("eu-1",)
        assert [m.role for m in call.input_messages] == ["system", "user"]
        assert call.answer == "Your refund was sent on Monday."
        assert (call.usage.input_tokens, call.usage.output_tokens) == (20, 8)
        assert call.cost_usd is not None
        assert call.parameters["temperature"] == 0.2
        assert call.tool_definitions == ("search",)
        assert call.finish_reasons == ("stop",)

    with_upstreams(test, Behaviour())


def test_a_streamed_call_is_told_like_a_whole_one_with_its_time_to_the_first_token() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        await world.ask(chat("hi", stream=True, stream_options={"include_usage": True}))
        call = calls(world)[0]
        assert call.answer == "Your refund was sent on Monday."
        assert call.usage.output_tokens == 8

    with_upstreams(test, Behaviour())


def test_verdict_and_action_of_a_guard_arrive_as_two_things() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        guards = (
            guard("pii", "sensitive_output", GuardPlace.OUTPUT),
            guard("tox", "toxicity", GuardPlace.OUTPUT, GuardMode.SHADOW),
            guard("broken", "nonsense", GuardPlace.INPUT),
        )
        world = World(simple(upstream.url, guards=guards))
        await world.ask()
        found = {g.name: (g.verdict, g.action) for c in calls(world) if c.kind is Kind.GUARDRAIL for g in c.guardrails}
        assert found == {"pii": ("deny", "redacted"), "broken": ("error", "")}
        worst = calls(world)[0].guardrails[0]
        assert (worst.name, worst.verdict) == ("broken", "error")

    with_upstreams(test, Behaviour(reply=Reply(text=f"Account {IBAN}")))


def test_refusals_and_failures_are_told_as_errors() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        await world.ask()
        call = calls(world)[0]
        assert (call.status, call.error_type) == (Status.ERROR, "upstream_busy")

    with_upstreams(test, Behaviour(kind="busy"))


def test_nothing_sensitive_and_no_key_leaves_unredacted() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        secret = "sk-proj-abcdefghijklmnopqrstuvwx1234567890"
        await world.ask(chat(f"my account is {IBAN}, mail joe.doe@gmail.com, key {secret}"))
        await world.ask(chat("again", stream=True))
        told = b"".join(world.lines)
        assert not [v for v in (IBAN, "joe.doe", secret) if v.encode() in told]
        assert b"<IBAN_CODE:" in told

    with_upstreams(test, Behaviour(reply=Reply(text=f"It is {IBAN}")))


def test_without_content_only_what_is_measured_is_told() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        world.gateway = Gateway(world.clock, REDACTOR, world.lines.append, content=False)
        world.app = GatewayApp(world.gateway)
        world.put(simple(upstream.url))
        await world.ask(chat("my little secret"))
        assert b"little secret" not in world.lines[0]
        assert b"refund" not in world.lines[0]
        assert world.spans[0]["attributes"]["gen_ai.usage.input_tokens"] == "20"

    with_upstreams(test, Behaviour())


def test_a_line_is_one_line_whatever_is_said() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        for text in ("a\nb\r\n", "\u2028\x00", "x" * 100_000, "".join(map(chr, range(32)))):
            assert (await world.ask(chat(text))).status == 200
        assert len(world.lines) == 4
        for line in world.lines:
            assert b"\n" not in line
            orjson.loads(line)

    with_upstreams(test, Behaviour())
