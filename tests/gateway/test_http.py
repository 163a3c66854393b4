"""The edge: bodies are bounded in size and time, paths have one meaning, and a mistake of ours is one client's error."""

import asyncio
from typing import Any

import orjson
import pytest

from holdfast.control.snapshot import Dialect, Guard, GuardPlace, Route, WeightedTarget
from holdfast.gateway.dialects.registry import dialect_of
from holdfast.gateway.http import Bounds, GatewayApp
from holdfast.testing.gateway import KEY, simple
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import AUTHORIZED, CHAT, Told, World, call, chat, with_upstreams


def scope(headers: dict[str, str] | None = None, path: str = CHAT, method: str = "POST", raw: bytes = b"") -> dict[str, Any]:
    pairs = [
        (k.encode(), v.encode("latin-1"))
        for k, v in ({"transfer-encoding": "chunked"} | AUTHORIZED | (headers or {})).items()
        if v
    ]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": raw or path.encode("utf-8", "replace"),
        "query_string": b"",
        "headers": pairs,
    }


def run(world: World, scope_: dict[str, Any], parts: list[bytes], hang: bool = False) -> Told:
    return asyncio.run(call(world.app, scope_, parts, hang))


def test_a_body_that_says_it_is_too_large_is_refused_before_a_byte_of_it_is_read() -> None:
    told = run(World(bounds=Bounds(body_bytes=1000)), scope({"content-length": "1001", "transfer-encoding": ""}), [])
    assert (told.status, told.json["error"]["code"]) == (413, "body_too_large")
    assert told.headers["connection"] == "close"


def test_a_body_that_turns_out_too_large_is_refused_too() -> None:
    told = run(World(bounds=Bounds(body_bytes=1000)), scope(), [b"x" * 400] * 5)
    assert told.status == 413


def test_anthropics_clients_hear_it_in_anthropics_words() -> None:
    told = run(World(bounds=Bounds(body_bytes=10)), scope(path="/v1/messages"), [b"x" * 50])
    assert told.json["error"]["type"] == "request_too_large"
    assert told.json["type"] == "error"


def test_a_body_that_never_ends_is_given_up() -> None:
    world = World(bounds=Bounds(body_s=0.05))

    async def drip() -> Told:
        told = Told()

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                told.status = message["status"]

        await world.app(scope(), receive, send)
        return told

    assert asyncio.run(drip()).status == 408
    assert world.gateway.in_flight == 0


def test_many_large_bodies_at_once_do_not_fill_the_memory_and_what_was_held_is_given_back() -> None:
    bounds = Bounds(body_bytes=1000, buffered_bytes=1500)
    world = World(bounds=bounds)

    async def both() -> tuple[int, int]:
        waiting = asyncio.Event()

        async def slow_receive() -> dict[str, Any]:
            if not waiting.is_set():
                waiting.set()
                return {"type": "http.request", "body": b"x" * 1000, "more_body": True}
            await asyncio.sleep(0.05)
            return {"type": "http.disconnect"}

        async def nothing(message: Any) -> None:
            raise AssertionError("nobody is there to be told")

        first = asyncio.create_task(world.app(scope(), slow_receive, nothing))
        await waiting.wait()
        await asyncio.sleep(0)
        second = await call(world.app, scope(), [b"y" * 900])
        await first
        third = await call(world.app, scope(), [b"y" * 900])
        return second.status, third.status

    assert asyncio.run(both()) == (503, 400)
    assert bounds.held == 0


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/v1//chat/completions", b""),
        ("/v1/chat/../chat/completions", b""),
        ("/v1/./chat/completions", b""),
        ("/v1/chat\\completions", b""),
        ("/v1/chat/completions", b"/v1%2fchat/completions"),
        ("/v1/chat/completions", b"/v1/chat%5Ccompletions"),
        ("/v1/chat/comple\x00tions", b""),
        ("/v1/chat/completions\u200b", b""),
    ],
    ids=["slashes", "dots", "dot", "backslash", "encoded-slash", "encoded-backslash", "nul", "invisible"],
)
def test_a_path_that_could_be_read_in_two_ways_is_not_passed_on(path: str, raw: bytes) -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        told = await call(world.app, scope(path=path, raw=raw), [orjson.dumps(chat("hi"))])
        assert told.status == 400
        assert not upstream.asked()

    with_upstreams(test, Behaviour())


def test_a_slash_at_the_end_does_not_lead_around_the_guards() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        closed = Guard(name="inj", kind="injection", place=GuardPlace.INPUT, threshold=0.0)
        world = World(simple(upstream.url, guards=(closed,)))
        told = await call(world.app, scope(path=CHAT + "/"), [orjson.dumps(chat("hi"))])
        world.gateway.settle()
        assert upstream.asked()[0][0].path == CHAT
        assert told.status == 200
        assert world.spans[0]["attributes"]["gen_ai.guardrail.verdict"] == "deny"

    with_upstreams(test, Behaviour())


def test_two_lengths_of_one_body_are_refused() -> None:
    told = run(World(), scope({"content-length": "5", "transfer-encoding": "chunked"}), [b"{}"])
    assert told.status == 400


def test_odd_methods_and_floods_of_headers_are_refused() -> None:
    assert run(World(), scope(method="TRACE"), [b"{}"]).status == 400
    assert run(World(), scope({f"x-{n}": "1" for n in range(150)}), [b"{}"]).status == 400


