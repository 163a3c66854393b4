"""Connections to targets: whatever comes back over them is an answer or a failure, never an exception of another kind."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.gateway import client
from holdfast.gateway.client import MAX_HEAD_BYTES, MAX_HELD_BYTES, Connection, Connections, trusted
from holdfast.gateway.failures import Failure, UpstreamError
from tests.gateway.world import until

ASK = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def talk(serve: Serve, test: Callable[[Connections], Awaitable[None]]) -> None:
    """Run `test` against a server that treats each connection as `serve` says."""

    async def run() -> None:
        writers: list[asyncio.StreamWriter] = []

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            try:
                await serve(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connections = Connections(f"http://127.0.0.1:{port}", 2.0)
        try:
            async with asyncio.timeout(20):
                await test(connections)
        finally:
            connections.close()
            server.close()
            for writer in writers:
                writer.transport.abort()
            await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def says(*answers: bytes, then_close: bool = False) -> Serve:
    """A server that reads a request, writes the next of `answers`, and so on."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        if then_close:
            writer.close()
        else:
            await reader.read()

    return serve


async def read(connection: Connection, bodiless: bool = False, limit_s: float = 1.0) -> tuple[int, bytes]:
    await connection.ask(ASK, limit_s, bodiless)
    body = b""
    while (piece := await connection.chunk(limit_s)) is not None:
        body += piece
    return connection.status, body


def test_a_connection_is_used_again_when_its_answer_was_read() -> None:
    async def test(connections: Connections) -> None:
        first = await connections.new()
        assert await read(first) == (200, b"hi")
        connections.give_back(first)
        assert connections.idle() is first
        assert await read(first) == (200, b"hi")

    talk(says(OK, OK), test)


@pytest.mark.parametrize(
    ("answer", "body", "again"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-trailer: 1\r\n\r\n", b"hi", True),
        (b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + OK, b"hi", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"hi", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi", b"hi", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", b"hi", False),
        (OK + OK, b"hi", False),
    ],
    ids=["chunked", "hints", "continue", "no-content", "close", "http-1.0", "more-than-asked-for"],
)
def test_an_answer_ends_where_http_says(answer: bytes, body: bytes, again: bool) -> None:
    async def test(connections: Connections) -> None:
        one = await connections.new()
        status, found = await read(one)
        assert (status in (200, 204), found) == (True, body)
        assert "x-trailer" not in dict(one.headers)
        assert "link" not in dict(one.headers)
        connections.give_back(one)
        assert (connections.idle() is one) is again

    talk(says(answer), test)


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    async def test(connections: Connections) -> None:
        assert await read(await connections.new()) == (200, b"all of it")

    talk(says(b"HTTP/1.1 200 OK\r\n\r\nall of it", then_close=True), test)


def test_an_answer_to_head_has_a_length_and_no_body() -> None:
    async def test(connections: Connections) -> None:
        one = await connections.new()
        assert await read(one, bodiless=True) == (200, b"")
        connections.give_back(one)
        assert connections.idle() is None

    talk(says(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"), test)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"", Failure.RESET),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi", Failure.RESET),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", Failure.RESET),
        (b"HTTP/1.1 200 OK\r\ncontent-le", Failure.RESET),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Failure.GARBAGE),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", Failure.GARBAGE),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", Failure.GARBAGE),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi", Failure.GARBAGE),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n", Failure.GARBAGE),
        (b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", Failure.GARBAGE),
    ],
    ids=[
        "nothing",
        "short",
        "chunks-cut",
        "head-cut",
        "ssh",
        "chunk-size",
        "two-framings",
        "two-lengths",
        "huge-head",
        "upgrade",
    ],
)
def test_an_answer_that_is_none_is_a_failure(answer: bytes, failure: Failure) -> None:
    async def test(connections: Connections) -> None:
        one = await connections.new()
        with pytest.raises(UpstreamError) as error:
            await read(one)
        assert error.value.failure is failure
        connections.give_back(one)
        assert connections.idle() is None

    talk(says(answer, then_close=True), test)


