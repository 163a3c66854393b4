"""`up` and `server` refuse what cannot work before they start anything."""

from pathlib import Path

import pytest

from holdfast.cli.console import err
from holdfast.cli.server import greet
from holdfast.ingest.receiver import Endpoints
from holdfast.settings import Settings
from tests.cli.conftest import Shell


def test_up_has_embedded_stores_only(shell: Shell) -> None:
    Path("holdfast.toml").write_text('[stores]\nledger = "postgresql://db/holdfast"\n')
    assert "use `holdfast server`" in shell.run("up", code=2).stderr


def test_a_wrong_setting_is_named(shell: Shell) -> None:
    Path("holdfast.toml").write_text("[server]\nport = 1\n")
    assert "server.port: no such setting" in shell.run("server", code=2).stderr


@pytest.mark.parametrize("gateway", [True, False], ids=["gateway", "none"])
def test_where_everything_is_reached_is_told_the_gateway_only_where_one_runs(gateway: bool) -> None:
    with err.capture() as told:
        greet(Settings(), Endpoints("127.0.0.1", 4318, 4317), "", gateway)
    assert ("http://127.0.0.1:4000/v1" in told.get()) is gateway
    assert "http://127.0.0.1:4001/" in told.get()


def test_a_missing_configuration_is_named(shell: Shell) -> None:
    assert "other.toml" in shell.run("server", "--config", "other.toml", code=2).stderr


def test_an_open_address_without_tokens_is_refused(shell: Shell) -> None:
    Path("holdfast.toml").write_text('[server]\nhost = "0.0.0.0"\n')
    assert "server.api_token" in shell.run("server", code=2).stderr
