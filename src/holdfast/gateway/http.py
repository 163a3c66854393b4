"""The gateway on HTTP, as an ASGI application: bodies in, bounded; replies and streams out; health and metrics beside them."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

import orjson
import structlog

from holdfast.core.clock import Clock
from holdfast.gateway.dialects.registry import dialect_of
from holdfast.gateway.exchange import Exchange, Reply, Request
from holdfast.gateway.gateway import Gateway, internal_error
from holdfast.gateway.meters import CONTENT_TYPE
from holdfast.gateway.refusal import Reason, Refusal

log = structlog.get_logger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Exposition = Callable[[], bytes]

MAX_HEADERS = 100
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class BodyError(Exception):
    """A body that is not taken; carries the refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class ClientGoneError(Exception):
    """The client hung up before its request was whole."""


class Bounds:
    """How much of bodies is taken, one and all together, and for how long one may arrive. Bytes and seconds."""

    def __init__(self, body_bytes: int = 32 * 2**20, buffered_bytes: int = 64 * 2**20, body_s: float = 30.0) -> None:
        self.body_bytes, self.buffered_bytes, self.body_s = body_bytes, buffered_bytes, body_s
        self.held = 0

    def take(self, size: int) -> None:
        """More bytes are held.

        Raises:
            BodyError: too many are held for all requests together.
        """
        if self.held + size > self.buffered_bytes:
            raise BodyError(Refusal(Reason.SATURATED, "too many large requests at once", 1))
        self.held += size


