"""The scripted upstream does what it is told, in a process of its own too."""

import httpx
import pytest

from holdfast.testing.model_server import Reply
from holdfast.testing.upstream import Behaviour, ScriptedUpstream, UpstreamProcess, wait_until
from tests.gateway.world import with_upstreams

CHAT = "/v1/chat/completions"


async def post(upstream: ScriptedUpstream, **body: object) -> httpx.Response:
    async with httpx.AsyncClient(timeout=2) as client:
        return await client.post(upstream.url + CHAT, json={"model": "m", "messages": []} | body)


@pytest.mark.parametrize(
    ("kind", "status"), [("well", 200), ("garbage", 200), ("empty", 200), ("busy", 429), ("down", 503), ("unauthorised", 401)]
)
def test_each_behaviour_has_its_answer(kind: str, status: int) -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        told = await post(upstream)
        assert told.status_code == status
        assert (b"choices" in told.content) == (kind == "well")

    with_upstreams(test, Behaviour(kind=kind))


@pytest.mark.parametrize("kind", ["reset", "hang"])
def test_some_never_answer(kind: str) -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        async with httpx.AsyncClient(timeout=0.2) as client:
            with pytest.raises(httpx.TransportError):
                await client.post(upstream.url + CHAT, json={"model": "m"})

    with_upstreams(test, Behaviour(kind=kind))


def test_failures_may_pass_and_the_model_of_a_request_may_ask_for_one() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        assert [(await post(upstream)).status_code for _ in range(3)] == [503, 503, 200]
        assert (await post(upstream, model="busy")).status_code == 429
        assert len(upstream.asked()) == 4
        assert upstream.asked() == []

    with_upstreams(test, Behaviour(kind="down", failures=2))


def test_a_process_of_its_own_can_be_told_asked_and_killed() -> None:
    with UpstreamProcess(Behaviour(reply=Reply(text="one"))) as upstream:
        body = {"model": "m", "input": "x"}
        assert httpx.post(upstream.url + "/v1/responses", json=body).json()["output"][0]["content"][0]["text"] == "one"
        upstream.behave(Behaviour(reply=Reply(text="two")))
        assert httpx.post(upstream.url + "/v1/responses", json=body).json()["output"][0]["content"][0]["text"] == "two"
        assert [asked.path for asked, _ in upstream.asked()] == ["/v1/responses"] * 2
        upstream.kill()
        with pytest.raises(httpx.TransportError):
            httpx.post(upstream.url + "/v1/responses", json=body)


def test_waiting_ends() -> None:
    with pytest.raises(TimeoutError):
        wait_until(lambda: False, timeout_s=0.02)
