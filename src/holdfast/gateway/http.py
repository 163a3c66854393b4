"""The gateway on HTTP: what is answered to a request that is there, health and metrics, and the bounds on what clients may do."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import orjson
import structlog

from holdfast.gateway.dialects.registry import dialect_of
from holdfast.gateway.exchange import Exchange, Reply, Request
from holdfast.gateway.gateway import Gateway, internal_error
from holdfast.gateway.meters import CONTENT_TYPE
from holdfast.gateway.refusal import Reason, Refusal
from holdfast.gateway.wire import Headers

log = structlog.get_logger(__name__)

Exposition = Callable[[], bytes]

MAX_HEADERS = 100
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_ABOUT = frozenset({"/healthz", "/readyz", "/metrics"})


class Client(Protocol):
    """Who asked, as far as it can be answered: `whole` once, or `begin`, pieces, `end`. To one that is gone nothing is sent."""

    @property
    def gone(self) -> bool:
        """Whether nobody is there any more."""
        ...

    def on_gone(self, then: Callable[[], object] | None) -> None:
        """Call `then` when the client hangs up; at once where it has."""
        ...

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer."""
        ...

    def begin(self, status: int, headers: Headers) -> None:
        """Send the head of an answer that comes in pieces."""
        ...

    async def piece(self, data: bytes) -> None:
        """Send a piece, and wait while the client does not read."""
        ...

    def end(self) -> None:
        """The pieces are all there."""
        ...


