"""Connections to targets: HTTP/1.1, kept alive, one request at a time on each. Bytes are parsed by llhttp, in its strict mode.

The gateway moves bytes and little else: a client of our own on the worker's event loop costs a fifth of one with threads, pools
and middleware of its own. It follows no redirect, decompresses nothing, keeps no cookies, and uses no proxy.
"""

import asyncio
import socket
import ssl
from functools import cache
from typing import cast
from urllib.parse import SplitResult, urlsplit

import httptools

from holdfast.gateway.failures import Failure, UpstreamError
from holdfast.gateway.wire import Headers, request_head

IDLE_S = 30.0
"""How long a connection is kept without a request: less than servers usually do."""
MAX_HEAD_BYTES = 64 * 1024
MAX_HELD_BYTES = 256 * 1024
"""Of an answer that nobody has asked for yet; the target is read no further until somebody has."""
MAX_CONNECTING_ADDRESSES = 4
_PORTS = {"http": 80, "https": 443}


class Connection(asyncio.Protocol):
    """One connection. `ask`, then `chunk` until None; whatever is left of an answer that is not read ends the connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[bool] | None = None
        self._asked = self._paused = self._keeps = False
        self.idle_since_s = 0.0
        self._begin(False)

    def _begin(self, bodiless: bool) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self._bodiless = bodiless
        self._pieces: list[bytes] = []
        self._held = self._head_bytes = 0
        self._framed = self._headed = self._complete = False
        self._broken: UpstreamError | None = None
        self.heard = False
        """Whether anything of an answer has arrived."""

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer; bytes that nobody has asked for end the connection."""
        if not self._asked:
            self.close()
            return
        self.heard = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._keeps = False
            self._break(Failure.GARBAGE, "an answer that is not HTTP")
        self._wake(True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone. An answer that says no length ends so; any other is broken."""
        self._transport, self._keeps = None, False
        if self._headed and not self._framed and exc is None:
            self._complete = True
        self._break(Failure.RESET, "the connection broke" if self._headed else "the connection broke before an answer")
        self._wake(True)

    # What the parser tells.

    def on_message_begin(self) -> None:
        """A head begins. Behind a whole answer there must be none."""
        if self._complete:
            raise ValueError("an answer that nobody has asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; those behind the body are left out."""
        if self._headed:
            return
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise ValueError("head too large")
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The head is there. One that only informs is passed over."""
        status = self._parser.get_status_code()
        if status < 200:
            self.headers = []
            return
        self.status, self._headed = status, True
        # An answer that has no body by what it is needs no word on its length.
        self._framed = status in (204, 304) or any(n in ("content-length", "transfer-encoding") for n, _ in self.headers)
        if self._bodiless:
            self._complete = True

    def on_body(self, piece: bytes) -> None:
        """Some of the body."""
        if self._bodiless:
            return
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held > MAX_HELD_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._headed:
            self._complete = True
            self._keeps = not self._bodiless and self._parser.should_keep_alive()

    # What the gateway asks.

    async def ask(self, request: bytes, limit_s: float, bodiless: bool = False) -> None:
        """Send a request and wait for the head of its answer. `bodiless`: the answer has none whatever it says (HEAD).

        Raises:
            UpstreamError: no head came within `limit_s`.
        """
        self._begin(bodiless)
        self._asked, self._keeps = True, False
        if self._transport is None or self._transport.is_closing():
            self._break(Failure.RESET, "the connection broke before an answer")
        else:
            self._transport.write(request)
        end_s = self._loop.time() + limit_s
        while not self._headed:
            if self._broken is not None:
                raise self._broken
            if not await self._news(end_s):
                raise UpstreamError(Failure.TIMEOUT, f"no answer within {limit_s:g} s")

    async def chunk(self, limit_s: float) -> bytes | None:
        """All that has arrived and was not given out; None at the end.

        Raises:
            UpstreamError: the connection broke, or nothing came for `limit_s`.
        """
        end_s = self._loop.time() + limit_s
        while not self._pieces:
            if self._complete:
                return None
            if self._broken is not None:
                raise self._broken
            if not await self._news(end_s):
                raise UpstreamError(Failure.TIMEOUT, f"nothing for {limit_s:g} s")
        piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._held = [], 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return piece

    async def _news(self, end_s: float) -> bool:
        """Wait for something to arrive; False where nothing does by `end_s` of the loop's clock."""
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_at(end_s, self._wake, False)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self, news: bool) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(news)

    def _break(self, failure: Failure, message: str) -> None:
        if not self._complete and self._broken is None:
            self._broken = UpstreamError(failure, message)

    def rest(self) -> bool:
        """The answer is done with: whether another request can be sent."""
        self._asked = False
        if not self._keeps or not self._complete or self._pieces or self._transport is None:
            return False
        # A target that answers before it has read the request is not listening where the next one begins.
        return self._transport.get_write_buffer_size() == 0

    @property
    def alive(self) -> bool:
        """Whether it is still there."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()


class Connections:
    """The connections to one http or https URL; at any other nobody is. As many are idle as were ever in use at once."""

    def __init__(self, base_url: str, connect_s: float) -> None:
        url = urlsplit(base_url)
        self._tls = url.scheme == "https"
        self._host, self._port = url.hostname or "", _port_of(url)
        self.prefix = url.path.rstrip("/")
        self._connect_s = connect_s
        self._idle: list[Connection] = []
        self._sweeping: asyncio.TimerHandle | None = None
        self._good: object = None
        self.host = url.netloc.rpartition("@")[2]

    async def ask(self, method: str, place: str, headers: Headers, body: bytes, limit_s: float) -> Connection:
        """Send a request; the connection on which the head of its answer has arrived. Whoever gets it must give it back.

        A server may hang up an idle connection just when the next request is on its way to it. What then broke without a byte of
        an answer is sent once more, on a new connection: that is no failure of the server, and nobody need see it.

        Raises:
            UpstreamError: no head came within `limit_s`, or the request cannot be written.
        """
        try:
            request = request_head(method, place, self.host, headers, len(body)) + body
        except ValueError as error:
            raise UpstreamError(Failure.GARBAGE, f"the request cannot be written: {error}") from error
        connection = self.idle()
        fresh = connection is None
        while True:
            connection = connection or await self.new()
            try:
                await connection.ask(request, limit_s, method == "HEAD")
            except UpstreamError as error:
                connection.close()
                if fresh or connection.heard or error.failure is not Failure.RESET:
                    raise
            except BaseException:
                connection.close()
                raise
            else:
                return connection
            connection, fresh = None, True

    def idle(self) -> Connection | None:
        """The connection that was used last and is free."""
        while self._idle:
            found = self._idle.pop()
            if found.alive:
                return found
        return None

    async def new(self) -> Connection:
        """Another connection.

        Raises:
            UpstreamError: there is none to be had in time.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_s):
                return await self._connected(loop)
        except TimeoutError as error:
            raise UpstreamError(Failure.CONNECT, f"no connection within {self._connect_s:g} s") from error
        except (OSError, UnicodeError) as error:
            raise UpstreamError(Failure.CONNECT, "no connection") from error

    async def _connected(self, loop: asyncio.AbstractEventLoop) -> Connection:
        """Each address in turn, for its part of the time: one that swallows everything must not take it all."""
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        addresses = sorted(found, key=lambda one: one[4] != self._good)[:MAX_CONNECTING_ADDRESSES]
        end_s = loop.time() + self._connect_s
        failed: OSError = OSError("no address")
        for number, (*_, address) in enumerate(addresses):
            try:
                async with asyncio.timeout((end_s - loop.time()) / (len(addresses) - number)):
                    connection = await self._connect(loop, str(address[0]))
            except OSError as error:
                failed = error
                continue
            self._good = address
            return connection
        raise failed

    async def _connect(self, loop: asyncio.AbstractEventLoop, address: str) -> Connection:
        trust, name = (trusted(), self._host) if self._tls else (None, None)
        _, connection = await loop.create_connection(
            lambda: Connection(loop), address, self._port, ssl=trust, server_hostname=name
        )
        return connection

    def give_back(self, connection: Connection) -> None:
        """Its answer is done with: it is kept where it can be used again."""
        if not connection.rest():
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since_s = loop.time()
        self._idle.append(connection)
        if self._sweeping is None:
            self._sweeping = loop.call_later(IDLE_S, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeping = None
        kept = []
        for one in self._idle:
            if loop.time() - one.idle_since_s >= IDLE_S:
                one.close()
            elif one.alive:
                kept.append(one)
        self._idle = kept
        if kept:
            self._sweeping = loop.call_later(IDLE_S - (loop.time() - kept[0].idle_since_s), self._sweep, loop)

    def close(self) -> None:
        """Let the idle ones go; those in use end with their answers."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for one in self._idle:
            one.close()
        self._idle = []


def _port_of(url: SplitResult) -> int:
    """Where to connect; 0, where nobody listens, for what is no http or https URL."""
    try:
        return _PORTS.get(url.scheme, 0) and (url.port or _PORTS[url.scheme])
    except ValueError:
        return 0


@cache
def trusted() -> ssl.SSLContext:
    """Whom this machine trusts: the system's authorities, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
