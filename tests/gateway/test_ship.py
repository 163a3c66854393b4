"""Shipping telemetry: everything once the server takes it, nothing twice on purpose, and one bad line holds up nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson

from holdfast.gateway.ship import Shipper, together
from holdfast.gateway.spool import SpoolReader, SpoolWriter
from holdfast.testing.clock import FakeClock
from tests.gateway.control_server import ControlServer


def line(number: int) -> bytes:
    return b'{"resourceSpans":[{"n":%d}]}' % number


def run(test: Callable[[Shipper, ControlServer], Awaitable[None]], spools: list[Path]) -> None:
    async def all_of_it() -> None:
        async with ControlServer() as server:
            shipper = Shipper(server.url, "tok", lambda: spools, FakeClock())
            try:
                async with asyncio.timeout(10):
                    await test(shipper, server)
            finally:
                shipper.close()

    asyncio.run(all_of_it())


def sent(server: ControlServer) -> list[int]:
    return [r["n"] for _, body in server.posted for r in body["resourceSpans"]]


def test_lines_of_all_spools_arrive_and_are_forgotten(tmp_path: Path) -> None:
    spools = [tmp_path / "0", tmp_path / "1"]
    for n, spool in enumerate(spools):
        SpoolWriter(spool).append([line(n * 10 + k) for k in range(3)])

    async def test(shipper: Shipper, server: ControlServer) -> None:
        assert await shipper.round() == (6, None)
        assert await shipper.round() == (0, None)
        assert sorted(sent(server)) == [0, 1, 2, 10, 11, 12]
        assert server.posted[0][0] == "/v1/traces"
        assert server.asked[0][2]["authorization"] == "Bearer tok"
        assert shipper.waiting() == 0

    run(test, spools)


def test_while_the_server_is_away_lines_wait_and_then_arrive_in_order(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path)

    async def test(shipper: Shipper, server: ControlServer) -> None:
        server.status = 503
        writer.append([line(1)])
        assert await shipper.round() == (0, 0.0)
        writer.append([line(2)])
        server.posted.clear()
        server.status = 200
        assert (await shipper.round())[0] == 2
        assert sent(server) == [1, 2]

    run(test, [tmp_path])


def test_a_server_that_asks_for_a_pause_gets_it(tmp_path: Path) -> None:
    SpoolWriter(tmp_path).append([line(1)])

    async def test(shipper: Shipper, server: ControlServer) -> None:
        server.status, server.retry_after = 429, "7"
        assert await shipper.round() == (0, 7.0)

    run(test, [tmp_path])


def test_what_the_server_will_never_take_is_counted_and_does_not_hold_up_the_rest(tmp_path: Path) -> None:
    SpoolWriter(tmp_path).append([line(n) for n in range(4)])

    async def test(shipper: Shipper, server: ControlServer) -> None:
        server.status = 400
        assert (await shipper.round())[1] is None
        assert shipper.rejected == 4
        assert SpoolReader(tmp_path).waiting() == 0

    run(test, [tmp_path])


def test_many_requests_are_one_and_what_is_none_is_left_out() -> None:
    assert orjson.loads(together([line(1), b"torn", line(2)])) == {"resourceSpans": [{"n": 1}, {"n": 2}]}
    assert orjson.loads(together([])) == {"resourceSpans": []}
