"""The edge: bodies are bounded in size and time, paths have one meaning, and a mistake of ours is one client's error."""

import asyncio

import orjson
import pytest

from holdfast.control.snapshot import Dialect, Guard, GuardPlace, Route, WeightedTarget
from holdfast.gateway.dialects.registry import dialect_of
from holdfast.gateway.exchange import Request
from holdfast.gateway.http import BodyError, Bounds, GatewayApp
from holdfast.gateway.refusal import Reason, Refusal
from holdfast.testing.gateway import KEY, simple
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import CHAT, Told, World, chat, request, with_upstreams


def run(world: World, asked: Request) -> Told:
    told = Told()
    asyncio.run(world.app.serve(asked, told))
    return told


def refused(path: str) -> Told:
    told = Told()
    World().app.refuse(request(path), Refusal(Reason.BODY_TOO_LARGE, "too large"), told)
    return told


def test_what_was_not_read_is_refused_in_the_words_of_who_asked() -> None:
    assert refused(CHAT).json["error"]["code"] == "body_too_large"
    anthropic = refused("/v1/messages").json
    assert (anthropic["type"], anthropic["error"]["type"]) == ("error", "request_too_large")


def test_bodies_are_bounded_one_and_all_together() -> None:
    bounds = Bounds(body_bytes=1000, buffered_bytes=1500)
    bounds.take(0, 1000)
    for held, size, reason in ((1000, 1, Reason.BODY_TOO_LARGE), (0, 600, Reason.SATURATED)):
        with pytest.raises(BodyError) as error:
            bounds.take(held, size)
        assert error.value.refusal.reason is reason
    assert bounds.held == 1000


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
        told = Told()
        await world.app.serve(request(path, orjson.dumps(chat("hi")), raw=raw), told)
        assert told.status == 400
        assert not upstream.asked()

    with_upstreams(test, Behaviour())


def test_a_slash_at_the_end_does_not_lead_around_the_guards() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        closed = Guard(name="inj", kind="injection", place=GuardPlace.INPUT, threshold=0.0)
        world = World(simple(upstream.url, guards=(closed,)))
        told = await world.ask(chat("hi"), path=CHAT + "/")
        assert upstream.asked()[0][0].path == CHAT
        assert told.status == 200
        assert world.spans[0]["attributes"]["gen_ai.guardrail.verdict"] == "deny"

    with_upstreams(test, Behaviour())


def test_two_lengths_of_one_body_are_refused() -> None:
    told = run(World(), request(body=b"{}", headers={"content-length": "5", "transfer-encoding": "chunked"}))
    assert told.status == 400


def test_odd_methods_and_floods_of_headers_are_refused() -> None:
    assert run(World(), request(body=b"{}", method="TRACE")).status == 400
    assert run(World(), request(body=b"{}", headers={f"x-{n}": "1" for n in range(150)})).status == 400


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
        told = await world.ask(headers=sent)
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
        told = Told(patience=3)
        await world.app.serve(request(body=orjson.dumps(chat("hi", stream=True))), told)
        world.gateway.settle()
        assert len(told.pieces) == 3
        assert not told.ended
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
    world.app = GatewayApp(world.gateway, metrics_token="secret-token")
    statuses = []
    for shown in ("Bearer secret-token", "Bearer wrong", ""):
        statuses.append(run(world, request("/metrics", b"", {"authorization": shown}, "GET")).status)
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
