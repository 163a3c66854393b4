import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from holdfast.core.errors import ConfigurationError, StoreError
from holdfast.ledger import database
from holdfast.ledger.database import Database
from holdfast.ledger.tables import METADATA, VERSION_TABLE


def test_migrations_make_the_tables_that_the_code_expects(ledger_url: str) -> None:
    opened = Database(ledger_url)
    with opened.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
    opened.close()


def test_opening_twice_migrates_once(ledger_url: str) -> None:
    for _ in range(2):
        opened = Database(ledger_url)
        with opened.reading() as connection:
            assert connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all() == ["0002"]
        opened.close()


def test_a_database_of_a_newer_version_is_refused(ledger_url: str) -> None:
    opened = Database(ledger_url)
    with opened.writing() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    opened.close()
    with pytest.raises(StoreError, match="schema 9999, this Holdfast knows up to 0002: run the newer Holdfast"):
        Database(ledger_url)


def test_processes_that_open_a_new_database_at_once_do_not_hurt_each_other(ledger_url: str) -> None:
    script = "import sys; from holdfast.ledger.database import Database; Database(sys.argv[1]).close()"
    openers = [subprocess.Popen([sys.executable, "-W", "error", "-c", script, ledger_url]) for _ in range(3)]
    assert [opener.wait(60) for opener in openers] == [0, 0, 0]


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "oracle+oracledb://x", "http://host"]
)
def test_a_url_of_another_kind_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="ledger URL must be"):
        Database(url)


def test_a_file_in_a_directory_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="directory exists and is writable"):
        Database(f"sqlite:///{tmp_path}/none/ledger.db")


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary, " * 1_000)
    with pytest.raises(StoreError, match="no SQLite database"):
        Database(f"sqlite:///{path}")


def test_a_server_that_is_not_there_says_so_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Database(f"postgresql://user:geheim@/db?host={tmp_path}")
    assert "geheim" not in str(caught.value)


def test_a_missing_postgresql_database_says_what_to_do(postgres_url: str) -> None:
    with pytest.raises(StoreError, match="create the database first"):
        Database(postgres_url.replace("/test_", "/none_"))


def test_a_writer_that_waits_too_long_is_told_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAIT_S", 0)
    first, second = (Database(f"sqlite:///{tmp_path}/ledger.db") for _ in range(2))
    with first.writing(), pytest.raises(StoreError, match="another process has been writing"), second.writing():
        pass
    first.close()
    second.close()


def test_a_failed_transaction_leaves_nothing(ledger_url: str) -> None:
    opened = Database(ledger_url)

    def fail() -> None:
        with opened.writing() as connection:
            connection.execute(sa.text("UPDATE ledger_head SET seq = 7"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with opened.reading() as connection:
        assert connection.execute(sa.text("SELECT seq FROM ledger_head")).scalar() == 0
    opened.close()


def test_a_reader_sees_one_state_throughout(ledger_url: str) -> None:
    opened = Database(ledger_url)
    with opened.reading() as reader:
        assert reader.execute(sa.text("SELECT seq FROM ledger_head")).scalar() == 0
        with opened.writing() as writer:
            writer.execute(sa.text("UPDATE ledger_head SET seq = 7"))
        assert reader.execute(sa.text("SELECT seq FROM ledger_head")).scalar() == 0
    opened.close()


def test_sqlite_waits_for_the_disk_before_it_returns(tmp_path: Path) -> None:
    opened = Database(f"sqlite:///{tmp_path}/ledger.db")
    with opened.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    opened.close()
