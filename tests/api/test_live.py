"""Server-sent events: what happens to incidents, as it happens."""

import asyncio

import pytest
from fastapi.testclient import TestClient

from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.live import MOST_STREAMS, Feed, _stream
from holdfast.ledger.store import Ledger
from tests.ledger.examples import opened


async def first(context: ApiContext, after: int, services: frozenset[str] | None, count: int) -> list[str]:
    stream, found = _stream(Feed(context), after, services), []
    async with asyncio.timeout(20):
        async for piece in stream:
            found.append(piece.decode())
            if len(found) == count:
                break
    await stream.aclose()  # type: ignore[attr-defined]
    return found


def test_a_stream_goes_on_behind_what_was_seen_last(context: ApiContext) -> None:
    found = asyncio.run(first(context, 2, None, 3))
    assert found[0] == "retry: 1000\nid: 2\n\n"
    assert found[1].startswith("id: 3\nevent: incident\ndata: ")
    assert '"incident":"inc_1","version":3,"event":"DiagnosisMade","service":"shop"' in found[1]


def test_it_tells_of_applications_that_one_may_see_only(context: ApiContext) -> None:
    ledger: Ledger = context.ledger
    ledger.append([opened("inc_bank", service="bank")])
    found = asyncio.run(first(context, 0, frozenset({"bank"}), 2))
    assert '"incident":"inc_bank"' in found[1]


def test_a_stream_that_ends_is_counted_off(context: ApiContext) -> None:
    async def scenario() -> int:
        feed = Feed(context)
        stream = _stream(feed, 0, None)
        await anext(stream)
        assert feed.streams == 1
        await stream.aclose()  # type: ignore[attr-defined]
        return feed.streams

    assert asyncio.run(scenario()) == 0


def test_streams_end_when_the_server_stops(context: ApiContext) -> None:
    async def scenario() -> int:
        feed = Feed(context)
        feed.end()
        return len([piece async for piece in _stream(feed, 0, None)])

    assert asyncio.run(scenario()) == 1


def test_there_is_a_limit_to_streams(context: ApiContext, client: TestClient) -> None:
    app = create_app(context)
    app.state.feed = Feed(context)
    app.state.feed.streams = MOST_STREAMS
    answer = TestClient(app).get("/api/v1/events", headers=client.headers)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "30"


@pytest.mark.parametrize("header", [None, "Bearer wrong"])
def test_nobody_listens_without_signing_in(context: ApiContext, header: str | None) -> None:
    answer = TestClient(create_app(context)).get("/api/v1/events", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
