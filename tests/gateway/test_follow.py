"""Following the control plane: at once by stream, still by poll, and never anything that is wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from holdfast.control.gateways import GatewayReport
from holdfast.control.probes import ProbeAnswer, ProbeVerdict
from holdfast.control.snapshot import Snapshot
from holdfast.gateway.follow import Follower
from holdfast.gateway.snapshot_file import SnapshotFile
from holdfast.gateway.tasks import ended
from holdfast.testing.gateway import simple
from tests.gateway.control_server import ControlServer
from tests.gateway.world import until

Test = Callable[[Follower, ControlServer, SnapshotFile], Awaitable[None]]


def snapshot(version: int) -> Snapshot:
    return Snapshot(version=version, created_ns=version, desired=simple("http://127.0.0.1:1"))


def run(test: Test, directory: Path, follows: bool = True) -> None:
    async def all_of_it() -> None:
        file = SnapshotFile(directory)
        async with ControlServer() as server:
            follower = Follower(server.url, lambda: "token", "g1", file, lambda s: None)
            following = asyncio.create_task(follower.follow()) if follows else None
            try:
                await test(follower, server, file)
            finally:
                if following is not None:
                    assert await ended(following)
                follower.close()

    asyncio.run(all_of_it())


def test_a_new_snapshot_is_taken_as_soon_as_it_is_there(tmp_path: Path) -> None:
    async def test(follower: Follower, server: ControlServer, file: SnapshotFile) -> None:
        for version in (1, 2):
            server.put(snapshot(version))
            await until(lambda v=version: follower.running is not None and follower.running.version == v)  # type: ignore[misc]
        assert file.load() == snapshot(2)
        assert server.asked[0][2]["authorization"] == "Bearer token"

    run(test, tmp_path)


def test_after_a_break_it_resumes_where_it_was(tmp_path: Path) -> None:
    async def test(follower: Follower, server: ControlServer, file: SnapshotFile) -> None:
        server.put(snapshot(5))
        await until(lambda: follower.running is not None)
        server.drop()
        await until(lambda: len([a for a in server.asked if a[1].endswith("/stream")]) > 1)
        resumed = [h.get("last-event-id") for _, path, h in server.asked if path.endswith("/stream")]
        assert resumed[-1] == "5"
        server.put(snapshot(6))
        await until(lambda: follower.running is not None and follower.running.version == 6)

    run(test, tmp_path)


def test_without_a_stream_it_polls(tmp_path: Path) -> None:
    async def test(follower: Follower, server: ControlServer, file: SnapshotFile) -> None:
        server.streams = False
        server.put(snapshot(3))
        await until(lambda: follower.running is not None)
        assert file.load() == snapshot(3)

    run(test, tmp_path)


def test_what_is_malformed_oversized_or_older_is_refused_and_the_last_good_one_stays(tmp_path: Path) -> None:
    async def test(follower: Follower, server: ControlServer, file: SnapshotFile) -> None:
        assert follower.take(msgspec.json.encode(snapshot(5)))
        wrong = (
            b"{",
            b" " * (5 * 2**20),
            msgspec.json.encode(snapshot(4)),
            b'{"version":9,"created_ns":0,"desired":{"surprise":1}}',
        )
        for data in wrong:
            assert not follower.take(data)
            assert follower.refused
            assert file.load() == snapshot(5)
        assert follower.take(msgspec.json.encode(snapshot(6)))
        assert not follower.refused

    run(test, tmp_path, follows=False)


def test_reports_and_judged_probes_reach_the_server_and_its_absence_is_an_answer(tmp_path: Path) -> None:
    async def test(follower: Follower, server: ControlServer, file: SnapshotFile) -> None:
        assert await follower.report(GatewayReport(version=3, started_ns=1))
        assert await follower.tell(ProbeVerdict(rule="q", target="t", good=True, judge="tox")) == 200
        answer = ProbeAnswer(lease_id="l", target="t", judge="person", trace_id="t", call=b"{}")
        assert await follower.tell(answer) == 200
        posted = ["/gateways/g1/report", "/probes", "/probes/answers"]
        assert [path for path, _ in server.posted] == [f"/api/v1/control{path}" for path in posted]
        assert msgspec.convert(server.posted[2][1], ProbeAnswer) == answer
        assert server.posted[0][1]["version"] == 3
        server.status = 503
        assert not await follower.report(GatewayReport(version=3, started_ns=1))
        gone = Follower("http://127.0.0.1:9", str, "g", file, lambda s: None)
        assert not await gone.report(GatewayReport(version=3, started_ns=1))
        assert await gone.tell(answer) == 0
        assert not await gone.poll()
        gone.close()

    run(test, tmp_path, follows=False)


def test_what_judges_elsewhere_say_of_probes_is_passed_on_and_nonsense_is_not(tmp_path: Path) -> None:
    said = ProbeVerdict(rule="q", target="t0", good=True, judge="tox", number=1)

    async def test() -> None:
        heard: list[ProbeVerdict] = []
        async with ControlServer() as server:
            follower = Follower(server.url, lambda: "", "g1", SnapshotFile(tmp_path), lambda s: None, heard.append)
            following = asyncio.create_task(follower.follow())
            await until(lambda: follower.connected)
            for data in (b"{", b'{"rule":1}', msgspec.json.encode(said)):
                server.tell("probe", data)
            await until(lambda: bool(heard))
            assert await ended(following)
            follower.close()
        assert heard == [said]

    asyncio.run(test())


def test_a_stream_that_is_cut_in_the_middle_of_a_snapshot_puts_no_half_of_it_into_force(tmp_path: Path) -> None:
    async def test(follower: Follower, server: ControlServer, file: SnapshotFile) -> None:
        server.put(snapshot(5))
        await until(lambda: follower.running is not None)
        data = msgspec.json.encode(snapshot(7))
        server.write(b"event: snapshot\nid: 7\ndata: " + data[: len(data) // 2])
        server.drop()
        await until(lambda: len([a for a in server.asked if a[1].endswith("/stream")]) > 1)
        assert follower.running == file.load() == snapshot(5)
        assert follower.refused == ""
        server.put(snapshot(7))
        await until(lambda: follower.running is not None and follower.running.version == 7)

    run(test, tmp_path)
