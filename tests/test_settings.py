"""Settings come from one file, the environment is stronger, and every mistake names its key."""

from pathlib import Path

import pytest

from holdfast.core.errors import ConfigurationError
from holdfast.settings import Settings, is_loopback, load


def write(folder: Path, text: str) -> Path:
    path = folder / "holdfast.toml"
    path.write_text(text)
    return path


def test_without_a_file_everything_listens_on_loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load()
    assert is_loopback(settings.server.host)
    assert settings.telemetry_dsn.startswith("chdb:///")


def test_the_environment_is_stronger_than_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "[server]\napi_port = 5000\notlp_http_port = 5001\n")
    monkeypatch.setenv("HOLDFAST_SERVER__API_PORT", "6000")
    settings = load(path)
    assert (settings.server.api_port, settings.server.otlp_http_port) == (6000, 5001)


def test_a_call_is_stronger_than_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_SERVER__API_PORT", "6000")
    settings = load(write(tmp_path, ""), {"server": {"api_port": 7000}})
    assert settings.server.api_port == 7000


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\napi_prot = 1\n", "server.api_prot: no such setting"),
        ("[server]\napi_port = 70000\n", "server.api_port"),
        ("[server]\napi_port = 'many'\n", "server.api_port"),
        ("[detection]\nfalse_alarms_per_day = 0\n", "detection.false_alarms_per_day"),
        ("[redaction.entities]\nEMAIL_ADDRESS = 'hide'\n", "redaction.entities.EMAIL_ADDRESS"),
        ("[applications.shop]\ningest_token_sha256 = 'secret'\n", "applications.shop.ingest_token_sha256"),
        ("[objectives.fast]\nshare = 0.99\n", "objectives.fast.metric"),
        ("[objectives.fast]\nmetric = 'error'\nshare = 99.5\n", "objectives.fast.share"),
        ("[nonsense]\n", "nonsense: no such setting"),
        ("[server\n", "holdfast.toml"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as raised:
        load(path)
    assert named in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_missing_file_that_was_asked_for_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        load(tmp_path / "other.toml")


def test_an_open_address_without_tokens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"server\.api_token"):
        load(write(tmp_path, "[server]\nhost = '0.0.0.0'\n"))


def test_an_open_address_without_an_ingest_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ingest_token_sha256"):
        load(write(tmp_path, "[server]\nhost = '0.0.0.0'\napi_token = 'x'\n"))


def test_an_open_address_with_tokens_is_accepted(tmp_path: Path) -> None:
    text = f"[server]\nhost = '::'\napi_token = 'x'\n[applications.shop]\ningest_token_sha256 = '{'a' * 64}'\n"
    assert load(write(tmp_path, text)).server.host == "::"


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "[server]\napi_token = 'hunter2'\n"))
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("example.org", False)]
)
def test_loopback_is_told_from_the_rest(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "http://127.0.0.1:4001"), ("::1", "http://[::1]:4001")])
def test_the_console_of_any_address_can_be_opened(host: str, url: str) -> None:
    assert Settings.model_validate({"server": {"host": host}}).console_url == url