def test_what_came_before_a_stream_broke_is_given_out_before_the_failure() -> None:
    async def test(connections: Connections) -> None:
        one = await connections.new()
        await one.ask(ASK, 1.0)
        assert await one.chunk(1.0) == b"hi"
        with pytest.raises(UpstreamError, match="broke"):
            await one.chunk(1.0)

    talk(says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", then_close=True), test)


def test_a_head_and_a_piece_are_each_waited_for_only_so_long() -> None:
    async def test(connections: Connections) -> None:
        one = await connections.new()
        with pytest.raises(UpstreamError, match=r"no answer within 0\.02 s"):
            await one.ask(ASK, 0.02)
        two = await connections.new()
        await two.ask(ASK, 1.0)
        assert await two.chunk(1.0) == b"hi"
        with pytest.raises(UpstreamError, match=r"nothing for 0\.02 s"):
            await two.chunk(0.02)
        connections.give_back(two)
        assert not two.alive or connections.idle() is None

    answers = iter([b"", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhi"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says(next(answers))(reader, writer)

    talk(serve, test)


@pytest.mark.parametrize(
    "begin", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"], ids=["head", "body"]
)
def test_who_sends_a_byte_now_and_then_is_not_waited_for_any_longer(begin: bytes) -> None:
    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(begin)
        while True:
            writer.write(b"0")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def test(connections: Connections) -> None:
        one = await connections.new()
        with pytest.raises(UpstreamError) as error:
            await read(one, limit_s=0.1)
        assert error.value.failure is Failure.TIMEOUT
        one.close()

    talk(drips, test)


def test_a_server_that_hangs_up_just_when_it_is_asked_again_is_asked_once_more_on_a_new_connection() -> None:
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        if asked == 1:
            await reader.readuntil(b"\r\n\r\n")
            writer.transport.abort()

    async def test(connections: Connections) -> None:
        for _ in range(2):
            one = await connections.ask("GET", "/", [], b"", 1.0)
            assert await one.chunk(1.0) == b"hi"
            connections.give_back(one)
        assert asked == 2

    talk(serve, test)


def test_a_server_that_hangs_up_on_everybody_is_not_asked_for_ever() -> None:
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async def test(connections: Connections) -> None:
        with pytest.raises(UpstreamError):
            await connections.ask("GET", "/", [], b"", 1.0)
        assert asked == 1

    talk(serve, test)


def test_what_cannot_be_written_is_not_sent() -> None:
    async def test(connections: Connections) -> None:
        with pytest.raises(UpstreamError, match="cannot be written") as error:
            await connections.ask("GET", "/", [("x", "a\r\nb: c")], b"", 1.0)
        assert error.value.failure is Failure.GARBAGE

    talk(says(OK), test)


def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")

    async def test(connections: Connections) -> None:
        one = await connections.new()
        await read(one)
        connections.give_back(one)
        one.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison")
        assert connections.idle() is None

    talk(late, test)


def test_a_target_that_sends_faster_than_it_is_read_is_read_no_further() -> None:
    size = 40 * MAX_HELD_BYTES

    async def test(connections: Connections) -> None:
        one = await connections.new()
        await one.ask(ASK, 1.0)
        await until(lambda: one._paused)
        assert one._held < 4 * MAX_HELD_BYTES
        found = 0
        while (piece := await one.chunk(1.0)) is not None:
            found += len(piece)
        assert found == size

    talk(says(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size), test)


def test_idle_connections_are_let_go_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "IDLE_S", 0.02)

    async def test(connections: Connections) -> None:
        one = await connections.new()
        await read(one)
        connections.give_back(one)
        await until(lambda: not one.alive)
        assert connections.idle() is None

    talk(says(OK), test)


def test_an_idle_connection_that_the_target_ended_is_not_used_again() -> None:
    async def test(connections: Connections) -> None:
        one = await connections.new()
        await read(one)
        connections.give_back(one)
        await until(lambda: not one.alive)
        assert connections.idle() is None

    talk(says(OK, then_close=True), test)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "https://127.0.0.1:1",
        "http://nowhere.invalid",
        "http://a..b",
        "ftp://127.0.0.1",
        "http://127.0.0.1:x",
        "",
    ],
)
def test_nobody_there_is_a_failure_to_connect(url: str) -> None:
    async def test() -> None:
        with pytest.raises(UpstreamError) as error:
            await Connections(url, 5.0).new()
        assert error.value.failure is Failure.CONNECT

    asyncio.run(test())


def test_who_does_not_speak_tls_is_not_spoken_to() -> None:
    async def test(connections: Connections) -> None:
        secure = Connections(f"https://{connections.host}", 2.0)
        with pytest.raises(UpstreamError) as error:
            await secure.new()
        assert error.value.failure is Failure.CONNECT

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n")
        await reader.read(1)
        writer.close()

    talk(serve, test)


def test_certificates_and_names_are_checked() -> None:
    assert trusted().verify_mode is ssl.CERT_REQUIRED
    assert trusted().check_hostname


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4), st.booleans())
def test_whatever_a_target_says_is_an_answer_or_a_failure(pieces: list[bytes], sensible: bool) -> None:
    said = (b"HTTP/1.1 200 OK\r\n" if sensible else b"") + b"".join(pieces)

    async def test(connections: Connections) -> None:
        one = await connections.new()
        with suppress(UpstreamError):
            await read(one)
        connections.give_back(one)
        assert connections.idle() is None

    talk(says(said, then_close=True), test)
