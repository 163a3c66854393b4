import os
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from holdfast.testing.postgres import MissingPostgresError, PostgresCluster, find_programs, postgres


def test_each_test_gets_an_empty_database_of_its_own(postgres_cluster: PostgresCluster) -> None:
    with postgres_cluster.database() as first, postgres_cluster.database() as second:
        assert first != second
        engine = sa.create_engine(first)
        with engine.connect() as connection:
            assert sa.inspect(connection).get_table_names() == []
        engine.dispose()


def test_a_database_is_gone_afterwards_even_when_somebody_is_connected(postgres_cluster: PostgresCluster) -> None:
    with postgres_cluster.database() as url:
        engine = sa.create_engine(url)
        connection = engine.connect()
    with pytest.raises(sa.exc.DBAPIError):
        connection.execute(sa.text("SELECT 1"))
    connection.close()
    engine.dispose()


def test_the_server_does_not_run_as_root(postgres_cluster: PostgresCluster) -> None:
    assert (postgres_cluster.directory / "data").stat().st_uid != 0 or os.geteuid() != 0


def test_the_server_listens_on_its_socket_only(postgres_cluster: PostgresCluster) -> None:
    with psycopg.connect(host=str(postgres_cluster.directory), user="holdfast", dbname="postgres") as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_stopped_cluster_leaves_nothing_behind() -> None:
    with postgres() as cluster:
        assert cluster.directory.exists()
    assert not cluster.directory.exists()


def test_missing_programs_fail_with_the_command_that_installs_them(tmp_path: Path) -> None:
    with pytest.raises(MissingPostgresError, match="apt-get install postgresql"):
        find_programs(tmp_path, search=str(tmp_path))


def test_the_newest_installed_version_is_taken(tmp_path: Path) -> None:
    for version in ("9", "15", "18"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    assert find_programs(tmp_path) == tmp_path / "18" / "bin"


def test_programs_on_the_path_will_do(tmp_path: Path) -> None:
    program = tmp_path / "initdb"
    program.touch(mode=0o755)
    assert find_programs(tmp_path / "none", search=str(tmp_path)) == tmp_path
