"""The gateway's end of the wire: real bytes over real connections; what breaks HTTP's rules is refused and stops nobody else."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
import structlog
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.clock import SystemClock
from holdfast.gateway import server as server_module
from holdfast.gateway.exchange import Request
from holdfast.gateway.http import Bounds, Client
from holdfast.gateway.refusal import Refusal
from holdfast.gateway.server import MAX_HEAD_BYTES, MAX_PIPELINED, HttpServer
from holdfast.gateway.wire import Headers
from tests.gateway.world import until

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /v1/chat HTTP/1.1\r\nhost: x\r\n"
Answer = Callable[[Request, Client], Awaitable[None]]


async def echo(request: Request, client: Client) -> None:
    client.whole(200, [("x-path", request.path)], request.body)


class App:
    """Answers as `answer` does, and remembers what it was asked."""

    def __init__(self, answer: Answer = echo, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.asked: list[Request] = []
        self._answer = answer

    async def serve(self, request: Request, client: Client) -> None:
        self.asked.append(request)
        await self._answer(request, client)

    def refuse(self, request: Request, refusal: Refusal, client: Client) -> None:
        headers: Headers = [("x-reason", refusal.reason.value)]
        client.whole(refusal.status, headers, refusal.message.encode())


class Wire:
    """A server, and connections to it."""

    def __init__(self, app: App) -> None:
        self.app, self.server = app, HttpServer(app, SystemClock())
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._address = self._listener.getsockname()
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._listener.setblocking(False)
        await self.server.start(self._listener)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self._address)
        self._writers.append(writer)
        return reader, writer

    async def says(self, *parts: bytes) -> bytes:
        """All that comes back to `parts` until the server hangs up; it must."""
        reader, writer = await self.connect()
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        return await self.rest(reader)

    @staticmethod
    async def rest(reader: asyncio.StreamReader) -> bytes:
        found = b""
        try:
            while data := await reader.read(65536):
                found += data
        except ConnectionError:
            pass
        return found

    async def stop(self) -> None:
        await self.server.close(0.0)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def on_the_wire(test: Callable[[Wire], Awaitable[None]], app: App | None = None) -> App:
    """Run `test` with a server on uvloop, as in a worker."""
    app = app or App()

    async def run() -> None:
        wire = Wire(app)
        await wire.start()
        try:
            async with asyncio.timeout(20):
                await test(wire)
        finally:
            await wire.stop()
        assert app.bounds.held == 0

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
    return app


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One answer that says its length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.rstrip().split("\r\n")
    headers = {k: v.strip() for k, _, v in (one.partition(":") for one in rest)}
    return int(line.split()[1]), headers, await reader.readexactly(int(headers.get("content-length", "0")))


def test_requests_on_one_connection_are_answered_each_in_its_turn() -> None:
    async def test(wire: Wire) -> None:
        reader, writer = await wire.connect()
        for n in range(3):
            writer.write(POST + b"content-length: 2\r\n\r\n%02d" % n)
            status, headers, body = await answer_of(reader)
            assert (status, headers["x-path"], body) == (200, "/v1/chat", b"%02d" % n)
            assert "date" in headers
            assert "connection" not in headers

    on_the_wire(test)


def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    turns = iter([30, 0, 10])

    async def unequal(request: Request, client: Client) -> None:
        for _ in range(next(turns)):
            await asyncio.sleep(0)
        await echo(request, client)

    async def test(wire: Wire) -> None:
        reader, writer = await wire.connect()
        writer.write(b"".join(POST + b"content-length: 1\r\n\r\n%d" % n for n in range(3)))
        assert [(await answer_of(reader))[2] for _ in range(3)] == [b"0", b"1", b"2"]

    on_the_wire(test, App(unequal))


def test_only_so_many_may_be_sent_ahead() -> None:
    async def test(wire: Wire) -> None:
        told = await wire.says(GET * (MAX_PIPELINED * 3))
        assert told.count(b"HTTP/1.1 200") == MAX_PIPELINED + 1

    on_the_wire(test)


def test_a_request_that_comes_byte_by_byte_is_the_same_request() -> None:
    async def test(wire: Wire) -> None:
        head = b"POST /v1/%61?q=1 HTTP/1.1\r\nhost: x\r\nX-A: 1\r\nx-a: 2\r\ntransfer-encoding: chunked\r\n\r\n"
        data = head + b"2\r\nhi\r\n0\r\nx-t: 1\r\n\r\n"
        reader, writer = await wire.connect()
        for at in range(len(data)):
            writer.write(data[at : at + 1])
            await asyncio.sleep(0)
        await answer_of(reader)

    (asked,) = on_the_wire(test).asked
    assert (asked.method, asked.path, asked.raw_path, asked.query) == ("POST", "/v1/a", b"/v1/%61", "q=1")
    assert asked.body == b"hi"
    assert asked.headers == {"host": "x", "x-a": "1, 2", "transfer-encoding": "chunked"}


def test_a_url_in_place_of_a_path_means_its_path_and_what_is_no_path_is_refused() -> None:
    async def test(wire: Wire) -> None:
        told = await wire.says(b"GET http://else/v1/models/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert b"x-path: /v1/models\r\n" in told
        for target in (b"*", b"else:443"):
            assert b" 400 " in await wire.says(b"OPTIONS %b HTTP/1.1\r\nhost: x\r\n\r\n" % target)

    on_the_wire(test)


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent_and_the_client_gets_to_read_that() -> None:
    async def test(wire: Wire) -> None:
        told = await wire.says(POST + b"content-length: 1001\r\n\r\n", b"x" * 1001, b"y" * 100_000)
        assert told.startswith(b"HTTP/1.1 413")
        assert b"connection: close" in told

    assert not on_the_wire(test, App(bounds=Bounds(body_bytes=1000))).asked


def test_a_body_that_turns_out_too_large_is_refused_too() -> None:
    async def test(wire: Wire) -> None:
        told = await wire.says(POST + b"transfer-encoding: chunked\r\n\r\n", *[b"190\r\n" + b"x" * 400 + b"\r\n"] * 5)
        assert b"x-reason: body_too_large" in told

    assert not on_the_wire(test, App(bounds=Bounds(body_bytes=1000))).asked


def test_many_large_bodies_at_once_do_not_fill_the_memory() -> None:
    async def test(wire: Wire) -> None:
        _, first = await wire.connect()
        first.write(POST + b"content-length: 1000\r\n\r\n" + b"x" * 900)
        await until(lambda: wire.app.bounds.held == 900)
        assert b"x-reason: saturated" in await wire.says(POST + b"content-length: 800\r\n\r\n" + b"y" * 800)
        first.transport.abort()
        await until(lambda: wire.app.bounds.held == 0)
        told = await wire.says(POST + b"connection: close\r\ncontent-length: 800\r\n\r\n" + b"y" * 800)
        assert told.startswith(b"HTTP/1.1 200")

    on_the_wire(test, App(bounds=Bounds(body_bytes=1000, buffered_bytes=1500)))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (POST + b"content-length: 9\r\n\r\nhi", b"x-reason: body_timeout"),
        (b"", b""),
        (b"POST /v1/chat HTTP/1.1\r\nhos", b""),
        (GET + b"GET /a HTT", b"200 OK"),
        (GET, b"200 OK"),
    ],
    ids=["body", "nothing", "head", "second-head", "idle"],
)
def test_who_takes_too_long_is_hung_up_on(sent: bytes, reason: bytes) -> None:
    bounds = Bounds(body_s=0.05)
    bounds.head_s = bounds.idle_s = 0.05

    async def test(wire: Wire) -> None:
        assert reason in await wire.says(sent)

    on_the_wire(test, App(bounds=bounds))


@pytest.mark.parametrize(
    "rest",
    [
        b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n",
        b"content-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        b"content-length: 2, 3\r\n\r\nabc",
        b"content-length: +2\r\n\r\nab",
        b"content-length: -1\r\n\r\n",
        b"content-length: 99999999999999999999\r\n\r\n",
        b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n",
        b"x: a\0b\r\n\r\n",
        b"x: a\rb\r\n\r\n",
        b"x: a\r\n folded\r\n\r\n",
        b"x\x01: a\r\n\r\n",
        b": a\r\n\r\n",
        b"x: " + b"y" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
    ],
    ids=str,
)
def test_what_servers_may_read_in_two_ways_is_refused_and_nothing_behind_it_is_read(rest: bytes) -> None:
    async def test(wire: Wire) -> None:
        told = await wire.says(POST + rest + GET)
        assert told.startswith(b"HTTP/1.1 400")
        assert told.count(b"HTTP/1.1") == 1

    assert not on_the_wire(test).asked


def test_nonsense_behind_a_request_does_not_take_its_answer_away() -> None:
    async def test(wire: Wire) -> None:
        told = await wire.says(GET + b"\x16\x03\x01 nonsense\r\n\r\n")
        assert told.startswith(b"HTTP/1.1 200")
        assert b"HTTP/1.1 400" in told

    on_the_wire(test)


def test_a_client_that_asks_whether_to_go_on_is_told() -> None:
    async def test(wire: Wire) -> None:
        reader, writer = await wire.connect()
        writer.write(POST + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hi")
        assert (await answer_of(reader))[2] == b"hi"

    on_the_wire(test)


def test_a_wish_for_another_protocol_is_not_followed_and_nothing_behind_it_is_read() -> None:
    async def test(wire: Wire) -> None:
        told = await wire.says(b"GET /a HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n" + GET)
        assert told.startswith(b"HTTP/1.1 200")
        assert told.count(b"HTTP/1.1") == 1

    on_the_wire(test)


async def in_pieces(request: Request, client: Client) -> None:
    client.begin(200, [("content-type", "text/event-stream")])
    for piece in (b"one", b"", b"two"):
        await client.piece(piece)
    client.end()


def test_pieces_are_chunks_and_for_old_clients_the_bytes_until_the_end() -> None:
    async def test(wire: Wire) -> None:
        reader, writer = await wire.connect()
        writer.write(GET * 2)
        for _ in range(2):
            assert b"transfer-encoding: chunked" in await reader.readuntil(b"\r\n\r\n")
            assert await reader.readuntil(b"0\r\n\r\n") == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
        old = await wire.says(b"GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        assert old.endswith(b"\r\n\r\nonetwo")
        assert b"transfer-encoding" not in old

    on_the_wire(test, App(in_pieces))


@pytest.mark.parametrize("answer", [echo, in_pieces], ids=["whole", "pieces"])
def test_an_answer_to_head_has_no_body(answer: Answer) -> None:
    async def test(wire: Wire) -> None:
        told = await wire.says(b"HEAD /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert told.startswith(b"HTTP/1.1 200")
        assert told.endswith(b"\r\n\r\n")
        assert told.count(b"\r\n\r\n") == 1

    on_the_wire(test, App(answer))


def test_an_answer_without_content_has_no_length() -> None:
    async def empty(request: Request, client: Client) -> None:
        client.whole(204, [], b"")

    async def test(wire: Wire) -> None:
        reader, writer = await wire.connect()
        writer.write(GET * 2)
        for _ in range(2):
            assert b"content-length" not in await reader.readuntil(b"\r\n\r\n")

    on_the_wire(test, App(empty))


def test_a_client_that_hangs_up_is_noticed_while_its_answer_is_waited_for() -> None:
    noticed = []

    async def waits(request: Request, client: Client) -> None:
        own = asyncio.current_task()
        assert own is not None
        client.on_gone(own.cancel)
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            noticed.append(client.gone)

    async def test(wire: Wire) -> None:
        _, writer = await wire.connect()
        writer.write(GET)
        await until(lambda: bool(wire.app.asked))
        writer.transport.abort()
        await until(lambda: bool(noticed))
        await until(lambda: not wire.server.connections)

    on_the_wire(test, App(waits))
    assert noticed == [True]


def test_to_who_is_gone_nothing_is_sent_and_that_is_no_error() -> None:
    async def patient(request: Request, client: Client) -> None:
        await until(lambda: client.gone)
        await in_pieces(request, client)

    async def test(wire: Wire) -> None:
        _, writer = await wire.connect()
        writer.write(GET)
        await until(lambda: bool(wire.app.asked))
        writer.transport.abort()
        await until(lambda: not wire.server.connections)

    with structlog.testing.capture_logs() as logs:
        on_the_wire(test, App(patient))
    assert not logs


def test_a_client_that_does_not_read_is_waited_for_and_then_hung_up_on() -> None:
    bounds = Bounds()
    bounds.stalled_s = 0.05
    ended = []

    async def pours(request: Request, client: Client) -> None:
        client.begin(200, [])
        while not client.gone:
            await client.piece(b"x" * 65536)
        ended.append(True)

    async def test(wire: Wire) -> None:
        reader, writer = await wire.connect()
        writer.write(GET)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: bool(ended))

    on_the_wire(test, App(pours, bounds))


@pytest.mark.parametrize("begun", [False, True], ids=["before-the-head", "behind-it"])
def test_a_mistake_ends_the_connection_so_that_half_an_answer_never_looks_whole(begun: bool) -> None:
    async def fails(request: Request, client: Client) -> None:
        if begun:
            client.begin(200, [])
            await client.piece(b"half")
        raise RuntimeError("secret")

    async def test(wire: Wire) -> None:
        told = await wire.says(GET * 2)
        assert b"0\r\n\r\n" not in told
        assert b"secret" not in told

    with structlog.testing.capture_logs() as logs:
        app = on_the_wire(test, App(fails))
    assert len(app.asked) == 1
    assert [entry["event"] for entry in logs] == ["request failed"]


def test_a_header_that_would_split_the_answer_is_a_mistake() -> None:
    async def splits(request: Request, client: Client) -> None:
        client.whole(200, [("x", "a\r\nset-cookie: b=c")], b"")

    async def test(wire: Wire) -> None:
        assert await wire.says(GET) == b""

    on_the_wire(test, App(splits))


def test_only_so_many_connections_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 1)

    async def test(wire: Wire) -> None:
        reader, writer = await wire.connect()
        writer.write(GET)
        await answer_of(reader)
        assert await wire.says() == b""
        writer.write(GET)
        assert (await answer_of(reader))[0] == 200

    on_the_wire(test)


def test_at_the_end_what_is_under_way_is_answered_and_who_is_idle_hung_up_on() -> None:
    go = asyncio.Event()

    async def waits(request: Request, client: Client) -> None:
        await go.wait()
        await echo(request, client)

    async def test(wire: Wire) -> None:
        busy, writer = await wire.connect()
        writer.write(GET)
        idle, _ = await wire.connect()
        await until(lambda: bool(wire.app.asked) and len(wire.server.connections) == 2)
        closing = asyncio.create_task(wire.server.close(10.0))
        assert await wire.rest(idle) == b""
        go.set()
        _, headers, _ = await answer_of(busy)
        assert headers["connection"] == "close"
        await closing
        assert not wire.server.connections

    on_the_wire(test, App(waits))


def test_a_stream_that_began_before_the_end_is_not_waited_for_once_it_is_over() -> None:
    go = asyncio.Event()

    async def streams(request: Request, client: Client) -> None:
        client.begin(200, [])
        await client.piece(b"one")
        await go.wait()
        client.end()

    async def test(wire: Wire) -> None:
        reader, writer = await wire.connect()
        writer.write(GET)
        await reader.readuntil(b"one\r\n")
        closing = asyncio.create_task(wire.server.close(30.0))
        await until(lambda: wire.server.draining)
        go.set()
        assert await wire.rest(reader) == b"0\r\n\r\n"
        await closing

    on_the_wire(test, App(streams))


def test_what_does_not_end_in_time_is_cut_off() -> None:
    async def waits(request: Request, client: Client) -> None:
        await asyncio.sleep(60)

    async def test(wire: Wire) -> None:
        reader, writer = await wire.connect()
        writer.write(GET)
        await until(lambda: bool(wire.app.asked))
        await wire.server.close(0.02)
        assert await wire.rest(reader) == b""

    on_the_wire(test, App(waits))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=50), st.sampled_from([GET, POST, b"content-length: 3\r\n\r\n", b"\r\n"])), max_size=6)
)
def test_whatever_a_client_sends_the_next_one_is_served(parts: list[bytes]) -> None:
    async def test(wire: Wire) -> None:
        _, writer = await wire.connect()
        writer.writelines(parts)
        writer.close()
        assert (await wire.says(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))).startswith(b"HTTP/1.1 200")

    on_the_wire(test)
