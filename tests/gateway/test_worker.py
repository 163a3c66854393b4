"""A worker and its folder; and what it does not carry with it."""

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import structlog

from holdfast.control.probes import ProbeVerdict
from holdfast.control.snapshot import BreakerRule, BreakerSignal, Desired, Guard, GuardPlace, Snapshot
from holdfast.gateway.breakers import Outcome
from holdfast.gateway.config import GatewayConfig
from holdfast.gateway.siblings import Judged, encode_word
from holdfast.gateway.snapshot_file import SnapshotFile
from holdfast.gateway.switch import Position, write_switch
from holdfast.gateway.tasks import ended
from holdfast.gateway.worker import MAX_PENDING, Worker, every
from holdfast.score.beta_map import BetaMap
from holdfast.score.calibrator import Calibration, Calibrator, encoded
from holdfast.testing.clock import FakeClock
from holdfast.testing.gateway import simple
from tests.gateway.world import until

KEY = b"0123456789abcdef"
CALIBRATION = Calibration(
    application="shop",
    metric="toxicity",
    scorer="toxicity",
    version="1",
    map=BetaMap(c=3.0),
    labels=200,
    brier_before=0.2,
    brier_after=0.1,
    learnt_ns=1,
    actor="user:ada",
)


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(GatewayConfig(directory=tmp_path, redaction_key=KEY), 0, FakeClock())


def test_it_starts_from_the_last_good_snapshot_and_follows_the_file(tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path)
    file.save(Snapshot(version=4, created_ns=0, desired=simple("http://127.0.0.1:1")))
    one = Worker(GatewayConfig(directory=tmp_path, redaction_key=KEY), 0, FakeClock())
    assert one.gateway.compiled.version == 4
    file.save(Snapshot(version=5, created_ns=0, desired=Desired()))
    one.look()
    assert one.gateway.compiled.version == 5


def test_a_snapshot_that_is_wrong_or_older_is_refused_and_reported_and_the_old_one_stays(tmp_path: Path, worker: Worker) -> None:
    file = SnapshotFile(tmp_path)
    file.save(Snapshot(version=4, created_ns=0, desired=Desired()))
    worker.look()
    for wrong in (b"{", msgspec.json.encode(Snapshot(version=3, created_ns=0, desired=Desired()))):
        file.path.write_bytes(wrong)
        worker.look()
        assert worker.status().refused
        assert worker.gateway.compiled.version == 4
    file.save(Snapshot(version=6, created_ns=0, desired=Desired()))
    worker.look()
    assert (worker.status().refused, worker.status().version) == ("", 6)


def test_the_kill_switch_is_followed(tmp_path: Path, worker: Worker) -> None:
    for position in (Position.OFF, Position.TEMPLATE, Position.ON):
        write_switch(tmp_path, position)
        worker.look()
        assert worker.status().switch is position


def test_telemetry_waits_in_bounded_memory_and_what_does_not_fit_is_counted(worker: Worker) -> None:
    for _ in range(MAX_PENDING + 7):
        worker._keep(b"{}")
    assert worker.dropped == 7
    worker.flush()
    assert (worker.status().written, worker.dropped) == (MAX_PENDING, 7)


def test_a_folder_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    one = Worker(GatewayConfig(directory=tmp_path / "d", redaction_key=KEY), 0, FakeClock())
    for child in sorted((tmp_path / "d").rglob("*"), reverse=True):
        child.rmdir()
    (tmp_path / "d").rmdir()
    one.tell()
    one.look()
    assert one.gateway.compiled.version == 0


def test_a_worker_imports_no_store_no_later_stage_and_nothing_heavy() -> None:
    program = "import sys, holdfast.gateway.worker; print('\\n'.join(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(ended.stdout.split())
    heavy = {"chdb", "scipy", "sqlalchemy", "fastapi", "pandas", "pyarrow", "grpc", "pydantic", "clickhouse_connect", "psycopg"}
    stages = {
        "telemetry",
        "ledger",
        "detect",
        "correlate",
        "diagnose",
        "decide",
        "act",
        "verify",
        "report",
        "pipeline",
        "api",
        "app",
    }
    assert not heavy & loaded
    assert not {f"holdfast.{name}" for name in stages} & loaded