class GatewayApp:
    """ASGI. `metrics_token` empty serves metrics to everybody, which is for loopback only."""

    def __init__(
        self,
        gateway: Gateway,
        clock: Clock,
        bounds: Bounds | None = None,
        metrics_token: str = "",
        exposition: Exposition | None = None,
    ) -> None:
        self._gateway, self._clock, self._bounds = gateway, clock, bounds or Bounds()
        self._metrics_token = metrics_token
        self._exposition = exposition or gateway.meters.exposition
        self.draining = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        path = str(scope["path"])
        if path in ("/healthz", "/readyz", "/metrics"):
            await self._about_itself(path, scope, send)
            return
        self._gateway.in_flight += 1
        held = 0
        try:
            headers = joined(scope["headers"])
            body, held = await self._read_body(scope, headers, receive)
            request = Request(
                method=scope["method"],
                path=path.rstrip("/") or "/",
                query=scope["query_string"].decode("latin-1"),
                headers=headers,
                body=body,
                started_ns=self._clock.now_ns(),
            )
            await self._serve(request, scope, receive, send)
        except BodyError as error:
            await self._refuse(scope, error.refusal, send)
        except ClientGoneError:
            return
        finally:
            self._gateway.in_flight -= 1
            self._bounds.held -= held

    async def _serve(self, request: Request, scope: Message, receive: Receive, send: Send) -> None:
        exchange = self._gateway.begin(request)
        refusal = bad_shape(scope, request)
        delivery = None
        try:
            if refusal is not None:
                reply = exchange.refuse(refusal)
            else:
                reply, delivery = await self._gateway.answer(exchange)
        except Exception as error:
            self._gateway.meters.failed("answer")
            log.error("request failed", request_id=exchange.request_id, error=type(error).__name__, exc_info=True)
            reply = internal_error(exchange)
        exchange.status = reply.status
        try:
            await _deliver(exchange, reply, receive, send)
        finally:
            if delivery is not None:
                if delivery.broken and exchange.refusal is None:
                    exchange.refusal = Refusal(Reason.UPSTREAM_FAILED, delivery.broken)
                self._gateway.finish(exchange, delivery)
            else:
                self._gateway.meters.finished(exchange)

    async def _read_body(self, scope: Message, headers: dict[str, str], receive: Receive) -> tuple[bytes, int]:
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._bounds.body_bytes:
            raise BodyError(self._too_large())
        if not declared and "transfer-encoding" not in headers:
            return b"", 0
        parts: list[bytes] = []
        held = 0
        try:
            async with asyncio.timeout(self._bounds.body_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGoneError
                    part = message.get("body", b"")
                    if held + len(part) > self._bounds.body_bytes:
                        raise BodyError(self._too_large())
                    self._bounds.take(len(part))
                    held += len(part)
                    parts.append(part)
                    if not message.get("more_body", False):
                        return (parts[0] if len(parts) == 1 else b"".join(parts)), held
        except TimeoutError as error:
            self._bounds.held -= held
            message_ = f"the body did not arrive within {self._bounds.body_s:g} s"
            raise BodyError(Refusal(Reason.BODY_TIMEOUT, message_)) from error
        except (BodyError, ClientGoneError):
            self._bounds.held -= held
            raise

    def _too_large(self) -> Refusal:
        return Refusal(Reason.BODY_TOO_LARGE, f"a body may have at most {self._bounds.body_bytes} bytes")

    async def _refuse(self, scope: Message, refusal: Refusal, send: Send) -> None:
        """Say no to what was not read: the connection ends with it, since the rest of the body may still be coming."""
        names = frozenset(name.decode("latin-1") for name, _ in scope["headers"])
        request = Request(method=scope["method"], path=str(scope["path"]), started_ns=self._clock.now_ns())
        exchange = self._gateway.begin(request)
        exchange.dialect = dialect_of(request.path, names)
        reply = exchange.refuse(refusal)
        exchange.status = reply.status
        self._gateway.meters.finished(exchange)
        with suppress(OSError):
            await _send_whole(reply, [*exchange.own_headers(), ("connection", "close")], send)

    async def _about_itself(self, path: str, scope: Message, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _send_whole(Reply(status=405, headers=(("allow", "GET"),)), [], send)
        elif path == "/metrics":
            await self._metrics(scope, send)
        else:
            ready = self._gateway.ready and not self.draining
            ok = path == "/healthz" or ready
            told = {
                "status": "ok" if ok else "draining" if self.draining else "no snapshot",
                "snapshot": self._gateway.compiled.version,
                "switch": self._gateway.desk.switch.value,
            }
            await _send_whole(Reply(status=200 if ok else 503, headers=_JSON, body=orjson.dumps(told)), [], send)

    async def _metrics(self, scope: Message, send: Send) -> None:
        shown = joined(scope["headers"]).get("authorization", "").removeprefix("Bearer ").strip()
        if self._metrics_token and not hmac.compare_digest(shown.encode(), self._metrics_token.encode()):
            await _send_whole(Reply(status=401, headers=(("www-authenticate", "Bearer"),)), [], send)
            return
        reply = Reply(status=200, headers=(("content-type", CONTENT_TYPE),), body=self._exposition())
        await _send_whole(reply, [], send)


_JSON = (("content-type", "application/json"),)


def joined(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name. Repeated ones are joined (RFC 9110 §5.3); names come in lower case from the server."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_:-]+)+")


def ambiguous(path: str, raw: bytes) -> bool:
    """Whether servers may disagree on what a path means."""
    odd = "//" in path or "/../" in f"{path}/" or "/./" in f"{path}/" or "\\" in path or not path.isprintable()
    return odd or b"%2f" in raw.lower() or b"%5c" in raw.lower() or not path.isascii()


def bad_shape(scope: Message, request: Request) -> Refusal | None:
    """What is wrong with a request as such. A path that servers may read in two ways is not passed on: guards read only one."""
    raw = scope.get("raw_path") or b""
    if (b"%" in raw or not _PLAIN_PATH.fullmatch(request.path)) and ambiguous(request.path, raw):
        return Refusal(Reason.BAD_REQUEST, "this path could be read in two ways")
    if request.method not in _METHODS:
        return Refusal(Reason.BAD_REQUEST, f"method {request.method[:20]} is not served")
    if len(request.headers) > MAX_HEADERS:
        return Refusal(Reason.BAD_REQUEST, f"more than {MAX_HEADERS} headers")
    if "content-length" in request.headers and "transfer-encoding" in request.headers:
        return Refusal(Reason.BAD_REQUEST, "content-length and transfer-encoding together")
    return None


async def _deliver(exchange: Exchange, reply: Reply, receive: Receive, send: Send) -> None:
    if isinstance(reply.body, bytes):
        await _send_whole(reply, exchange.own_headers(), send)
    else:
        await _send_stream(exchange, reply, reply.body, receive, send)


async def _send_whole(reply: Reply, own: list[tuple[str, str]], send: Send) -> None:
    body = reply.body if isinstance(reply.body, bytes) else b""
    pairs = (*reply.headers, *own, ("content-length", str(len(body))))
    await send({"type": "http.response.start", "status": reply.status, "headers": _encoded(pairs)})
    await send({"type": "http.response.body", "body": body})


async def _send_stream(exchange: Exchange, reply: Reply, pieces: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Send the pieces as they come; when the client hangs up, the target is let go too."""
    gone = asyncio.ensure_future(receive())
    own = asyncio.current_task()
    if own is not None:
        # Whatever is waited for just then, such as a target that says nothing, is let go at once.
        gone.add_done_callback(lambda done: None if done.cancelled() else own.cancel())
    started = False
    try:
        async for piece in pieces:
            if not started:
                # Only now: what the first piece has decided stands in the headers.
                headers = _encoded((*reply.headers, *exchange.own_headers()))
                await send({"type": "http.response.start", "status": reply.status, "headers": headers})
                started = True
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if not started:
            await send({"type": "http.response.start", "status": reply.status, "headers": _encoded(exchange.own_headers())})
        await send({"type": "http.response.body", "body": b""})
    except asyncio.CancelledError:
        if not gone.done() or own is None or own.uncancel():
            raise
        exchange.changed("client:gone")
    finally:
        gone.cancel()
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()


def _encoded(pairs: Any) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in pairs]
