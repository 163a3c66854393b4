"""`UpstreamProcess`: a model server in a process of its own that does what it is told, well or badly, and can be killed.

It speaks OpenAI's chat completions, responses, embeddings and Anthropic's messages. How it behaves is set by
`behave`, at any time, and by the model of a request where that is the name of a behaviour, such as ``reset``.
"""

import asyncio
import json
import multiprocessing
import signal
import socket
import time
from collections import deque
from multiprocessing.connection import Connection
from typing import Any, Self

import msgspec

from holdfast.core.clock import SystemClock
from holdfast.testing.model_server import Asked, Reply, answered, streamed

MAX_ASKED = 10_000
RESPONSES = "/v1/responses"
READY_S = 20.0
REASONS = {200: "OK", 401: "Unauthorized", 429: "Too Many Requests", 503: "Service Unavailable"}


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """How the server answers.

    Args:
        kind: well, hang (no answer), slow (`delay_s` before the answer, and between pieces of a stream), reset (the connection
            breaks after `after` pieces of a stream, else before the answer), cut (a stream without its last event), stall
            (a stream that stops after its first event), garbage, empty,
            busy (429 with `retry_after_s`), down (503), unauthorised (401).
        reply: what it says when it says something.
        failures: so many requests are treated so, later ones well; -1: all.
    """

    kind: str = "well"
    reply: Reply = Reply(text="Your refund was sent on Monday.", input_tokens=20, output_tokens=8)
    delay_s: float = 0.0
    after: int = 0
    retry_after_s: float | None = None
    failures: int = -1


KINDS = frozenset({"well", "hang", "slow", "reset", "cut", "stall", "garbage", "empty", "busy", "down", "unauthorised"})