def test_a_verdict_that_the_supervisor_passes_on_counts_and_nonsense_stops_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    worker = Worker(GatewayConfig(directory=tmp_path, redaction_key=KEY), 0, clock)
    rule = BreakerRule(name="q", signal=BreakerSignal.QUALITY, min_count=1, cool_s=1, probes=1, guard="tox")
    tox = Guard(name="tox", kind="toxicity", place=GuardPlace.OUTPUT)
    SnapshotFile(tmp_path).save(Snapshot(version=1, created_ns=0, desired=simple("http://u", breakers=(rule,), guards=(tox,))))
    worker.look()
    assert worker.status().refused == ""
    worker.gateway.breakers.record((rule,), "t0", {}, (Outcome(BreakerSignal.QUALITY, 1.0, "tox"),))
    clock.advance(2)
    assert worker.gateway.breakers.admission((rule,), "t0", {}).closed_by == ("q",)
    said = Judged(ProbeVerdict(rule="q", target="t0", good=True, judge="tox"))
    for line in (b"", b"{", b'"probe"', encode_word(said).strip()):
        worker.hear(line)
    assert worker.gateway.breakers.admission((rule,), "t0", {}).closed_by == ()


def test_calibrations_are_followed_and_broken_ones_leave_those_that_are_in_force(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.json"
    one = Worker(GatewayConfig(directory=tmp_path, redaction_key=KEY, calibrations=path), 0, FakeClock())
    assert one.gateway.compiled.calibrator.calibrations == []
    path.write_bytes(encoded(Calibrator([CALIBRATION])))
    one.look()
    assert one.gateway.compiled.calibrator.calibrations == [CALIBRATION]
    path.write_bytes(b"{")
    one.look()
    assert one.gateway.compiled.calibrator.calibrations == [CALIBRATION]
    SnapshotFile(tmp_path).save(Snapshot(version=1, created_ns=0, desired=Desired()))
    one.look()
    assert one.gateway.compiled.calibrator.calibrations == [CALIBRATION]


def test_a_calibration_file_that_is_removed_takes_its_calibrations_with_it(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.json"
    one = Worker(GatewayConfig(directory=tmp_path, redaction_key=KEY, calibrations=path), 0, FakeClock())
    path.write_bytes(encoded(Calibrator([CALIBRATION])))
    one.look()
    path.unlink()
    one.look()
    assert one.gateway.compiled.calibrator.calibrations == []
    path.write_bytes(encoded(Calibrator([CALIBRATION])))
    one.look()
    assert one.gateway.compiled.calibrator.calibrations == [CALIBRATION]


def test_a_snapshot_file_that_is_removed_changes_nothing(tmp_path: Path, worker: Worker) -> None:
    file = SnapshotFile(tmp_path)
    file.save(Snapshot(version=4, created_ns=0, desired=simple("http://127.0.0.1:1")))
    worker.look()
    file.path.unlink()
    worker.look()
    assert (worker.status().version, worker.status().refused) == (4, "")


def test_a_chore_that_fails_is_counted_and_done_again(worker: Worker) -> None:
    done = 0

    def chore() -> None:
        nonlocal done
        done += 1
        if done == 1:
            raise OSError(27, "File too large")

    async def run() -> None:
        task = asyncio.create_task(every(0.001, chore, worker.gateway.meters))
        await until(lambda: done >= 3)
        assert await ended(task)

    asyncio.run(run())
    assert b'internal_errors_total{where="chore"} 1.0' in worker.gateway.meters.exposition()


def test_a_chore_that_fails_every_time_is_counted_every_time_and_told_once(worker: Worker) -> None:
    failures = 0

    def broken() -> None:
        nonlocal failures
        failures += 1
        raise OSError(28, "No space left on device")

    async def run() -> None:
        task = asyncio.create_task(every(0.001, broken, worker.gateway.meters))
        await until(lambda: failures >= 20)
        assert await ended(task)

    with structlog.testing.capture_logs() as logs:
        asyncio.run(run())
    assert [entry["event"] for entry in logs] == ["chore failed"]
    counted = f'internal_errors_total{{where="broken"}} {failures}.0'
    assert counted.encode() in worker.gateway.meters.exposition()
