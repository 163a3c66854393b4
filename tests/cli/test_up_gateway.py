"""The gateway beside the server: a child that serves while the server runs, and ends with it."""

import os
import re
import signal
from pathlib import Path

import httpx
import pytest

from holdfast.cli.up_gateway import gateway_beside
from holdfast.settings import load
from holdfast.testing.upstream import wait_until

LISTENS = re.compile(r"gateway listens on (http://\S+)")


def configured(folder: Path, *lines: str) -> Path:
    file = folder / "holdfast.toml"
    file.write_text("\n".join(["[gateway]", 'server_url = ""', 'otlp_url = ""', "drain_s = 2", *lines, ""]))
    return file


def test_it_serves_with_the_servers_settings_and_ends_when_the_server_does(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = configured(tmp_path, "port = 0")
    said = ""

    def listens() -> bool:
        nonlocal said
        said += capfd.readouterr().err
        return LISTENS.search(said) is not None

    with gateway_beside(load(config), config, tmp_path / "data") as process:
        wait_until(listens, 60)
        found = LISTENS.search(said)
        assert found is not None
        assert httpx.get(f"{found[1]}/healthz", timeout=10).status_code == 200
        assert (tmp_path / "data" / "gateway").is_dir()
        assert process.poll() is None
    assert process.poll() == 0


def test_one_that_cannot_start_says_why_and_stops_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path, "workers = 0")
    with gateway_beside(load(None), config, tmp_path / "data") as process:
        assert process.wait(60) == 2
    assert "workers" in capfd.readouterr().err


def test_one_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.cli.up_gateway.GRACE_S", 0.0)
    config = configured(tmp_path, "port = 0")
    settings = load(config)
    object.__setattr__(settings.gateway, "drain_s", 0.1)
    with gateway_beside(settings, config, tmp_path / "data") as process:
        os.kill(process.pid, signal.SIGSTOP)
    code = process.poll()
    assert code is not None
    assert code < 0
