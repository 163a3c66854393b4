"""`holdfast gateway` from the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

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


def test_pseudonyms_are_those_of_the_server_on_the_same_machine(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "redaction.key").write_bytes(b"k" * 32)
    assert config_of(load(written(tmp_path, ""))).redaction_key == b"k" * 32


def test_an_unknown_entity_is_an_error_that_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"redaction\.entities"):
        config_of(load(written(tmp_path, '[redaction.entities]\nSHOE_SIZE = "drop"\n')))
