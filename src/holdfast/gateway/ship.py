"""Sends what waits in the spools to the server, as OTLP over HTTP, and forgets it when the server has it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from holdfast.core.clock import Clock
from holdfast.core.errors import StoreError
from holdfast.gateway.client import Connection, Connections
from holdfast.gateway.failures import UpstreamError
from holdfast.gateway.retries import retry_after_s
from holdfast.gateway.spool import SpoolReader

log = structlog.get_logger(__name__)

PATH = "/v1/traces"
IDLE_S = 0.2
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
CALL_S = 30.0
CONNECT_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024
_HEAD, _TAIL = b'{"resourceSpans":[', b"]}"
_REFUSED = frozenset({400, 413, 415, 422})
"""Answers that will be the same next time (OTLP specification, "Failures")."""


class _Partial(msgspec.Struct, frozen=True, rename="camel"):
    rejected_spans: int | str = 0


class _Export(msgspec.Struct, frozen=True, rename="camel"):
    partial_success: _Partial = _Partial()


class Shipper:
    """Sends the lines of several spools. `rejected` counts lines that the server will never take."""

    def __init__(self, url: str, token: str, spools: Callable[[], list[Path]], clock: Clock) -> None:
        self._connections = Connections(url, CONNECT_S)
        self._path = self._connections.prefix.removesuffix(PATH) + PATH
        self._headers = [("content-type", "application/json")] + ([("authorization", f"Bearer {token}")] if token else [])
        self._spools, self._clock = spools, clock
        self._readers: dict[Path, SpoolReader] = {}
        self.sent = self.rejected = 0
        self.failure = ""

    def waiting(self) -> int:
        """Bytes that have not been sent."""
        return sum(self._reader(spool).waiting() for spool in self._spools())

    def _reader(self, spool: Path) -> SpoolReader:
        return self._readers.setdefault(spool, SpoolReader(spool))

    async def run(self) -> None:
        """Send for ever. Ends with cancellation only."""
        pause_s = FIRST_PAUSE_S
        while True:
            moved, wait_s = await self.round()
            if wait_s is None:
                pause_s = FIRST_PAUSE_S
                await asyncio.sleep(0 if moved else IDLE_S)
            else:
                await asyncio.sleep(max(pause_s, wait_s))
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def round(self) -> tuple[int, float | None]:
        """Send one batch of each spool: (lines moved, seconds to wait because the server did not take one, else None)."""
        moved = 0
        for spool in self._spools():
            reader = self._reader(spool)
            lines, place = reader.read()
            if not lines:
                continue
            wait_s = await self._send(lines)
            if wait_s is not None:
                return moved, wait_s
            try:
                reader.commit(place)
            except StoreError as error:
                self._tell(str(error))
                return moved, 1.0
            moved += len(lines)
        return moved, None

    async def _send(self, lines: list[bytes]) -> float | None:
        """Seconds to wait before the same lines are sent again; None where the server has taken them, or never will."""
        status, after_s, body = await self._post(lines)
        if status == 200:
            self._told(lines, body)
            return None
        if status in _REFUSED:
            return await self._apart(lines, status)
        self._tell(f"status {status}" if status else "no connection")
        return after_s or 0.0

    async def _apart(self, lines: list[bytes], status: int) -> float | None:
        """One bad line must not take the others with it."""
        if len(lines) == 1:
            self.rejected += 1
            log.error("server refuses telemetry for good", status=status)
            return None
        half = len(lines) // 2
        wait_s = await self._send(lines[:half])
        return wait_s if wait_s is not None else await self._send(lines[half:])

    def _told(self, lines: list[bytes], body: bytes) -> None:
        try:
            rejected = int(msgspec.json.decode(body, type=_Export).partial_success.rejected_spans) if body else 0
        except (msgspec.MsgspecError, ValueError):
            rejected = 0
        self.rejected += rejected
        self.sent += len(lines)
        if self.failure:
            log.info("telemetry is taken again")
            self.failure = ""

    def _tell(self, reason: str) -> None:
        if not self.failure:
            log.warning("telemetry waits in the spool", reason=reason)
        self.failure = reason

    async def _post(self, lines: list[bytes]) -> tuple[int, float | None, bytes]:
        try:
            async with asyncio.timeout(CALL_S):
                answer = await self._connections.ask("POST", self._path, self._headers, together(lines), CALL_S)
                try:
                    return await self._heard(answer)
                finally:
                    self._connections.give_back(answer)
        except (UpstreamError, TimeoutError):
            return 0, None, b""

    async def _heard(self, answer: Connection) -> tuple[int, float | None, bytes]:
        found = b""
        while len(found) <= MAX_ANSWER_BYTES and (piece := await answer.chunk(CALL_S)) is not None:
            found += piece
        after_s = retry_after_s(dict(answer.headers).get("retry-after"), self._clock.now_ns())
        return answer.status, after_s, found

    def close(self) -> None:
        """Let the connections go."""
        self._connections.close()


def together(lines: list[bytes]) -> bytes:
    """Many OTLP requests as one: their resources behind each other."""
    inner = [line[len(_HEAD) : -len(_TAIL)] for line in lines if line.startswith(_HEAD) and line.endswith(_TAIL)]
    return _HEAD + b",".join(inner) + _TAIL