def test_hop_by_hop_headers_and_credentials_stay_here() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        sent = {
            "connection": "keep-alive, x-secret",
            "x-secret": "1",
            "te": "trailers",
            "cookie": "a=b",
            "x-api-key": "other",
            "x-forwarded-for": "1.2.3.4",
            "x-holdfast-user": "u",
            "openai-beta": "assistants=v2",
            "x-custom": "kept",
        }
        told = await call(world.app, scope(sent), [orjson.dumps(chat("hi"))])
        assert told.status == 200
        seen = upstream.asked()[0][1]
        assert (seen["openai-beta"], seen["x-custom"]) == ("assistants=v2", "kept")
        gone = {
            "x-secret",
            "te",
            "cookie",
            "x-api-key",
            "authorization",
            "x-forwarded-for",
            "x-holdfast-user",
            "transfer-encoding",
        }
        assert not gone & set(seen)
        assert KEY not in str(seen)

    with_upstreams(test, Behaviour())


def test_trace_and_request_ids_are_kept_or_made() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        trace = "0af7651916cd43dd8448eb211c80319c"
        given = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "x-request-id": "client-chosen-id"}
        told = await world.ask(headers=given)
        assert told.headers["x-request-id"] == "client-chosen-id"
        assert told.headers["traceparent"].split("-")[1] == trace
        assert upstream.asked()[0][1]["traceparent"] == told.headers["traceparent"]
        assert world.spans[0]["parentSpanId"] == "b7ad6b7169203331"
        made = await world.ask(headers={"traceparent": "00-" + "0" * 32 + "-1-01", "x-request-id": "a b\tc"})
        assert made.headers["x-request-id"].startswith("req_")
        assert made.headers["traceparent"].split("-")[1] not in (trace, "0" * 32)

    with_upstreams(test, Behaviour())


def test_a_mistake_of_the_gateway_is_one_clients_error_counted_and_told_without_its_details() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        world.gateway.desk.guarding = None  # type: ignore[assignment]
        told = await world.ask()
        assert (told.status, told.json["error"]["code"]) == (500, "internal")
        assert b"NoneType" not in told.body
        assert b'holdfast_gateway_internal_errors_total{where="answer"} 1.0' in world.gateway.meters.exposition()

    with_upstreams(test, Behaviour())


def test_a_client_that_hangs_up_lets_the_target_go() -> None:
    async def test(slow: ScriptedUpstream) -> None:
        world = World(simple(slow.url))
        body = orjson.dumps(chat("hi", stream=True))
        sent: list[bytes] = []
        asked = [{"type": "http.request", "body": body, "more_body": False}]
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if asked:
                return asked.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))
            if len(sent) == 3:
                gone.set()

        await world.app(scope({"content-length": str(len(body)), "transfer-encoding": ""}), receive, send)
        world.gateway.settle()
        assert len(sent) < 8
        upstream = world.gateway.upstreams.get("t0")
        assert upstream is not None
        assert upstream.slots.in_flight == 0
        assert "client:gone" in world.spans[0]["attributes"]["holdfast.gateway.changes"]["values"][0]["stringValue"]

    with_upstreams(test, Behaviour(kind="slow", delay_s=0.02))


def test_health_readiness_and_metrics() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url))
        await world.ask()
        about = {path: await world.ask(None, path, "GET") for path in ("/healthz", "/readyz", "/metrics")}
        assert [t.status for t in about.values()] == [200, 200, 200]
        assert b'holdfast_gateway_requests_total{code="200",reason="",route="chat"} 1.0' in about["/metrics"].body
        world.app.draining = True
        assert (await world.ask(None, "/readyz", "GET")).status == 503
        assert (await world.ask(None, "/healthz", "GET")).status == 200

    with_upstreams(test, Behaviour())


def test_metrics_ask_for_their_token_where_there_is_one() -> None:
    world = World()
    app = GatewayApp(world.gateway, world.clock, metrics_token="secret-token")
    statuses = []
    for shown in ("Bearer secret-token", "Bearer wrong", ""):
        headers = {"authorization": shown} if shown else {"authorization": "none"}
        statuses.append(asyncio.run(call(app, scope(headers, "/metrics", "GET"), [])).status)
    assert statuses == [200, 401, 401]


def test_the_models_that_a_key_may_use_are_listed_in_either_dialect() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        routes = (Route(name="chat", targets=(WeightedTarget(target="t0"),), models=("m1", "m2")),)
        world = World(simple(upstream.url, routes=routes))
        openai = await world.ask(None, "/v1/models", "GET", {"x-holdfast-route": "chat"})
        assert [m["id"] for m in openai.json["data"]] == ["m1", "m2"]
        anthropic = await world.ask(None, "/v1/models", "GET", {"anthropic-version": "2023-06-01", "x-holdfast-route": "chat"})
        assert anthropic.json["data"][0]["type"] == "model"

    with_upstreams(test, Behaviour())


def test_dialects_are_told_apart_by_path_and_version_header() -> None:
    assert dialect_of("/v1/messages/batches", frozenset()) is Dialect.ANTHROPIC
    assert dialect_of("/v1/files", frozenset({"anthropic-version"})) is Dialect.ANTHROPIC
    assert dialect_of("/v1/files", frozenset()) is Dialect.OPENAI
