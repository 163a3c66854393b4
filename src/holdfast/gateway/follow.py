"""Follows the control plane: a stream of snapshots with resume, a poll where the stream does not hold, and the reports back."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import structlog

from holdfast.control.gateways import GatewayReport
from holdfast.control.probes import ProbeAnswer, ProbeVerdict, decode_verdict
from holdfast.control.snapshot import Snapshot
from holdfast.control.validate import MAX_SNAPSHOT_BYTES
from holdfast.core.errors import HoldfastError
from holdfast.gateway.client import Connection, Connections
from holdfast.gateway.failures import UpstreamError
from holdfast.gateway.snapshot_file import SnapshotFile, newer, read_snapshot
from holdfast.gateway.sse import EventReader

log = structlog.get_logger(__name__)

BASE = "/api/v1/control"
SILENCE_S = 25.0
"""The server says something every ten seconds; after this the stream is taken for dead."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
CALL_S = 5.0


class Follower:
    """Takes snapshots from the server into the file that the workers read. Nothing that comes is trusted before it is checked.

    Args:
        token: what is shown to the server, asked for anew with each request.
        on_snapshot: called with each snapshot that was taken.
        on_verdict: called with what judges elsewhere say of probes.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], str],
        gateway_id: str,
        file: SnapshotFile,
        on_snapshot: Callable[[Snapshot], None],
        on_verdict: Callable[[ProbeVerdict], None] = lambda verdict: None,
    ) -> None:
        self._connections = Connections(url, CALL_S)
        self._base = self._connections.prefix + BASE
        self._token = token
        self._gateway_id, self._file = gateway_id, file
        self._on_snapshot, self._on_verdict = on_snapshot, on_verdict
        self.running: Snapshot | None = None
        self.refused = ""
        self.connected = False

    def start_from(self, snapshot: Snapshot | None) -> None:
        """What is in force already."""
        self.running = snapshot

    def take(self, data: bytes) -> bool:
        """Put a snapshot into force, or say in `refused` why not; whether it was taken."""
        try:
            snapshot = read_snapshot(data)
            if newer(snapshot, self.running):
                self._file.save(snapshot)
                self.running = snapshot
                self._on_snapshot(snapshot)
            self.refused = ""
        except HoldfastError as error:
            self.refused = str(error)
            log.error("snapshot refused", reason=self.refused)
            return False
        return True

    async def follow(self) -> None:
        """Follow for ever. Ends with cancellation only."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self._stream()
                pause_s = FIRST_PAUSE_S
            except (UpstreamError, HoldfastError) as error:
                if self.connected:
                    log.warning("server is away: the last good snapshot stays in force", error=type(error).__name__)
                self.connected = False
            # With jitter: the gateways of a fleet must not come back all at once.
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            if await self.poll():
                pause_s = min(pause_s, 1.0)

    async def _stream(self) -> None:
        headers = [*self._headers(), ("accept", "text/event-stream")]
        if self.running is not None:
            headers.append(("last-event-id", str(self.running.version)))
        async with self._asked("GET", "/stream", headers) as answer:
            if answer.status != 200:
                raise HoldfastError(f"status {answer.status}")
            self.connected = True
            reader = EventReader(MAX_SNAPSHOT_BYTES + 65_536)
            while (chunk := await answer.chunk(SILENCE_S)) is not None:
                for event in reader.feed(chunk):
                    if event.name == "snapshot":
                        self.take(event.data)
                    elif event.name == "probe":
                        self._hear(event.data)

    @asynccontextmanager
    async def _asked(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes = b""
    ) -> AsyncIterator[Connection]:
        connection = await self._connections.ask(method, self._base + path, headers, body, CALL_S)
        try:
            yield connection
        finally:
            self._connections.give_back(connection)

    def _hear(self, data: bytes) -> None:
        try:
            self._on_verdict(decode_verdict(data))
        except HoldfastError as error:
            log.warning("verdict on a probe refused", reason=str(error))

    async def poll(self) -> bool:
        """Ask once; whether the server answered."""
        headers = self._headers()
        if self.running is not None:
            headers.append(("if-none-match", f'"{self.running.version}"'))
        try:
            async with asyncio.timeout(CALL_S):
                async with self._asked("GET", "/snapshot", headers) as answer:
                    if answer.status == 200:
                        self.take(await _bounded(answer))
                    return answer.status in (200, 304)
        except (UpstreamError, TimeoutError):
            return False

    async def report(self, report: GatewayReport) -> bool:
        """Tell the server what runs here; whether it listened."""
        return 0 < await self._post(f"/gateways/{self._gateway_id}/report", msgspec.json.encode(report)) < 300

    async def tell(self, said: ProbeVerdict | ProbeAnswer) -> int:
        """Tell the server of a probe: what a guard says of it, or what it is to judge. The status of its answer, 0 for none."""
        path = "/probes" if isinstance(said, ProbeVerdict) else "/probes/answers"
        return await self._post(path, msgspec.json.encode(said))

    async def _post(self, path: str, body: bytes) -> int:
        headers = [*self._headers(), ("content-type", "application/json")]
        try:
            async with asyncio.timeout(CALL_S):
                async with self._asked("POST", path, headers, body) as answer:
                    await _bounded(answer)
                    return answer.status
        except (UpstreamError, TimeoutError):
            return 0

    def _headers(self) -> list[tuple[str, str]]:
        token = self._token()
        return [("authorization", f"Bearer {token}")] if token else []

    def close(self) -> None:
        """Let the connections go."""
        self._connections.close()


async def _bounded(answer: Connection) -> bytes:
    parts: list[bytes] = []
    size = 0
    while (chunk := await answer.chunk(CALL_S)) is not None:
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_SNAPSHOT_BYTES:
            break
    return b"".join(parts)
