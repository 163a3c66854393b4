"""One target as a place to send requests to: connections, time-outs, a cap on concurrency, and failures as values."""

import asyncio
import os
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import ConnectError, ConnectTimeoutError, PyreqwestError, RequestTimeoutError
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from holdfast.control.snapshot import Dialect, Target
from holdfast.core.clock import NS_PER_S, Clock

MAX_KEY_BYTES = 4096
SECRET_REREAD_S = 5.0
POOL_IDLE_S = 30.0
MAX_AT_ONCE = 64 * 1024
"""Bytes of an answer that says its length and is read in one step."""


class Failure(StrEnum):
    """Why a target gave no usable answer."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    RESET = "reset"
    STATUS = "status"
    BUSY = "busy"
    """429: back-pressure, which no breaker counts."""
    GARBAGE = "garbage"
    SATURATED = "saturated"
    """As many requests as the target may have at once are under way: the target has not been asked."""
    CREDENTIALS = "credentials"


class UpstreamError(Exception):
    """No usable answer. The message names no secret and no content."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure


class Slots:
    """At most `size` requests at once; more wait, each at most `queue_s`, in order of arrival."""

    def __init__(self, size: int, queue_s: float) -> None:
        self._semaphore = asyncio.Semaphore(size)
        self._queue_s = queue_s
        self.in_flight = 0

    async def take(self) -> None:
        """Take a slot.

        Raises:
            UpstreamError: none became free in time.
        """
        if self._semaphore.locked():
            try:
                async with asyncio.timeout(self._queue_s):
                    await self._semaphore.acquire()
            except TimeoutError as error:
                raise UpstreamError(Failure.SATURATED, f"no free slot within {self._queue_s:g} s") from error
        else:
            await self._semaphore.acquire()
        self.in_flight += 1

    def give_back(self) -> None:
        """Let the next one go."""
        self.in_flight -= 1
        self._semaphore.release()


class Answer:
    """A response whose head has arrived. `chunk` gives its body piece by piece; `close` lets its connection go, once."""

    def __init__(self, request: StreamRequest, response: Response, slots: Slots, idle_s: float) -> None:
        self._request, self._response, self._slots, self._idle_s = request, response, slots, idle_s
        self._closed = False
        self.status = response.status
        self.headers: list[tuple[str, str]] = [(str(k), str(v)) for k, v in response.headers.items()]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the connection go, and the next request in."""
        if not self._closed:
            self._closed = True
            try:
                await self._request.__aexit__(None, None, None)
            finally:
                self._slots.give_back()

    def header(self, name: str) -> str | None:
        """The first header of this lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    async def chunk(self) -> bytes | None:
        """The next piece; None at the end.

        Raises:
            UpstreamError: the connection broke, or nothing came for `idle_s`.
        """
        try:
            async with asyncio.timeout(self._idle_s):
                piece = await self._response.body_reader.read_chunk()
        except TimeoutError as error:
            raise UpstreamError(Failure.TIMEOUT, f"nothing for {self._idle_s:g} s") from error
        except PyreqwestError as error:
            raise UpstreamError(Failure.RESET, "the connection broke") from error
        return None if piece is None else bytes(piece)

    async def whole(self, limit: int) -> bytes:
        """All of it.

        Raises:
            UpstreamError: as `chunk`; or it is longer than `limit`.
        """
        declared = self.header("content-length") or ""
        if declared.isdecimal() and int(declared) <= min(limit, MAX_AT_ONCE):
            return await self._at_once()
        parts, size = [], 0
        while (piece := await self.chunk()) is not None:
            parts.append(piece)
            size += len(piece)
            if size > limit:
                raise UpstreamError(Failure.GARBAGE, f"an answer of more than {limit} bytes")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _at_once(self) -> bytes:
        try:
            async with asyncio.timeout(self._idle_s):
                return bytes(await self._response.bytes())
        except TimeoutError as error:
            raise UpstreamError(Failure.TIMEOUT, f"nothing for {self._idle_s:g} s") from error
        except PyreqwestError as error:
            raise UpstreamError(Failure.RESET, "the connection broke") from error


