"""One target as a place to send requests to: connections, time-outs, a cap on concurrency, and failures as values."""

import asyncio
import os
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from holdfast.control.snapshot import Dialect, Target
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.gateway.client import Connection, Connections
from holdfast.gateway.failures import Failure, UpstreamError
from holdfast.gateway.wire import escaped

MAX_KEY_BYTES = 4096
SECRET_REREAD_S = 5.0


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

    __slots__ = ("_closed", "_connection", "_connections", "_end_s", "_idle_s", "_slots", "headers", "status")

    def __init__(self, connection: Connection, connections: Connections, slots: Slots, idle_s: float, end_s: float) -> None:
        self._connection, self._connections, self._slots = connection, connections, slots
        self._idle_s, self._end_s = idle_s, end_s
        self._closed = False
        self.status = connection.status
        self.headers = connection.headers

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go, and the next request in."""
        if not self._closed:
            self._closed = True
            self._connections.give_back(self._connection)
            self._slots.give_back()

    def header(self, name: str) -> str | None:
        """The first header of this lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    async def chunk(self) -> bytes | None:
        """The next piece; None at the end.

        Raises:
            UpstreamError: the connection broke, nothing came for `idle_s`, or the whole takes longer than the target may.
        """
        left_s = self._end_s - asyncio.get_running_loop().time()
        if left_s <= 0:
            raise UpstreamError(Failure.TIMEOUT, "the whole answer takes too long")
        return await self._connection.chunk(min(self._idle_s, left_s))

    async def whole(self, limit: int) -> bytes:
        """All of it.

        Raises:
            UpstreamError: as `chunk`; or it is longer than `limit`.
        """
        parts, size = [], 0
        while (piece := await self.chunk()) is not None:
            parts.append(piece)
            size += len(piece)
            if size > limit:
                raise UpstreamError(Failure.GARBAGE, f"an answer of more than {limit} bytes")
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Upstream:
    """A target. One for as long as its configuration stays the same."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self._clock = clock
        self._base = base_of(target.base_url)
        self._connections = Connections(self._base, target.connect_s)
        self._prefix = self._connections.prefix
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

    def place(self, path: str, query: str) -> str:
        """Where `path` of a client is at this target: `/v1` is part of the base or of the path, never both."""
        own = path.removeprefix("/v1") if self._prefix.endswith("/v1") else path
        return self._prefix + escaped(own, query)

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

    async def send(self, method: str, place: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """Send a request and give its answer once the head is there. Whoever gets it must close it.

        Raises:
            UpstreamError: no head came, or no slot was free.
        """
        end_s = asyncio.get_running_loop().time() + self.target.total_s
        await self.slots.take()
        try:
            limit_s = min(self.target.first_byte_s, self.target.total_s)
            connection = await self._connections.ask(method, place, headers, body, limit_s)
            return Answer(connection, self._connections, self.slots, self.target.first_byte_s, end_s)
        except BaseException:
            self.slots.give_back()
            raise

    def close(self) -> None:
        """Let the idle connections go."""
        self._connections.close()


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
        before = self._known
        self._known = {
            name: known if (known := before.get(name)) is not None and known.target == target else Upstream(target, self._clock)
            for name, target in targets.items()
        }
        for name, old in before.items():
            if self._known.get(name) is not old:
                old.close()

    def get(self, name: str) -> Upstream | None:
        """The target of that name."""
        return self._known.get(name)

    def all(self) -> list[Upstream]:
        """Every target."""
        return list(self._known.values())
