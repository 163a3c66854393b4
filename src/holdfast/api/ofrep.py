"""OFREP 0.3.0: every OpenFeature client, in any language, reads our switches. Flags are made by `holdfast.control.flags`.

Evaluating is reading, though it is a POST: a token with the scope ``read:ofrep`` is enough, as bearer or as ``X-API-Key``.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import ClientDisconnect

from holdfast.access.roles import Identity, NotSignedInError, Role
from holdfast.api.context import Context, identify
from holdfast.api.control import STREAM_HEADERS
from holdfast.api.plane import ControlPlane, Plane
from holdfast.control.snapshot import Snapshot
from holdfast.core.clock import NS_PER_S

MAX_BODY = 64 * 1024
router = APIRouter(prefix="/ofrep/v1", tags=["ofrep"], max_body_size=MAX_BODY, include_in_schema=False)
"""Not in our OpenAPI document: OpenFeature publishes the one of this protocol."""

AREA = "ofrep"
MAX_KEY = 512
INACTIVITY_S = 120
HEARTBEAT_S = 15.0
LONGEST_S = 300.0

_bearer = HTTPBearer(auto_error=False)
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def reads(
    request: Request,
    context: Context,
    plane: Plane,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    x_api_key: Annotated[str, Header(max_length=512)] = "",
) -> Identity:
    """Who evaluates.

    Raises:
        NotSignedInError: nobody that is known.
        ForbiddenError: without the role viewer anywhere, or with a token for something else.
        BackpressureError: too many evaluations.
    """
    who = identify(request, context, credentials.credentials if credentials else x_api_key)
    if who is None:
        raise NotSignedInError("send a bearer token or X-API-Key")
    who.must_be_in_scope(False, AREA)
    if not who.may_anywhere(Role.VIEWER):
        who.must(Role.VIEWER)
    plane.evaluations.take(who.actor, False)
    return who


Reader = Annotated[Identity, Depends(reads)]


@router.post("/evaluate/flags/{key:path}", response_class=Response)
async def evaluate(plane: Plane, who: Reader, key: str, request: Request) -> Response:
    """One flag for one context."""
    context = _context(await _body(request))
    if isinstance(context, Response):
        return context
    if len(key) > MAX_KEY:
        return _error(404, "FLAG_NOT_FOUND", f"no flag has a key of over {MAX_KEY} characters", key[:MAX_KEY])
    found = plane.flags().one(key, context, plane.store.now_ns())
    if found is None:
        return _error(404, "FLAG_NOT_FOUND", f"there is no flag {key!r}", key)
    return _json(200, found)


@router.post("/evaluate/flags", response_class=Response)
async def evaluate_all(
    plane: Plane,
    who: Reader,
    request: Request,
    if_none_match: Annotated[str, Header(max_length=512)] = "",
    flag_config_etag: Annotated[str, Query(alias="flagConfigEtag", max_length=128)] = "",
) -> Response:
    """All flags for one context. The ETag depends on what comes out: a change that concerns others is none of mine."""
    context = _context(await _body(request))
    if isinstance(context, Response):
        return context
    if flag_config_etag.strip('"') != str(plane.store.snapshot.version):
        # The event may have come from another server, which is ahead of this one.
        await asyncio.to_thread(plane.store.refresh)
    flags = msgspec.to_builtins(plane.flags().all(context, plane.store.now_ns()))
    etag = f'"{hashlib.sha256(msgspec.json.encode(flags)).hexdigest()[:32]}"'
    if etag in [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]:
        return Response(status_code=304, headers={"ETag": etag})
    stream = {"type": "sse", "url": str(request.url_for("ofrep_events")), "inactivityDelaySec": INACTIVITY_S}
    body = {"flags": flags, "eventStreams": [stream], "metadata": {"version": str(plane.store.snapshot.version)}}
    return _json(200, body, {"ETag": etag})


@router.get("/events", name="ofrep_events", response_class=StreamingResponse)
async def events(plane: Plane, who: Reader, last_event_id: Annotated[str, Header(max_length=64)] = "") -> StreamingResponse:
    """Server-sent events: `refetchEvaluation` whenever flags may have changed."""
    return StreamingResponse(_events(plane, last_event_id), media_type="text/event-stream", headers=STREAM_HEADERS)


async def _events(plane: ControlPlane, last_event_id: str) -> AsyncIterator[bytes]:
    end = asyncio.get_running_loop().time() + LONGEST_S
    told = last_event_id or str(plane.store.snapshot.version)
    async with plane.feed.waiting() as waiter:
        yield b"retry: 1000\n\n"
        while asyncio.get_running_loop().time() < end and not plane.feed.ended:
            snapshot = plane.store.snapshot
            if str(snapshot.version) != told:
                told = str(snapshot.version)
                yield _refetch(snapshot)
            if not await waiter.wait(HEARTBEAT_S):
                yield b": still here\n\n"


def _refetch(snapshot: Snapshot) -> bytes:
    said = {
        "type": "refetchEvaluation",
        "etag": f'"{snapshot.version}"',
        "lastModified": snapshot.created_ns // NS_PER_S,
    }
    return b"id: %d\nevent: message\ndata: %s\n\n" % (snapshot.version, msgspec.json.encode(said))


async def _body(request: Request) -> bytes:
    """What was sent; nothing where the sender has gone meanwhile, who will not read the answer either."""
    try:
        return await request.body()
    except ClientDisconnect:
        return b""


def _context(body: bytes) -> dict[str, Any] | Response:
    """The evaluation context in a request, or the answer that says what is wrong with it."""
    try:
        said = _decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return _error(400, "PARSE_ERROR", f"the body is no JSON object: {error}")
    context = said.get("context", {})
    if not isinstance(context, dict):
        return _error(400, "INVALID_CONTEXT", "context is no object")
    if not isinstance(context.get("targetingKey", ""), str):
        return _error(400, "INVALID_CONTEXT", "targetingKey is no text")
    return context


def _error(status: int, code: str, details: str, key: str = "") -> Response:
    body = {"errorCode": code, "errorDetails": details}
    return _json(status, {"key": key, **body} if key else body)


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, "application/json")
