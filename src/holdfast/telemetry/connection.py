"""One way to talk to chDB and to ClickHouse: two clients, bound parameters, and errors that say what to do."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from holdfast.core.errors import ConfigurationError, StoreError
from holdfast.telemetry.rows import storable

DATABASE = "holdfast"

Parameters = Mapping[str, Any]
"""Values bound by name to `{name:Type}` in the SQL: never pasted into it."""

_SETTINGS = {
    "do_not_merge_across_partitions_select_final": 1,
    "max_partitions_per_insert_block": 0,
    "exclude_materialize_skip_indexes_on_insert": "by_text",
}
"""Equal calls end in the same nanosecond, so they are in one partition; and a replayed file may span any number of days.
The index over texts is made when parts are merged: at every insert it would take a third of the time."""

_ADVICE = (
    (
        "Error initializing EmbeddedServer",
        "another process holds this directory (chDB is one process per path), or it is not writable",
    ),
    ("already initialized with path", "this process has another embedded store open: close that one first"),
    ("NOT_ENOUGH_SPACE", "the disk is full: free space, or shorten the retention"),
    ("No space left", "the disk is full: free space, or shorten the retention"),
    ("MEMORY_LIMIT_EXCEEDED", "the store ran out of memory: ask for a shorter period, or give it more"),
    ("Unknown Index type", "this ClickHouse is too old: take 26.4 or a newer one"),
    ("AUTHENTICATION_FAILED", "the user name or password of the telemetry URL is wrong"),
    ("Connection refused", "nothing listens there: start ClickHouse, or correct the telemetry URL"),
)


class Connection:
    """A database of a chDB directory or of a ClickHouse server.

    Writes and reads have a client each, so that a long read does not hold up the pipeline.

    Args:
        dsn: ``chdb:///absolute/directory`` or ``http[s]://user:password@host:port/database``.

    Raises:
        ConfigurationError: `dsn` is neither.
        StoreError: the store cannot be opened.
    """

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        # The path is taken as it stands: a directory may have any character in its name.
        path = dsn.removeprefix("chdb://") if parts.scheme == "chdb" else ""
        if path.startswith("/"):
            self.place, database = path, DATABASE
            with _told(self.place):
                Path(path).mkdir(parents=True, exist_ok=True)
        elif parts.scheme in ("http", "https") and parts.hostname:
            self.place, database = f"{parts.scheme}://{parts.hostname}:{parts.port or 8123}", parts.path.strip("/") or DATABASE
        else:
            raise ConfigurationError("the telemetry URL must be chdb:///absolute/directory or http[s]://host:port/database")
        address = "" if path else parts._replace(path="").geturl()
        self._types: dict[str, dict[str, Any]] = {}
        self._write_lock = Lock()
        self._read_lock = Lock()
        with _told(self.place):
            self._writer = _client(path, address)
            try:
                self._writer.command("CREATE DATABASE IF NOT EXISTS {name:Identifier}", parameters={"name": database})
                self._writer.database = database
                self._reader = _client(path, address)
                self._reader.database = database
            except BaseException:
                self._writer.close()
                raise

    def command(self, sql: str, parameters: Parameters | None = None) -> None:
        """Runs a statement that returns nothing."""
        with self._write_lock, _told(self.place):
            self._writer.command(sql, parameters=_bound(parameters))

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Appends columns of equal length; all or nothing within a day's partition."""
        names = list(columns)
        with self._write_lock, _told(self.place):
            known = self._types.get(table)
            if known is None:
                context = self._writer.create_insert_context(table, names)
                known = self._types[table] = dict(zip(names, context.column_types, strict=True))
            types = [known[name] for name in names]
            self._writer.insert(table, list(columns.values()), column_names=names, column_types=types, column_oriented=True)

    def rows(self, sql: str, parameters: Parameters | None = None) -> Sequence[Sequence[Any]]:
        """The result, row by row."""
        columns = self.columns(sql, parameters)
        return list(zip(*columns, strict=True))

    def columns(self, sql: str, parameters: Parameters | None = None) -> list[Sequence[Any]]:
        """The result, column by column; a column `body` as bytes. An empty result has no columns."""
        with self._read_lock, _told(self.place):
            result = self._reader.query(sql, parameters=_bound(parameters), column_formats={"body": "bytes"})
            return list(result.result_columns)

    def close(self) -> None:
        """Lets go of the store; another path may then be opened in this process."""
        for client in (self._reader, self._writer):
            with suppress(ClickHouseError):
                client.close()


def _client(path: str, address: str) -> Client:
    if path:
        return clickhouse_connect.get_client(interface="chdb", path=path, settings=_SETTINGS)
    # A session would refuse the second of two queries at once.
    return clickhouse_connect.get_client(
        dsn=address, settings=_SETTINGS, autogenerate_session_id=False, connect_timeout=5, send_receive_timeout=60
    )


def _bound(parameters: Parameters | None) -> dict[str, Any]:
    return {
        name: storable(value) if isinstance(value, str) else [storable(v) for v in value] if isinstance(value, list) else value
        for name, value in (parameters or {}).items()
    }


@contextmanager
def _told(place: str) -> Iterator[None]:
    try:
        yield
    except (ClickHouseError, OSError) as error:
        message = str(error)
        advice = next((f": {text}" for sign, text in _ADVICE if sign in message), "")
        raise StoreError(
            f"telemetry store {place}{advice}: {message.splitlines()[0] if message else type(error).__name__}"
        ) from error
