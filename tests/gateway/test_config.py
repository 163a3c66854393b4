"""What a gateway is told at its start."""

from pathlib import Path

import msgspec
import pytest

from holdfast.core.errors import ConfigurationError
from holdfast.gateway.config import GatewayConfig, checked, decode_config, encode_config, own_key

KEY = b"0123456789abcdef"


def test_a_configuration_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    config = GatewayConfig(directory=tmp_path, redaction_key=KEY, snapshot=tmp_path / "s.json", server_token="secret")
    line = encode_config(config)
    assert line.count(b"\n") == 1
    assert decode_config(line) == config
    with pytest.raises(ConfigurationError):
        decode_config(b"{}")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"workers": 0}, "gateway.workers"),
        ({"workers": 65}, "gateway.workers"),
        ({"redaction_key": b"short"}, "pseudonyms"),
        ({"host": "0.0.0.0"}, "gateway.metrics_token"),
        ({"directory": Path("/proc/nowhere")}, "gateway.data_dir"),
    ],
    ids=["no-workers", "many-workers", "key", "metrics", "directory"],
)
def test_what_makes_no_sense_is_refused_by_the_name_of_its_key(change: dict[str, object], key: str, tmp_path: Path) -> None:
    config = GatewayConfig(directory=tmp_path / "g", redaction_key=KEY)
    with pytest.raises(ConfigurationError, match=key):
        checked(msgspec.structs.replace(config, **change))


def test_the_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    config = checked(GatewayConfig(directory=tmp_path / "g", redaction_key=KEY))
    assert config.directory.stat().st_mode & 0o077 == 0


def test_the_key_of_the_pseudonyms_is_made_once_and_a_broken_one_is_not_used(tmp_path: Path) -> None:
    key = own_key(tmp_path / "new")
    assert len(key) == 32
    assert own_key(tmp_path / "new") == key
    (tmp_path / "redaction.key").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match=r"redaction\.key"):
        own_key(tmp_path)


def test_only_loopback_goes_without_virtual_keys(tmp_path: Path) -> None:
    config = GatewayConfig(directory=tmp_path, redaction_key=KEY)
    assert config.keyless
    assert not msgspec.structs.replace(config, host="10.0.0.1").keyless