class BodyError(Exception):
    """A body that is not taken; carries the refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Bounds:
    """How much of bodies is taken, one and all together, and how long clients may take over what they do. Bytes and seconds."""

    def __init__(self, body_bytes: int = 32 * 2**20, buffered_bytes: int = 64 * 2**20, body_s: float = 30.0) -> None:
        self.body_bytes, self.buffered_bytes, self.body_s = body_bytes, buffered_bytes, body_s
        self.head_s, self.idle_s, self.stalled_s = 10.0, 75.0, 60.0
        self.held = 0

    @property
    def sweep_s(self) -> float:
        """How often to look for who is late."""
        return min(self.head_s, self.idle_s, self.stalled_s, self.body_s, 2.0) / 4

    def too_large(self) -> Refusal:
        """For a body over the bound."""
        return Refusal(Reason.BODY_TOO_LARGE, f"a body may have at most {self.body_bytes} bytes")

    def take(self, held: int, size: int) -> None:
        """More bytes are held, of a body of which `held` are already.

        Raises:
            BodyError: the body is too long, or too many are held for all requests together.
        """
        if held + size > self.body_bytes:
            raise BodyError(self.too_large())
        if self.held + size > self.buffered_bytes:
            raise BodyError(Refusal(Reason.SATURATED, "too many large requests at once", 1))
        self.held += size


class GatewayApp:
    """What answers requests. `metrics_token` empty serves metrics to everybody, which is for loopback only."""

    def __init__(
        self, gateway: Gateway, bounds: Bounds | None = None, metrics_token: str = "", exposition: Exposition | None = None
    ) -> None:
        self._gateway, self.bounds = gateway, bounds or Bounds()
        self._metrics_token = metrics_token
        self._exposition = exposition or gateway.meters.exposition
        self.draining = False

    async def serve(self, request: Request, client: Client) -> None:
        """Answer one request."""
        if request.path in _ABOUT:
            self._about_itself(request, client)
            return
        self._gateway.in_flight += 1
        try:
            await self._serve(request, client)
        finally:
            self._gateway.in_flight -= 1

    async def _serve(self, request: Request, client: Client) -> None:
        exchange = self._gateway.begin(request)
        refusal = bad_shape(request)
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
            if isinstance(reply.body, bytes):
                client.whole(reply.status, (*reply.headers, *exchange.own_headers()), reply.body)
            else:
                await _send_stream(exchange, reply, reply.body, client)
        finally:
            if delivery is not None:
                if delivery.broken and exchange.refusal is None:
                    exchange.refusal = Refusal(Reason.UPSTREAM_FAILED, delivery.broken)
                self._gateway.finish(exchange, delivery)
            else:
                self._gateway.meters.finished(exchange)

    def refuse(self, request: Request, refusal: Refusal, client: Client) -> None:
        """Say no to what was not read as a whole."""
        exchange = self._gateway.begin(request)
        exchange.dialect = dialect_of(request.path, frozenset(request.headers))
        reply = exchange.refuse(refusal)
        exchange.status = reply.status
        self._gateway.meters.finished(exchange)
        client.whole(
            reply.status, (*reply.headers, *exchange.own_headers()), reply.body if isinstance(reply.body, bytes) else b""
        )

    def _about_itself(self, request: Request, client: Client) -> None:
        if request.method not in ("GET", "HEAD"):
            client.whole(405, (("allow", "GET"),), b"")
        elif request.path == "/metrics":
            self._metrics(request, client)
        else:
            ready = self._gateway.ready and not self.draining
            ok = request.path == "/healthz" or ready
            told = {
                "status": "ok" if ok else "draining" if self.draining else "no snapshot",
                "snapshot": self._gateway.compiled.version,
                "switch": self._gateway.desk.switch.value,
            }
            client.whole(200 if ok else 503, _JSON, orjson.dumps(told))

    def _metrics(self, request: Request, client: Client) -> None:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if self._metrics_token and not hmac.compare_digest(shown.encode(), self._metrics_token.encode()):
            client.whole(401, (("www-authenticate", "Bearer"),), b"")
        else:
            client.whole(200, (("content-type", CONTENT_TYPE),), self._exposition())


_JSON = (("content-type", "application/json"),)


_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_:-]+)+")


def ambiguous(path: str, raw: bytes) -> bool:
    """Whether servers may disagree on what a path means."""
    odd = "//" in path or "/../" in f"{path}/" or "/./" in f"{path}/" or "\\" in path or not path.isprintable()
    return odd or b"%2f" in raw.lower() or b"%5c" in raw.lower() or not path.isascii()


def bad_shape(request: Request) -> Refusal | None:
    """What is wrong with a request as such. A path that servers may read in two ways is not passed on: guards read only one."""
    raw = request.raw_path
    if (b"%" in raw or not _PLAIN_PATH.fullmatch(request.path)) and ambiguous(request.path, raw):
        return Refusal(Reason.BAD_REQUEST, "this path could be read in two ways")
    if request.method not in _METHODS:
        return Refusal(Reason.BAD_REQUEST, f"method {request.method[:20]} is not served")
    if len(request.headers) > MAX_HEADERS:
        return Refusal(Reason.BAD_REQUEST, f"more than {MAX_HEADERS} headers")
    if "content-length" in request.headers and "transfer-encoding" in request.headers:
        return Refusal(Reason.BAD_REQUEST, "content-length and transfer-encoding together")
    return None


async def _send_stream(exchange: Exchange, reply: Reply, pieces: AsyncIterator[bytes], client: Client) -> None:
    """Send the pieces as they come; when the client hangs up, the target is let go too."""
    own = asyncio.current_task()
    # Whatever is waited for just then, such as a target that says nothing, is let go at once.
    client.on_gone(None if own is None else own.cancel)
    started = False
    try:
        async for piece in pieces:
            if not started:
                # Only now: what the first piece has decided stands in the headers.
                client.begin(reply.status, (*reply.headers, *exchange.own_headers()))
                started = True
            await client.piece(piece)
        if not started:
            client.begin(reply.status, exchange.own_headers())
        client.end()
    except asyncio.CancelledError:
        if not client.gone or own is None or own.uncancel():
            raise
        exchange.changed("client:gone")
    finally:
        client.on_gone(None)
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
