"""The supervisor: a clear word when it cannot start, and a socket that is its own."""

from pathlib import Path

import msgspec
import pytest

from holdfast.control.snapshot import Desired, Snapshot
from holdfast.core.errors import ConfigurationError, StoreError
from holdfast.gateway.config import GatewayConfig
from holdfast.gateway.snapshot_file import SnapshotFile
from holdfast.gateway.supervisor import Supervisor, listen
from holdfast.testing.clock import FakeClock

KEY = b"0123456789abcdef"


def test_a_port_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(ConfigurationError, match=str(taken.getsockname()[1])):
        listen("127.0.0.1", taken.getsockname()[1])


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(ConfigurationError, match="cannot listen on 203"):
        listen("203.0.113.7", 1)


def test_a_local_snapshot_file_is_taken_into_the_folder_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    own = tmp_path / "mine.json"
    own.write_bytes(msgspec.json.encode(Snapshot(version=2, created_ns=0, desired=Desired())))
    config = GatewayConfig(directory=tmp_path / "g", redaction_key=KEY, port=0, snapshot=own)
    supervisor = Supervisor(config, FakeClock())
    supervisor._begin_with_the_last()
    kept = SnapshotFile(tmp_path / "g").load()
    assert kept is not None
    assert kept.version == 2
    own.write_bytes(b"{")
    supervisor._look_at_own()
    assert supervisor._follower.refused
    assert SnapshotFile(tmp_path / "g").load() == kept
    supervisor.close()


def test_a_second_gateway_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    config = GatewayConfig(directory=tmp_path, redaction_key=KEY, port=0)
    first = Supervisor(config, FakeClock())
    with pytest.raises(StoreError, match=f"gateway {tmp_path}: process .* already"):
        Supervisor(config, FakeClock())
    first.close()
    Supervisor(config, FakeClock()).close()


def test_a_gateway_that_got_no_address_lets_go_of_the_folder(tmp_path: Path) -> None:
    config = GatewayConfig(directory=tmp_path, redaction_key=KEY, port=0)
    with listen("127.0.0.1", 0) as taken, pytest.raises(ConfigurationError):
        Supervisor(msgspec.structs.replace(config, port=taken.getsockname()[1]), FakeClock())
    Supervisor(config, FakeClock()).close()


def test_it_listens_on_loopback_unless_told_otherwise(tmp_path: Path) -> None:
    supervisor = Supervisor(GatewayConfig(directory=tmp_path, redaction_key=KEY, port=0), FakeClock())
    assert supervisor.address[0] == "127.0.0.1"
    supervisor.close()
