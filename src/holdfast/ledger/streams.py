"""`Stream`: events that are not of an incident, in the same hash chain. Whoever owns a stream folds it."""

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from holdfast.core.errors import ConflictError, InputError
from holdfast.core.stream import StreamEntry, StreamEvent
from holdfast.ledger.chain import STREAM_PREFIX, Anchor, Row, row_of_stream, stream_event_in
from holdfast.ledger.database import Database
from holdfast.ledger.head import head_of, move_head
from holdfast.ledger.tables import EVENTS

MAX_READ = 5_000

_NAME = re.compile(r"[a-z0-9_]{1,64}")


class Stream:
    """One stream of a ledger. Safe for many threads and processes.

    Raises:
        InputError: the name is not lower case letters, digits and underscores.
    """

    def __init__(self, database: Database, name: str) -> None:
        self.id = stream_id(name)
        self._database = database

    def append(self, events: Sequence[StreamEvent], expected_version: int | None = None) -> list[StreamEntry]:
        """Writes events in this order, all or none.

        Args:
            events: what happened.
            expected_version: version of the stream that the caller decided on, 0 for an empty one.

        Raises:
            ConflictError: the stream is at another version.
            InputError: an event cannot be kept as it is.
        """
        with self._database.writing() as connection:
            return append_in(connection, self.id, events, expected_version)

    def read(self, after: int = 0, limit: int = MAX_READ) -> list[StreamEntry]:
        """Events of a version above `after`, oldest first, at most `limit`.

        Raises:
            InputError: `limit` is not in [1, 5000].
            IntegrityError: an event cannot be read.
        """
        query = sa.select(EVENTS).where(EVENTS.c.incident_id == self.id, EVENTS.c.version > after)
        return self._entries(query.order_by(EVENTS.c.version), limit)

    def newest(self, limit: int = MAX_READ, before: int = 0) -> list[StreamEntry]:
        """Events, newest first, at most `limit`; with `before`, only those of a lower version.

        Raises:
            InputError: `limit` is not in [1, 5000].
            IntegrityError: an event cannot be read.
        """
        query = sa.select(EVENTS).where(EVENTS.c.incident_id == self.id)
        if before:
            query = query.where(EVENTS.c.version < before)
        return self._entries(query.order_by(EVENTS.c.version.desc()), limit)

    def version(self) -> int:
        """How many events there are."""
        with self._database.reading() as connection:
            return _version(connection, self.id)

    def _entries(self, query: sa.Select[Any], limit: int) -> list[StreamEntry]:
        if not 1 <= limit <= MAX_READ:
            raise InputError(f"must be from 1 to {MAX_READ}, not {limit}", "limit")
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(query.limit(limit)).mappings()]


def stream_id(name: str) -> str:
    """What stands in the place of an incident's id.

    Raises:
        InputError: the name is not lower case letters, digits and underscores.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no stream's name: lower case letters, digits and underscores", "name")
    return f"{STREAM_PREFIX}{name}"


def append_in(
    connection: sa.Connection, identity: str, events: Sequence[StreamEvent], expected_version: int | None = None
) -> list[StreamEntry]:
    """`Stream.append` within a transaction that somebody else holds; `identity` is what `stream_id` gave."""
    head = head_of(connection, lock=True)
    version = _version(connection, identity)
    if expected_version is not None and version != expected_version:
        raise ConflictError(f"{identity} is at version {version}, not {expected_version}: somebody else changed it")
    rows = []
    for event in events:
        version += 1
        row = row_of_stream(identity, version, event, head)
        head = Anchor(row["seq"], row["hash"])
        rows.append(row)
    if rows:
        connection.execute(sa.insert(EVENTS), rows)
        move_head(connection, head)
    return [_entry(row) for row in rows]


def _entry(row: Row) -> StreamEntry:
    return StreamEntry(
        seq=row["seq"],
        version=row["version"],
        event=stream_event_in(row),
        prev_hash=row["prev_hash"],
        hash=row["hash"],
    )


def _version(connection: sa.Connection, identity: str) -> int:
    query = sa.select(sa.func.max(EVENTS.c.version)).where(EVENTS.c.incident_id == identity)
    return connection.execute(query).scalar() or 0