class Upstream:
    """A target. One for as long as its configuration stays the same."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self._clock = clock
        self._base = base_of(target.base_url)
        self._client: Client | None = None
        self._key, self._key_read_ns = "", 0
        self.slots = Slots(target.max_concurrency, target.queue_s)
        self.busy_until_ns = 0

    def back_off(self, seconds: float) -> None:
        """The target has asked for a pause."""
        self.busy_until_ns = max(self.busy_until_ns, self._clock.now_ns() + int(seconds * NS_PER_S))

    @property
    def backing_off_s(self) -> float:
        """Seconds of a pause that the target asked for and that is not over."""
        return max(self.busy_until_ns - self._clock.now_ns(), 0) / NS_PER_S

    def url(self, path: str, query: str) -> str:
        """Where `path` of a client is at this target: `/v1` is part of the base or of the path, never both."""
        own = path.removeprefix("/v1") if self._base.endswith("/v1") else path
        return f"{self._base}{own}?{query}" if query else f"{self._base}{own}"

    def credentials(self) -> list[tuple[str, str]]:
        """The header that carries the target's key; none where it has none.

        Raises:
            UpstreamError: its key is configured, but not there.
        """
        if not (self.target.api_key_env or self.target.api_key_file):
            return []
        key = self._secret()
        if self.target.dialect is Dialect.ANTHROPIC:
            return [("x-api-key", key)]
        if (urlsplit(self._base).hostname or "").endswith(".azure.com"):
            return [("api-key", key)]
        return [("authorization", f"Bearer {key}")]

    def _secret(self) -> str:
        now_ns = self._clock.now_ns()
        if not self._key or now_ns - self._key_read_ns > SECRET_REREAD_S * NS_PER_S:
            self._key, self._key_read_ns = read_secret(self.target), now_ns
        return self._key

    async def send(self, method: str, url: str, headers: list[tuple[str, str]], body: bytes, whole: bool = False) -> Answer:
        """Send a request and give its answer once the head is there. Whoever gets it must close it.

        `whole`: the answer is not expected to come piece by piece, so that its first 64 KiB may be waited for together.

        Raises:
            UpstreamError: no head came, or no slot was free.
        """
        await self.slots.take()
        try:
            request = self._request(method, url, headers, body, whole)
            return Answer(request, await self._head(request), self.slots, self.target.first_byte_s)
        except BaseException:
            self.slots.give_back()
            raise

    def _request(self, method: str, url: str, headers: list[tuple[str, str]], body: bytes, whole: bool) -> StreamRequest:
        if self._client is None:
            self._client = new_client(self.target)
        builder = self._client.request(method, url).headers(headers)
        if body:
            builder = builder.body_bytes(body)
        # Else the client library waits for as much before it gives the first piece away.
        return (builder if whole else builder.streamed_read_buffer_limit(0)).build_streamed()

    async def _head(self, request: StreamRequest) -> Response:
        limit_s = self.target.first_byte_s
        try:
            async with asyncio.timeout(limit_s):
                return await request.__aenter__()
        except ConnectTimeoutError as error:
            raise UpstreamError(Failure.CONNECT, f"no connection within {self.target.connect_s:g} s") from error
        except (TimeoutError, RequestTimeoutError) as error:
            raise UpstreamError(Failure.TIMEOUT, f"no answer within {limit_s:g} s") from error
        except ConnectError as error:
            raise UpstreamError(Failure.CONNECT, "no connection") from error
        except PyreqwestError as error:
            raise UpstreamError(Failure.RESET, "the connection broke before an answer") from error

    async def close(self) -> None:
        """Let the connections go."""
        if self._client is not None:
            await self._client.close()
            self._client = None


def new_client(target: Target) -> Client:
    """Connections to one target: its own answer is what counts, so no redirect is followed and nothing is decompressed."""
    return (
        ClientBuilder()
        .connect_timeout(timedelta(seconds=target.connect_s))
        .timeout(timedelta(seconds=target.total_s))
        .pool_idle_timeout(timedelta(seconds=POOL_IDLE_S))
        .follow_redirects(False)
        .default_cookie_store(False)
        .referer(False)
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .build()
    )


def base_of(url: str) -> str:
    """`url` without a slash at its end."""
    return url.rstrip("/")


def read_secret(target: Target) -> str:
    """The target's key, from the environment or its file.

    Raises:
        UpstreamError: it is not there; the message names where it should be, never what was there.
    """
    if target.api_key_env:
        key = os.environ.get(target.api_key_env, "").strip()
        place = f"environment variable {target.api_key_env}"
    else:
        place = f"file {target.api_key_file}"
        try:
            key = Path(target.api_key_file).read_bytes()[:MAX_KEY_BYTES].decode("ascii", "replace").strip()
        except OSError:
            key = ""
    if not key or not key.isascii() or not key.isprintable():
        raise UpstreamError(Failure.CREDENTIALS, f"no usable key in {place}")
    return key


class Upstreams:
    """All targets by name. A changed target gets new connections; the old ones end with their last request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Upstream] = {}

    def configure(self, targets: dict[str, Target]) -> None:
        """These are the targets from now on."""
        self._known = {
            name: known
            if (known := self._known.get(name)) is not None and known.target == target
            else Upstream(target, self._clock)
            for name, target in targets.items()
        }

    def get(self, name: str) -> Upstream | None:
        """The target of that name."""
        return self._known.get(name)

    def all(self) -> list[Upstream]:
        """Every target."""
        return list(self._known.values())
