"""A gateway without processes: its application called directly, its targets scripted servers on the same event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import orjson

from holdfast.context.redact import RedactionPolicy, Redactor
from holdfast.control.snapshot import Desired, Guard, GuardMode, GuardPlace, Lease, Snapshot
from holdfast.gateway.exchange import Request
from holdfast.gateway.gateway import Gateway
from holdfast.gateway.http import Bounds, GatewayApp
from holdfast.gateway.wire import Headers
from holdfast.testing.clock import FakeClock
from holdfast.testing.gateway import KEY, simple
from holdfast.testing.upstream import Behaviour, ScriptedUpstream

Result = TypeVar("Result")
CHAT = "/v1/chat/completions"
AUTHORIZED = {"authorization": f"Bearer {KEY}"}
REDACTOR = Redactor(RedactionPolicy(), b"0123456789abcdef")


class Told:
    """What a client got; it is such a client, and hangs up after `patience` pieces."""

    def __init__(self, patience: int = 1_000_000) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []
        self.gone = False
        self.ended = False
        self._patience = patience
        self._then: Callable[[], object] | None = None

    def on_gone(self, then: Callable[[], object] | None) -> None:
        self._then = then

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self.begin(status, headers)
        self.pieces.append(body)
        self.end()

    def begin(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, dict(headers)

    async def piece(self, data: bytes) -> None:
        self.pieces.append(data)
        if len(self.pieces) >= self._patience:
            self.gone = True
            if self._then is not None:
                self._then()

    def end(self) -> None:
        self.ended = True

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def text(self) -> str:
        """Of a chat: what it says, whole or streamed."""
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            chunks = [orjson.loads(line[6:]) for line in self.body.splitlines() if line.startswith(b"data: {")]
            return "".join(c["delta"].get("content") or "" for chunk in chunks for c in chunk.get("choices", []))
        return str(self.json["choices"][0]["message"]["content"])


class World:
    """A gateway on `clock` with the snapshot in force; `lines` is its telemetry."""

    def __init__(
        self,
        desired: Desired | None = None,
        *leases: Lease,
        keyless: bool = True,
        bounds: Bounds | None = None,
        content: bool = True,
    ) -> None:
        self.clock = FakeClock()
        self.lines: list[bytes] = []
        self.gateway = Gateway(self.clock, REDACTOR, self.lines.append, content=content, keyless=keyless)
        self.app = GatewayApp(self.gateway, bounds)
        self.version = 0
        self.put(desired or simple(), *leases)

    def put(self, desired: Desired, *leases: Lease, automation: bool = True) -> None:
        """Put the next snapshot into force."""
        self.version += 1
        self.gateway.apply(
            Snapshot(version=self.version, created_ns=0, desired=desired, leases=tuple(leases), automation=automation)
        )

    async def ask(self, body: Any = None, path: str = CHAT, method: str = "POST", headers: dict[str, str] | None = None) -> Told:
        """One request. `body`: an object, or bytes as they are; None: a small chat."""
        if body is None and method == "POST":
            body = chat("Where is my refund?")
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        path, _, query = path.partition("?")
        told = Told()
        given = {k: v for k, v in (AUTHORIZED | (headers or {})).items() if v}
        await self.app.serve(request(path, data, given, method, query=query, started_ns=self.clock.now_ns()), told)
        self.gateway.settle()
        return told

    @property
    def spans(self) -> list[dict[str, Any]]:
        """All spans of its telemetry, attributes as a mapping."""
        found = []
        for line in self.lines:
            for resource in orjson.loads(line)["resourceSpans"]:
                for span in resource["scopeSpans"][0]["spans"]:
                    values = {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}
                    found.append(span | {"attributes": values})
        return found


def request(
    path: str = CHAT,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    method: str = "POST",
    *,
    query: str = "",
    raw: bytes = b"",
    started_ns: int = 0,
) -> Request:
    """A request as the server hands it on."""
    return Request(
        method=method,
        path=path.rstrip("/"),
        raw_path=raw or path.encode("utf-8", "replace"),
        query=query,
        headers=AUTHORIZED if headers is None else headers,
        body=body,
        started_ns=started_ns,
    )


def chat(text: str, **fields: Any) -> dict[str, Any]:
    """A chat of one user message."""
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]} | fields


def guard(name: str, kind: str, place: GuardPlace, mode: GuardMode = GuardMode.ENFORCE, **fields: Any) -> Guard:
    """A guard in force."""
    return Guard(name=name, kind=kind, place=place, mode=mode, **fields)


async def until(condition: Callable[[], object], within_s: float = 60.0) -> None:
    """Wait for `condition`, which something that goes on by itself brings about."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.001)


def with_upstreams(test: Callable[..., Awaitable[Result]], *behaviours: Behaviour, timeout_s: float = 20.0) -> Result:
    """Run `test` with one scripted target per behaviour."""

    async def run() -> Result:
        servers = [ScriptedUpstream(b) for b in behaviours]
        try:
            for server in servers:
                await server.start()
            async with asyncio.timeout(timeout_s):
                return await test(*servers)
        finally:
            for server in servers:
                await server.close()

    return asyncio.run(run())
