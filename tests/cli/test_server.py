"""`up` and `server` refuse what cannot work before they start anything."""

from pathlib import Path

from tests.cli.conftest import Shell


def test_up_has_embedded_stores_only(shell: Shell) -> None:
    Path("holdfast.toml").write_text('[stores]\nledger = "postgresql://db/holdfast"\n')
    assert "use `holdfast server`" in shell.run("up", code=2).stderr


def test_a_wrong_setting_is_named(shell: Shell) -> None:
    Path("holdfast.toml").write_text("[server]\nport = 1\n")
    assert "server.port: no such setting" in shell.run("server", code=2).stderr


def test_a_missing_configuration_is_named(shell: Shell) -> None:
    assert "other.toml" in shell.run("server", "--config", "other.toml", code=2).stderr


def test_an_open_address_without_tokens_is_refused(shell: Shell) -> None:
    Path("holdfast.toml").write_text('[server]\nhost = "0.0.0.0"\n')
    assert "server.api_token" in shell.run("server", code=2).stderr
