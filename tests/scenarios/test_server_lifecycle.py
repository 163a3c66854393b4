"""The server starts, says where it is, and stops in good order."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from holdfast.core.errors import StoreError
from holdfast.testing.server import ServerProcess


def test_it_greets_and_stops_with_exit_code_0(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as running:
        assert "Holdfast is up." in running.log
        assert running.otlp in running.log
        assert httpx.get(f"{running.otlp}/healthz", timeout=10).status_code == 200
        assert running.stop() == 0


def test_a_second_server_on_the_same_data_says_why_it_cannot_run(tmp_path: Path) -> None:
    with ServerProcess(tmp_path), pytest.raises(StoreError) as raised:
        ServerProcess(tmp_path).start()
    assert "error:" in str(raised.value)


def test_what_it_keeps_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as running:
        assert (running.data_dir / "redaction.key").stat().st_mode & 0o077 == 0
        assert running.data_dir.stat().st_mode & 0o077 == 0


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        environment = {**os.environ, "HOLDFAST_SERVER__API_PORT": str(port), "HOLDFAST_SERVER__DATA_DIR": str(tmp_path / "two")}
        result = subprocess.run(
            [sys.executable, "-m", "holdfast", "up", "--no-gateway"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 2
    assert str(port) in result.stderr
