"""The doctor says what is wrong and what to do about it."""

import socket
from pathlib import Path

import orjson
import pytest

from holdfast.access.access import Access
from holdfast.access.roles import Role
from holdfast.cli.doctor import administered, check_clock, dead_scorers
from holdfast.ledger.store import Ledger
from holdfast.settings import Settings
from holdfast.testing.clock import FakeClock
from tests.cli.conftest import Shell


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports that nobody else uses during the test."""
    for name in ("API_PORT", "OTLP_HTTP_PORT", "OTLP_GRPC_PORT"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            monkeypatch.setenv(f"HOLDFAST_SERVER__{name}", str(probe.getsockname()[1]))


@pytest.mark.usefixtures("ports")
def test_a_fresh_machine_is_well(shell: Shell) -> None:
    found = {entry["check"]: entry for entry in orjson.loads(shell.run("doctor", "--json").stdout)}
    assert set(found) >= {"settings", "disk", "clock", "ledger", "server", "telemetry"}


@pytest.mark.usefixtures("ports")
def test_a_taken_port_is_named_with_what_to_do(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("HOLDFAST_SERVER__OTLP_HTTP_PORT", str(port))
        text = shell.run("doctor", code=1).output
    assert f"port {port} is taken" in text
    assert "server.otlp_http_port" in text


@pytest.mark.usefixtures("ports")
def test_a_ledger_that_is_no_database_is_found(shell: Shell) -> None:
    (shell.folder / ".holdfast").mkdir()
    (shell.folder / ".holdfast" / "ledger.sqlite").write_bytes(b"no database at all, and long enough to tell" * 100)
    assert "ledger" in shell.run("doctor", code=1).output


def test_accounts_of_which_none_administers_are_found_with_what_to_do(tmp_path: Path) -> None:
    with Ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        assert administered(ledger.accounts).ok
        access = Access(ledger.accounts, FakeClock())
        access.log_in_subject("issuer 1", "eve", {"shop": Role.VIEWER}, "")
        found = administered(ledger.accounts)
        assert not found.ok
        assert "set-up link" in found.advice
        access.log_in_subject("issuer 1", "eve", {"*": Role.ADMIN}, "")
        assert administered(ledger.accounts).ok


def test_wrong_settings_are_told_before_anything_else(shell: Shell) -> None:
    Path("holdfast.toml").write_text("[server]\napi_prot = 1\n")
    assert "server.api_prot" in shell.run("doctor", code=2).stderr


def test_the_clock_of_this_machine_is_believable() -> None:
    assert [finding.ok for finding in check_clock(Settings())] == [True]


def test_a_scorer_that_failed_is_not_shown_as_well() -> None:
    (found,) = dead_scorers({"refusal": {"ran": 9, "failed": 0, "skipped": 0}, "toxicity": {"ran": 1, "failed": 9, "skipped": 0}})
    assert not found.ok
    assert "toxicity failed on 9 of 10" in found.text


def test_scorers_that_all_work_are_one_line() -> None:
    (found,) = dead_scorers({"refusal": {"ran": 9, "failed": 0, "skipped": 0}})
    assert found.ok
