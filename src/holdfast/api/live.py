"""Server-sent events: what happens to incidents, as it happens."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from holdfast.api.actions import visible
from holdfast.api.context import ApiContext, Context, Who
from holdfast.core.errors import BackpressureError
from holdfast.ledger.store import Written

router = APIRouter(prefix="/api/v1", tags=["live"])

POLL_S = 0.5
HEARTBEAT_S = 15.0
LONGEST_S = 300.0
"""A stream ends after five minutes; browsers come again by themselves, and whether they still may is then asked anew."""
MOST_STREAMS = 200


class Feed:
    """What all streams of a process share: how far the ledger is, asked at most twice a second."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._seq = 0
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()
        self.streams = 0
        self.ended = False

    def end(self) -> None:
        """Ends all streams within half a second: the server stops, and browsers come again by themselves."""
        self.ended = True

    async def seq(self) -> int:
        """Number of the ledger's last event."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._asked_at >= POLL_S:
                self._seq = (await run_in_threadpool(self._context.ledger.anchor)).seq
                self._asked_at = now
        return self._seq

    async def since(self, seq: int) -> list[Written]:
        """Events after `seq`."""
        return await run_in_threadpool(self._context.ledger.written_since, seq)


@router.get("/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def events(
    request: Request, context: Context, who: Who, last_event_id: Annotated[str, Header(max_length=32)] = ""
) -> StreamingResponse:
    """One event per change of an incident: ``{"incident", "version", "event", "service"}``; goes on behind Last-Event-ID."""
    feed = _feed(request, context)
    if feed.streams >= MOST_STREAMS:
        raise BackpressureError("too many open streams", 30)
    after = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else await feed.seq()
    return StreamingResponse(
        _stream(feed, after, visible(who)), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def _feed(request: Request, context: ApiContext) -> Feed:
    state: Any = request.app.state
    if not hasattr(state, "feed"):
        state.feed = Feed(context)
    found: Feed = state.feed
    return found


async def _stream(feed: Feed, after: int, services: frozenset[str] | None) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    start = told = loop.time()
    feed.streams += 1
    try:
        yield f"retry: 1000\nid: {after}\n\n".encode()
        while not feed.ended and loop.time() - start < LONGEST_S:
            if await feed.seq() > after:
                found = await feed.since(after)
                for written in found:
                    if services is None or written.service in services:
                        yield _event(written)
                after = found[-1].seq if found else await feed.seq()
                told = loop.time()
            elif loop.time() - told > HEARTBEAT_S:
                told = loop.time()
                yield b": still here\n\n"
            await asyncio.sleep(POLL_S)
    finally:
        feed.streams -= 1


def _event(written: Written) -> bytes:
    data = msgspec.json.encode(
        {
            "incident": written.incident_id,
            "version": written.version,
            "event": written.event,
            "service": written.service,
        }
    )
    return b"id: %d\nevent: incident\ndata: %s\n\n" % (written.seq, data)
