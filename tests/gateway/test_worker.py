"""A worker and its folder; and what it does not carry with it."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from holdfast.control.snapshot import Desired, Snapshot
from holdfast.gateway.config import GatewayConfig
from holdfast.gateway.snapshot_file import SnapshotFile
from holdfast.gateway.switch import Position, write_switch
from holdfast.gateway.worker import MAX_PENDING, Worker
from holdfast.testing.clock import FakeClock
from holdfast.testing.gateway import simple

KEY = b"0123456789abcdef"


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
