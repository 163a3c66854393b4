import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.core.errors import ConfigurationError, StoreError
from holdfast.telemetry.connection import Connection
from holdfast.telemetry.store import TelemetryStore
from tests.telemetry.examples import simple


@pytest.mark.parametrize(
    "dsn", ["", "nonsense", "chdb://", "chdb://relative/path", "postgresql://h/d", "http://", "/just/a/path"]
)
def test_a_url_of_another_kind_is_a_configuration_error(dsn: str) -> None:
    with pytest.raises(ConfigurationError, match="telemetry URL must be"):
        Connection(dsn)


def test_a_server_that_is_not_there_says_so_without_the_password() -> None:
    with pytest.raises(StoreError, match="nothing listens there") as caught:
        Connection("http://user:geheim@127.0.0.1:9/holdfast")
    assert "geheim" not in str(caught.value)


def test_a_directory_that_another_process_holds_is_refused_and_says_why(store: TelemetryStore, dsn: str) -> None:
    script = "import sys; from holdfast.telemetry.store import TelemetryStore; TelemetryStore(sys.argv[1])"
    other = subprocess.run([sys.executable, "-c", script, dsn], capture_output=True, text=True, check=False, timeout=60)
    assert other.returncode == 1
    assert "another process holds this directory" in other.stderr.splitlines()[-1]
    assert store.append([simple(1)]) == 1


def test_a_second_directory_in_one_process_is_refused_and_says_why(store: TelemetryStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="close that one first"):
        Connection(f"chdb://{tmp_path}/second")
    assert store.count() == 0


def test_after_closing_another_directory_can_be_opened(tmp_path: Path) -> None:
    for name in ("first", "second", "first"):
        with TelemetryStore(f"chdb://{tmp_path}/{name}") as opened:
            opened.append([simple(1)])
            assert opened.count() == 1


@pytest.mark.parametrize("name", ["with space", "percent%20sign", "ünïcode", "quo'te", "hash#and?mark"])
def test_a_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        with TelemetryStore(f"chdb://{tmp_path}/{name}") as opened:
            opened.append([simple(1)])
            assert opened.count() == 1
    assert (tmp_path / name).is_dir()


def test_a_path_that_is_a_file_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="telemetry store"):
        Connection(f"chdb://{tmp_path}/file")


def test_wrong_sql_is_a_store_error_and_the_connection_lives_on(dsn: str) -> None:
    connection = Connection(dsn)
    with pytest.raises(StoreError, match=r"telemetry store .*nowhere"):
        connection.rows("SELECT * FROM nowhere")
    assert connection.rows("SELECT {v:Int64}", {"v": 7}) == [(7,)]
    connection.close()


def test_an_empty_result_has_no_rows(dsn: str) -> None:
    connection = Connection(dsn)
    assert list(connection.rows("SELECT 1 WHERE 0")) == []
    connection.close()


def test_closing_twice_does_no_harm(dsn: str) -> None:
    connection = Connection(dsn)
    connection.close()
    connection.close()
