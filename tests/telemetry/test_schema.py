import pytest

from holdfast.core.errors import StoreError
from holdfast.telemetry import schema
from holdfast.telemetry.connection import Connection
from holdfast.telemetry.schema import DAILY, MIGRATIONS, migrate
from holdfast.telemetry.store import TelemetryStore
from tests.telemetry.examples import simple


def test_migrating_twice_changes_nothing(dsn: str) -> None:
    connection = Connection(dsn)
    assert migrate(connection) == migrate(connection) == len(MIGRATIONS)
    assert connection.rows("SELECT count() FROM holdfast_schema") == [(len(MIGRATIONS),)]
    connection.close()


def test_a_store_of_a_newer_version_is_refused(dsn: str) -> None:
    connection = Connection(dsn)
    migrate(connection)
    connection.insert("holdfast_schema", {"version": [99], "applied_by": ["the future"]})
    with pytest.raises(StoreError, match=f"schema 99, this Holdfast knows up to {len(MIGRATIONS)}: run the newer Holdfast"):
        migrate(connection)
    connection.close()


def test_a_newer_store_that_was_refused_is_let_go(dsn: str) -> None:
    with TelemetryStore(dsn) as store:
        store._connection.insert("holdfast_schema", {"version": [99], "applied_by": ["the future"]})
    for _ in range(2):
        with pytest.raises(StoreError, match="schema 99"):
            TelemetryStore(dsn)


def test_a_new_migration_runs_once_and_keeps_what_is_there(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with TelemetryStore(dsn) as store:
        store.append([simple(1)])
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, ("ALTER TABLE calls ADD COLUMN IF NOT EXISTS extra String",)))
    for _ in range(2):
        with TelemetryStore(dsn) as store:
            assert (store.schema_version, store.count()) == (len(MIGRATIONS) + 1, 1)
            assert store._connection.rows("SELECT extra FROM calls") == [("",)]


def test_a_migration_that_was_cut_short_is_finished_next_time(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (*MIGRATIONS[0][:2], "CREATE TABLE nonsense")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (broken,))
        with pytest.raises(StoreError):
            TelemetryStore(dsn)
    with TelemetryStore(dsn) as store:
        assert store.append([simple(1)]) == 1


def test_every_table_but_changes_and_labels_is_pruned_by_day(dsn: str) -> None:
    with TelemetryStore(dsn) as store:
        tables = {name for (name,) in store._connection.rows("SELECT name FROM system.tables WHERE database = currentDatabase()")}
        assert tables == {*DAILY, "changes", "labels", "holdfast_schema"}
