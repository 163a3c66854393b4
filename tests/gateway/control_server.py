"""A control plane on loopback that says what it is told: snapshots streamed or for the asking; it takes reports and OTLP."""

import asyncio
import json
from typing import Any, Self

import msgspec

from holdfast.control.snapshot import Snapshot


class ControlServer:
    """`snapshot` is what it serves. `streams` false: it has no stream, only polls are answered. `status`: of OTLP answers."""

    def __init__(self) -> None:
        self.snapshot: bytes = b""
        self.version = 0
        self.streams = True
        self.status = 200
        self.retry_after = ""
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.posted: list[tuple[str, Any]] = []
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._listening: list[asyncio.StreamWriter] = []
        self._connections: set[asyncio.Task[None]] = set()

    def put(self, snapshot: Snapshot) -> None:
        self.put_bytes(msgspec.json.encode(snapshot), snapshot.version)

    def tell(self, name: str, data: bytes) -> None:
        """Send an event to all that listen."""
        self.write(b"event: %s\ndata: %s\n\n" % (name.encode(), data))

    def write(self, data: bytes) -> None:
        """Send anything to all that listen."""
        for writer in self._listening:
            writer.write(data)

    def put_bytes(self, data: bytes, version: int) -> None:
        self.snapshot, self.version = data, version
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0, limit=2**24)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.drop()
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def drop(self) -> None:
        """Break all connections."""
        for task in self._connections:
            task.cancel()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            while True:
                await self._request(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = line.split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (h.partition(":") for h in rest if h)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append((method, path, headers))
        if path.endswith("/stream") and self.streams:
            await self._stream(headers, writer)
        elif path.endswith("/snapshot"):
            known = headers.get("if-none-match") == f'"{self.version}"'
            await self._answer(writer, 304 if known else 200, b"" if known else self.snapshot)
        elif method == "POST":
            self.posted.append((path, json.loads(body)))
            await self._answer(writer, self.status, b"{}")
        else:
            await self._answer(writer, 404, b"")

    async def _stream(self, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hello\n\n")
        sent = int(headers.get("last-event-id", "0"))
        self._listening.append(writer)
        while True:
            if self.version != sent:
                sent = self.version
                writer.write(b"event: snapshot\nid: %d\ndata: %s\n\n" % (sent, self.snapshot))
                await writer.drain()
            await self._changed.wait()

    async def _answer(self, writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
        hint = f"retry-after: {self.retry_after}\r\n" if self.retry_after else ""
        writer.write(f"HTTP/1.1 {status} X\r\n{hint}content-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
