"""The gateway's end of its clients' connections: HTTP/1.1 in, whole requests to the application, replies and streams out.

Bytes are parsed by llhttp in its strict mode, which refuses what servers may read in two ways. A request is handed on when its
body is there: the gateway must have read it before it decides anything. Everything that a client can make wait, grow or pile up
has a bound, and one look over all connections, several times a second, ends what is over its time.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from typing import NamedTuple, Protocol, cast
from urllib.parse import unquote

import httptools
import structlog

from holdfast.core.clock import NS_PER_S, Clock
from holdfast.gateway.exchange import Request
from holdfast.gateway.http import BodyError, Bounds, Client
from holdfast.gateway.refusal import Reason, Refusal
from holdfast.gateway.tasks import ended
from holdfast.gateway.wire import Headers, response_head

log = structlog.get_logger(__name__)

MAX_CONNECTIONS = 1000
MAX_HEAD_BYTES = 64 * 1024
MAX_PIPELINED = 32
"""Requests that a client may send before it has the answer to the first; with more, the connection ends behind these."""
LINGER_S = 2.0
"""How long a refused client may go on sending: hung up at once, it would not get to read why."""
BACKLOG = 2048
JOINED_BYTES = 16 * 1024
"""A body up to here is written together with its head."""
_BODILESS = frozenset({204, 304})
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HeadError(ValueError):
    """A head that is not taken."""


class App(Protocol):
    """Answers requests."""

    @property
    def bounds(self) -> Bounds:
        """How much of bodies is taken, and how long clients may take."""
        ...

    async def serve(self, request: Request, client: Client) -> None:
        """Answer a request. Must not raise."""
        ...

    def refuse(self, request: Request, refusal: Refusal, client: Client) -> None:
        """Say no to what was not read as a whole."""
        ...


class _Waiting(NamedTuple):
    """A request whose turn has not come; `refusal` where it was not taken. `held` bytes of its body are counted."""

    request: Request
    refusal: Refusal | None
    held: int
    keeps: bool
    chunks: bool


class ServerConnection(asyncio.Protocol):
    """One client. Requests are answered in the order in which they came, one at a time."""

    def __init__(self, server: "HttpServer") -> None:
        self._server, self._app, self._bounds = server, server.app, server.app.bounds
        self._loop = server.loop
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._queue: deque[_Waiting] = deque()
        self.task: asyncio.Task[None] | None = None
        self._on_gone: Callable[[], object] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._method = "GET"
        self._keeps = self._chunks = True
        self._ended = False
        self._deaf = self._reading = False
        self.deadline_s = float("inf")
        self._clear()

    def _clear(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._held = self._head_bytes = 0

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)
        self._wait(self._bounds.head_s)
        if len(self._server.connections) > MAX_CONNECTIONS:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone. A stream to it ends; an answer that others may learn from is waited for."""
        self._transport = None
        self._bounds.held -= self._held + sum(one.held for one in self._queue)
        self._held = 0
        self._queue.clear()
        self._let_write()
        if self._on_gone is not None:
            self._on_gone()
        if self.task is None:
            self._server.left(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        if self._deaf:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # It is answered as what else it is, and nothing behind it is read.
            self._deaf = True
        except httptools.HttpParserError as error:
            if isinstance(error, httptools.HttpParserCallbackError) and not isinstance(error.__context__, HeadError):
                log.error("request could not be read", error=repr(error.__context__))
            self._refuse(Refusal(Reason.BAD_REQUEST, "this is not a request that HTTP allows"))

    def pause_writing(self) -> None:
        """The client does not read."""
        self._drained = self._drained or self._loop.create_future()
        self._wait(self._bounds.stalled_s)

    def resume_writing(self) -> None:
        """It reads again."""
        self._let_write()
        self.deadline_s = float("inf") if self.task is not None else self._loop.time() + self._bounds.idle_s

    def _let_write(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def _wait(self, seconds: float) -> None:
        self.deadline_s = self._loop.time() + seconds

    # What the parser tells.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._clear()
        if self._deaf:
            raise HeadError
        self._wait(self._bounds.head_s)

    def on_url(self, url: bytes) -> None:
        """A part of the request line."""
        self._head_bytes += len(url)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise HeadError
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. Repeated ones are joined (RFC 9110 §5.3); trailers are left out."""
        if self._reading:
            return
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise HeadError
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers = self._headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._reading = True
        self._wait(self._bounds.body_s)
        declared = self._headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._bounds.body_bytes:
            self._refuse(self._bounds.too_large())
        elif "expect" in self._headers and self.task is None:
            self._write(_CONTINUE)

    def on_body(self, piece: bytes) -> None:
        """Some of the body."""
        if self._deaf:
            return
        try:
            self._bounds.take(self._held, len(piece))
        except BodyError as error:
            self._refuse(error.refusal)
            return
        self._held += len(piece)
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._deaf:
            self._reading = False
            self._take(None)

    def _refuse(self, refusal: Refusal) -> None:
        """The last thing on this connection: what follows in it is not read."""
        if not self._deaf:
            self._deaf = True
            self._reading = False
            self._take(refusal)

    def _take(self, refusal: Refusal | None) -> None:
        request = self._request(refusal)
        if refusal is None and not request.path.startswith("/"):
            refusal = Refusal(Reason.BAD_REQUEST, "this is not a path")
        keeps = refusal is None and self._parser.should_keep_alive()
        chunks = self._parser.get_http_version() == "1.1"
        waiting = _Waiting(request, refusal, self._held, keeps and chunks, chunks)
        self._clear()
        if self.task is not None:
            self._queue.append(waiting)
            if len(self._queue) >= MAX_PIPELINED:
                self._deaf = True
            return
        self.deadline_s = float("inf")
        self._begin(waiting)

    def _request(self, refusal: Refusal | None) -> Request:
        raw, _, query = self._url.partition(b"?")
        if raw and raw[0] != 0x2F:
            raw = _path_of(self._url)
        path = raw.decode("latin-1")
        body = b"" if refusal is not None else self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        return Request(
            method=self._parser.get_method().decode("latin-1"),
            path=(unquote(path) if "%" in path else path).rstrip("/") or path[:1],
            raw_path=raw,
            query=query.decode("latin-1"),
            headers=self._headers,
            body=body,
            started_ns=self._server.clock.now_ns(),
        )

    # Answers.

    def _begin(self, waiting: _Waiting) -> None:
        self._method, self._keeps, self._chunks = waiting.request.method, waiting.keeps, waiting.chunks
        self._ended = False
        if waiting.refusal is not None:
            self._bounds.held -= waiting.held
            self._app.refuse(waiting.request, waiting.refusal, self)
            self._done()
        else:
            self.task = self._loop.create_task(self._serve(waiting))

    async def _serve(self, waiting: _Waiting) -> None:
        try:
            await self._app.serve(waiting.request, self)
        except Exception as error:
            # The runner's edge: one request's mistake ends its connection, and is told.
            log.error("request failed", error=type(error).__name__, exc_info=True)
        finally:
            self._bounds.held -= waiting.held
            self.task = None
            self._done()

    def _done(self) -> None:
        """An answer is out, or never will be."""
        transport = self._transport
        if transport is None:
            self._server.left(self)
        elif not self._ended:
            transport.abort()
        elif self._server.draining:
            transport.close()
        elif self._keeps and self._queue:
            self._begin(self._queue.popleft())
        elif self._keeps and not self._deaf:
            if not self._reading:
                self._wait(self._bounds.idle_s)
        elif self._deaf:
            if not transport.is_closing():
                transport.write_eof()
            self._wait(LINGER_S)
        else:
            transport.close()

    @property
    def gone(self) -> bool:
        """Whether nobody is there any more."""
        return self._transport is None

    def on_gone(self, then: Callable[[], object] | None) -> None:
        """Call `then` when the client hangs up; at once where it has."""
        self._on_gone = then
        if then is not None and self._transport is None:
            then()

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer."""
        pairs = [*headers, ("date", self._server.date())]
        if status not in _BODILESS:
            pairs.append(("content-length", str(len(body))))
        head = self._head(status, pairs)
        self._ended = True
        if self._method == "HEAD" or status in _BODILESS:
            self._write(head)
        elif len(body) <= JOINED_BYTES:
            self._write(head + body)
        else:
            self._write(head)
            self._write(body)

    def begin(self, status: int, headers: Headers) -> None:
        """Send the head of an answer that comes in pieces."""
        pairs = [*headers, ("date", self._server.date())]
        if self._chunks:
            pairs.append(("transfer-encoding", "chunked"))
        else:
            self._keeps = False
        self._write(self._head(status, pairs))

    def _head(self, status: int, pairs: list[tuple[str, str]]) -> bytes:
        self._keeps = self._keeps and not self._server.draining
        if not self._keeps:
            pairs.append(("connection", "close"))
        return response_head(status, pairs)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def piece(self, data: bytes) -> None:
        """Send a piece, and wait while the client does not read."""
        if not data or self._method == "HEAD":
            return
        self._write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunks else data)
        if self._drained is not None:
            await self._drained

    def end(self) -> None:
        """The pieces are all there."""
        self._ended = True
        if self._chunks and self._method != "HEAD":
            self._write(b"0\r\n\r\n")

    # What the server asks.

    @property
    def busy(self) -> bool:
        """Whether a request is being read or answered."""
        return self.task is not None or self._reading or bool(self._queue)

    def late(self) -> None:
        """It has taken too long over what it was waited for."""
        self.deadline_s = float("inf")
        if self._reading and self._drained is None:
            self._refuse(Refusal(Reason.BODY_TIMEOUT, f"the body did not arrive within {self._bounds.body_s:g} s"))
        else:
            self.hang_up()

    def hang_up(self) -> None:
        """End the connection; nothing that is still to be written is waited for."""
        if self._transport is not None:
            self._transport.abort()


class HttpServer:
    """Serves `app` on a listening socket."""

    def __init__(self, app: App, clock: Clock) -> None:
        self.app, self.clock = app, clock
        self.loop = asyncio.get_running_loop()
        self.connections: set[ServerConnection] = set()
        self.draining = False
        self._listening: asyncio.Server | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._date, self._date_s = "", -1

    async def start(self, listener: socket.socket) -> None:
        """Take connections from now on."""
        self._listening = await self.loop.create_server(lambda: ServerConnection(self), sock=listener, backlog=BACKLOG)
        self._sweep()

    def date(self) -> str:
        """The time as HTTP writes it; written once a second."""
        now_s = self.clock.now_ns() // NS_PER_S
        if now_s != self._date_s:
            self._date, self._date_s = formatdate(now_s, usegmt=True), now_s
        return self._date

    def _sweep(self) -> None:
        now_s = self.loop.time()
        for one in [c for c in self.connections if c.deadline_s < now_s]:
            one.late()
        self._sweeping = self.loop.call_later(self.app.bounds.sweep_s, self._sweep)

    def left(self, connection: ServerConnection) -> None:
        """A client is gone, and what it asked is done with."""
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()

    async def close(self, within_s: float) -> None:
        """Take no more, let what is under way end within this time, and then hang up."""
        self.draining = True
        if self._listening is not None:
            self._listening.close()
        self._empty.clear()
        for one in [c for c in self.connections if not c.busy]:
            one.hang_up()
        if self.connections:
            try:
                async with asyncio.timeout(within_s):
                    await self._empty.wait()
            except TimeoutError:
                log.warning("requests are cut off", connections=len(self.connections))
        await ended(*[c.task for c in self.connections if c.task is not None])
        for one in list(self.connections):
            one.hang_up()
        if self._sweeping is not None:
            self._sweeping.cancel()


def _path_of(url: bytes) -> bytes:
    """The path of a request target that is a whole URL; empty where it is none."""
    try:
        found: bytes | None = httptools.parse_url(url).path
    except httptools.HttpParserInvalidURLError:
        return b""
    return found or b""
