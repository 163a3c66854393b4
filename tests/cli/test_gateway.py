"""`holdfast gateway` from the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.app.access import local_token_file
from holdfast.app.server import redaction_key
from holdfast.cli.gateway import config_of
from holdfast.cli.main import app
from holdfast.core.errors import ConfigurationError
from holdfast.gateway.switch import Position, read_switch
from holdfast.settings import load


def written(directory: Path, text: str) -> Path:
    path = directory / "holdfast.toml"
    path.write_text(f'[server]\ndata_dir = "{directory / "data"}"\n{text}')
    return path


def test_the_kill_switch_is_thrown_from_the_command_line_with_nothing_else_running(tmp_path: Path) -> None:
    config = written(tmp_path, "")
    ended = CliRunner().invoke(app, ["gateway", "--config", str(config), "--switch", "off"])
    assert ended.exit_code == 0
    assert read_switch(tmp_path / "data" / "gateway") is Position.OFF
    CliRunner().invoke(app, ["gateway", "--config", str(config), "--switch", "on"])
    assert read_switch(tmp_path / "data" / "gateway") is Position.ON


def test_a_gateway_beyond_loopback_without_a_metrics_token_does_not_start(tmp_path: Path) -> None:
    config = written(tmp_path, '[gateway]\nhost = "0.0.0.0"\nport = 0\n')
    ended = CliRunner().invoke(app, ["gateway", "--config", str(config)])
    assert ended.exit_code == 2
    assert "gateway.metrics_token" in ended.stderr


def test_settings_become_what_the_gateway_is_told(tmp_path: Path) -> None:
    text = (
        '[gateway]\nworkers = 3\nid = "eu-1"\nserver_url = "http://s:1"\notlp_url = ""\ncontent = false\nspool_bytes = 2000000\n'
    )
    told = config_of(load(written(tmp_path, text)))
    assert (told.workers, told.gateway_id, told.server_url, told.otlp_url, told.content) == (3, "eu-1", "http://s:1", "", False)
    assert told.spool.max_bytes == 2_000_000
    assert told.directory == tmp_path / "data" / "gateway"


def test_without_a_word_it_follows_the_server_of_the_same_settings_and_shows_this_machines_token(tmp_path: Path) -> None:
    config = written(tmp_path, "api_port = 5001\notlp_http_port = 5318\n")
    told = config_of(load(config))
    assert (told.server_url, told.otlp_url) == ("http://127.0.0.1:5001", "http://127.0.0.1:5318")
    assert told.server_token_file == local_token_file(load(config))
    assert told.shown_token() == ""
    (tmp_path / "data" / "local.token").write_text("made by a server that started later\n")
    assert told.shown_token() == "made by a server that started later"
    (tmp_path / "data" / "local.token").write_bytes(b"not\na\0token")
    assert told.shown_token() == "", "no header can carry it"


def test_this_machines_token_is_shown_to_no_other_machine(tmp_path: Path) -> None:
    told = config_of(load(written(tmp_path, '[gateway]\nserver_url = "https://holdfast.example:4001"\n')))
    assert told.server_token_file is None


def test_a_token_that_is_configured_comes_before_this_machines(tmp_path: Path) -> None:
    told = config_of(load(written(tmp_path, '[gateway]\nserver_token = "for-this-gateway"\n')))
    assert (told.shown_token(), told.server_token_file) == ("for-this-gateway", None)


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:4001"), ("::", "http://[::1]:4001")])
def test_a_server_that_listens_everywhere_is_asked_on_loopback(host: str, url: str, tmp_path: Path) -> None:
    tokens = f'api_token = "{"t" * 32}"\n[applications.shop]\ningest_token_sha256 = "{"0" * 64}"\n'
    config = written(tmp_path, f'host = "{host}"\n{tokens}')
    assert config_of(load(config)).server_url == url


def test_pseudonyms_are_those_of_the_server_on_the_same_machine(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "redaction.key").write_bytes(b"k" * 32)
    assert config_of(load(written(tmp_path, ""))).redaction_key == b"k" * 32


def test_a_gateway_that_starts_first_makes_the_key_that_the_server_will_use(tmp_path: Path) -> None:
    config = written(tmp_path, "")
    assert config_of(load(config)).redaction_key == redaction_key(tmp_path / "data" / "redaction.key")


def test_a_gateway_of_another_machines_server_keeps_a_key_of_its_own(tmp_path: Path) -> None:
    told = config_of(load(written(tmp_path, '[gateway]\nserver_url = "https://holdfast.example:4001"\n')))
    assert told.redaction_key == (tmp_path / "data" / "gateway" / "redaction.key").read_bytes()


def test_an_unknown_entity_is_an_error_that_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"redaction\.entities"):
        config_of(load(written(tmp_path, '[redaction.entities]\nSHOE_SIZE = "drop"\n')))