class UpstreamProcess:
    """Starts with `behaviour` on a free port of loopback, or on `port`. A context manager."""

    def __init__(self, behaviour: Behaviour | None = None, port: int = 0) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(port, theirs, behaviour or Behaviour()), daemon=True)
        self._process.start()
        theirs.close()
        if not self._ours.poll(READY_S):
            raise TimeoutError("the upstream was not ready in time")
        self.port: int = self._ours.recv()

    @property
    def url(self) -> str:
        """Such as ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid or 0

    def behave(self, behaviour: Behaviour) -> None:
        """From the next request on."""
        self._ask(("behave", behaviour))

    def asked(self) -> list[tuple[Asked, dict[str, str]]]:
        """What has been asked since the last call: path and body; the headers, and `:method` and `:time_ns`."""
        asked: list[tuple[Asked, dict[str, str]]] = self._ask(("asked", None))
        return asked

    def _ask(self, command: tuple[str, Any]) -> Any:
        self._ours.send(command)
        if not self._ours.poll(READY_S):
            raise TimeoutError("the upstream does not answer")
        return self._ours.recv()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._ours.close()


def _serve(port: int, parent: Connection, behaviour: Behaviour) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_obey(port, parent, ScriptedUpstream(behaviour)))


async def _obey(port: int, parent: Connection, upstream: "ScriptedUpstream") -> None:
    """Do what the process that started this one says, until it is gone."""
    gone = asyncio.Event()

    def command() -> None:
        try:
            name, value = parent.recv()
        except EOFError:
            gone.set()
            return
        if name == "behave":
            upstream.behave(value)
            parent.send(None)
        else:
            parent.send(upstream.asked())

    await upstream.start(port)
    asyncio.get_running_loop().add_reader(parent.fileno(), command)
    parent.send(upstream.port)
    await gone.wait()
    await upstream.close()


class ScriptedUpstream:
    """The same server on the running event loop."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self._behaviour = behaviour or Behaviour()
        self._left = self._behaviour.failures
        self._asked: deque[tuple[Asked, dict[str, str]]] = deque(maxlen=MAX_ASKED)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self, port: int = 0) -> None:
        """Listen on `port` of loopback, 0: on a free one."""
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", port, limit=2**24, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Such as ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self.port}"

    def behave(self, behaviour: Behaviour) -> None:
        """From the next request on."""
        self._behaviour, self._left = behaviour, behaviour.failures

    def asked(self) -> list[tuple[Asked, dict[str, str]]]:
        """What has been asked since the last call: path and body; the headers, and `:method` and `:time_ns`."""
        asked = list(self._asked)
        self._asked.clear()
        return asked

    async def close(self) -> None:
        """Take no more, and break all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            while await self._request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (h.partition(":") for h in rest if h)}
        method, target, _ = line.split(" ", 2)
        data = await reader.readexactly(int(headers.get("content-length", "0")))
        try:
            body = json.loads(data or b"{}")
        except ValueError:
            body = {"raw": data.decode("utf-8", "replace")}
        body = body if isinstance(body, dict) else {"value": body}
        asked = Asked(target, body)
        self._asked.append((asked, headers | {":method": method, ":time_ns": str(SystemClock().now_ns())}))
        behaviour = self._now(str(body.get("model", "")))
        return await self._answer(behaviour, asked, writer)

    def _now(self, model: str) -> Behaviour:
        if model in KINDS:
            return msgspec.structs.replace(self._behaviour, kind=model)
        if self._left == 0:
            return msgspec.structs.replace(self._behaviour, kind="well")
        self._left -= self._left > 0
        return self._behaviour

    async def _answer(self, behaviour: Behaviour, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        kind = behaviour.kind
        if kind == "hang":
            await asyncio.sleep(3600)
        if kind == "slow":
            await asyncio.sleep(behaviour.delay_s)
        if kind == "reset" and not (asked.body.get("stream") and behaviour.after):
            _abort(writer)
            return False
        if kind in ("busy", "down", "unauthorised"):
            return await _refuse(behaviour, asked, writer)
        if kind in ("garbage", "empty"):
            return await _write(writer, 200, b"<html>gateway\xff\xfe" if kind == "garbage" else b"", [])
        path = asked.path.split("?")[0]
        if asked.body.get("stream"):
            return await self._stream(behaviour, path, asked, writer)
        found = whole_response(asked.body, behaviour.reply) if path == RESPONSES else answered(path, asked.body, behaviour.reply)
        if found is None:
            return await _write(
                writer, 200, json.dumps({"path": asked.path, "echo": asked.body}).encode(), [("x-upstream", "echo")]
            )
        status = behaviour.reply.status
        return await _write(writer, status, json.dumps(found).encode(), [("x-upstream", "scripted")])

    async def _stream(self, behaviour: Behaviour, path: str, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        reply = behaviour.reply
        lines = list(response_events(asked.body, reply) if path == RESPONSES else streamed(path, asked.body, reply))
        kept = lines[: behaviour.after] if behaviour.kind in ("cut", "reset") else lines
        for number, line in enumerate(kept):
            if number and behaviour.kind in ("slow", "stall"):
                await asyncio.sleep(3600 if behaviour.kind == "stall" else behaviour.delay_s)
            piece = f"{line}\n\n".encode()
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        if behaviour.kind == "reset":
            await asyncio.sleep(0.02)
            _abort(writer)
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _abort(writer: asyncio.StreamWriter) -> None:
    """Break the connection: the other side sees a reset, not an end."""
    transport = writer.transport
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    transport.abort()


async def _refuse(behaviour: Behaviour, asked: Asked, writer: asyncio.StreamWriter) -> bool:
    status = {"busy": 429, "down": 503, "unauthorised": 401}[behaviour.kind]
    kind = {429: "rate_limit_error", 503: "overloaded_error", 401: "authentication_error"}[status]
    error: dict[str, Any] = {"type": kind, "message": f"scripted {behaviour.kind}"}
    anthropic = asked.path.startswith("/v1/messages")
    body = {"type": "error", "error": error} if anthropic else {"error": error | {"code": kind, "param": None}}
    headers = [] if behaviour.retry_after_s is None else [("retry-after", f"{behaviour.retry_after_s:g}")]
    return await _write(writer, status, json.dumps(body).encode(), headers)


async def _write(writer: asyncio.StreamWriter, status: int, body: bytes, headers: list[tuple[str, str]]) -> bool:
    pairs = [("content-type", "application/json"), ("content-length", str(len(body))), *headers]
    head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    writer.write(f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}\r\n{head}\r\n".encode() + body)
    await writer.drain()
    return True


def whole_response(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    """An answer of OpenAI's responses API."""
    part = {"type": "output_text", "text": reply.text, "annotations": []}
    output: list[dict[str, Any]] = [
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [part]}
    ]
    for call in reply.tool_calls:
        told = {"call_id": call.id, "name": call.name, "arguments": call.arguments}
        output.append({"type": "function_call", "id": f"fc_{call.id}", "status": "completed"} | told)
    return {
        "id": reply.id,
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": reply.model or body.get("model", ""),
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": reply.input_tokens,
            "output_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens,
            "input_tokens_details": {"cached_tokens": reply.cached_tokens, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
        },
    }


def response_events(body: dict[str, Any], reply: Reply) -> list[str]:
    """The same answer as a stream of events."""
    whole = whole_response(body, reply)
    item = whole["output"][0]
    place = {"output_index": 0, "item_id": item["id"], "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    words = [w if n == 0 else f" {w}" for n, w in enumerate(reply.text.split(" "))]
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": whole | {"status": "in_progress", "output": [], "usage": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": item | {"status": "in_progress", "content": []}},
        {"type": "response.content_part.added", **place, "part": part},
        *({"type": "response.output_text.delta", **place, "delta": w, "logprobs": []} for w in words),
        {"type": "response.output_text.done", **place, "text": reply.text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part | {"text": reply.text}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return [f"event: {e['type']}\ndata: {json.dumps(e | {'sequence_number': n})}" for n, e in enumerate(events)]


def wait_until(condition: Any, timeout_s: float = 10.0, step_s: float = 0.01) -> None:
    """Wait for what another process will do.

    Raises:
        TimeoutError: it did not within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen in time")
        time.sleep(step_s)
