"""The HTTP side of the receiver: an ASGI application for OTLP, change events, health and metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import grpc
import msgspec
import structlog

from holdfast.core.errors import HoldfastError, StoreError, TooLargeError
from holdfast.ingest.auth import TokenTable, restrict
from holdfast.ingest.decoding import ChangeParsers, Headers
from holdfast.ingest.intake import Body, BodyHold, Decode, Feed, Intake
from holdfast.ingest.meters import CONTENT_TYPE
from holdfast.ingest.otlp import Encoding
from holdfast.ingest.record import Decoded
from holdfast.ingest.replies import (
    Refusal,
    Reply,
    export_reply,
    internal_refusal,
    refusal,
    refusal_reply,
)

log = structlog.get_logger(__name__)

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

ENCODINGS = {encoding.value: encoding for encoding in Encoding}
FEEDS = {f"/v1/{feed}": feed for feed in (Feed.TRACES, Feed.LOGS, Feed.METRICS)}


class RefusedError(HoldfastError):
    """A request that is refused for what its head says."""

    def __init__(self, refused: Refusal) -> None:
        super().__init__(refused.message)
        self.refused = refused


class ClientGoneError(HoldfastError):
    """The sender hung up before its body was complete."""


class HttpApp:
    """ASGI application. One instance serves one event loop."""

    def __init__(self, intake: Intake, tokens: TokenTable, changes: ChangeParsers) -> None:
        self._intake = intake
        self._tokens = tokens
        self._changes = changes
        self._routes: dict[str, tuple[str, Callable[[Headers, str, Receive], Awaitable[Reply]]]] = {
            "/healthz": ("GET", self._healthz),
            "/metrics": ("GET", self._metrics),
            "/v1/changes": ("POST", self._take_changes),
            "/v1/changes/github": ("POST", self._take_github),
            **dict.fromkeys(FEEDS, ("POST", self._export)),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        encoding = ENCODINGS.get(_media_type(headers), Encoding.JSON)
        try:
            reply = await self._route(scope["method"], path, headers, receive)
        except ClientGoneError:
            self._intake.meters.requests.labels("http", FEEDS.get(path, "other"), "gone").inc()
            return
        except RefusedError as error:
            reply = refusal_reply(error.refused, encoding)
        except HoldfastError as error:
            reply = refusal_reply(refusal(error), encoding)
        except Exception:  # the edge: one bad request must not end the others; it is answered, counted and logged
            log.exception("request failed", path=path)
            reply = refusal_reply(internal_refusal(), encoding)
        self._intake.meters.requests.labels("http", FEEDS.get(path, "other"), str(reply.status)).inc()
        await _send(reply, send)

    async def _route(self, method: str, path: str, headers: Headers, receive: Receive) -> Reply:
        route = self._routes.get(path)
        if route is None:
            raise _refused(HTTPStatus.NOT_FOUND, grpc.StatusCode.NOT_FOUND, f"nothing is served at {path[:100]}")
        allowed, handle = route
        if method != allowed and not (method == "HEAD" and allowed == "GET"):
            message = f"{path} takes {allowed}, not {method}"
            raise _refused(HTTPStatus.METHOD_NOT_ALLOWED, grpc.StatusCode.UNIMPLEMENTED, message, ("allow", allowed))
        return await handle(headers, path, receive)

    async def _healthz(self, headers: Headers, path: str, receive: Receive) -> Reply:
        failure = self._intake.failure
        body = msgspec.json.encode({"status": "failing" if failure else "ok", "reason": failure})
        return Reply(HTTPStatus.SERVICE_UNAVAILABLE if failure else HTTPStatus.OK, body)

    async def _metrics(self, headers: Headers, path: str, receive: Receive) -> Reply:
        self._tokens.identify(headers)
        self._intake.refresh_meters()
        return Reply(HTTPStatus.OK, self._intake.meters.exposition(), CONTENT_TYPE)

    async def _export(self, headers: Headers, path: str, receive: Receive) -> Reply:
        token = self._tokens.identify(headers)
        media_type = _media_type(headers)
        encoding = ENCODINGS.get(media_type)
        if encoding is None:
            message = f"content type {media_type[:100] or '(none)'}: send {' or '.join(ENCODINGS)}"
            raise _refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, grpc.StatusCode.INVALID_ARGUMENT, message)
        self._intake.admit()
        with self._intake.budget.open() as hold:
            body = await self._body(headers, receive, hold)
            outcome = await self._intake.take_encoded(FEEDS[path], encoding, body, token)
        return export_reply(FEEDS[path], encoding, outcome.rejected)

    async def _take_changes(self, headers: Headers, path: str, receive: Receive) -> Reply:
        token = self._tokens.identify(headers)

        def decode(plain: bytes) -> Iterator[Decoded]:
            yield restrict(Decoded(tuple(self._changes.cloudevents(headers, plain))), token)

        return await self._keep_changes(headers, receive, decode)

    async def _take_github(self, headers: Headers, path: str, receive: Receive) -> Reply:
        parse = self._changes.github
        if parse is None:
            message = "no secret is configured for webhooks of GitHub"
            raise _refused(HTTPStatus.NOT_FOUND, grpc.StatusCode.NOT_FOUND, message)

        def decode(plain: bytes) -> Iterator[Decoded]:
            change = parse(headers, plain)
            yield Decoded(() if change is None else (change,))

        return await self._keep_changes(headers, receive, decode)

    async def _keep_changes(self, headers: Headers, receive: Receive, decode: Decode) -> Reply:
        self._intake.admit()
        with self._intake.budget.open() as hold:
            body = await self._body(headers, receive, hold)
            outcome = await self._intake.take(Feed.CHANGES, body, decode)
        rejected = [f"{r.where}: {r.reason}" for r in outcome.rejected]
        answer = msgspec.json.encode({"accepted": outcome.accepted, "rejected": rejected})
        return Reply(HTTPStatus.ACCEPTED if outcome.accepted else HTTPStatus.OK, answer)

    async def _body(self, headers: Headers, receive: Receive, hold: BodyHold) -> Body:
        coding = headers.get("content-encoding", "identity").strip().lower() or "identity"
        if coding not in ("identity", "gzip"):
            message = f"content encoding {coding[:100]}: send identity or gzip"
            raise _refused(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, grpc.StatusCode.INVALID_ARGUMENT, message, ("accept-encoding", "gzip")
            )
        limit = self._intake.limits.max_body_bytes
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise TooLargeError(f"body of {declared} bytes is larger than {limit}")
        timeout_s = self._intake.limits.read_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                return Body(await _read(receive, hold, limit), coding == "gzip")
        except TimeoutError as error:
            raise StoreError(f"the body did not arrive within {timeout_s:g} s") from error


async def _read(receive: Receive, hold: BodyHold, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError("the sender hung up")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLargeError(f"body is larger than {limit} bytes")
        hold.take(len(part))
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(reply: Reply, send: Send) -> None:
    pairs = (("content-type", reply.content_type), ("content-length", str(len(reply.body))), *reply.headers)
    head = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    await send({"type": "http.response.start", "status": int(reply.status), "headers": head})
    await send({"type": "http.response.body", "body": reply.body})


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _refused(status: int, code: grpc.StatusCode, message: str, *headers: tuple[str, str]) -> RefusedError:
    return RefusedError(Refusal(http=status, code=code, message=message, headers=headers))
