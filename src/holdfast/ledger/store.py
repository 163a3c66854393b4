"""`Ledger`: appends events to the chain, and shows the incidents that they fold to."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from holdfast.core.errors import ConflictError, InputError, NotFoundError
from holdfast.core.events import IncidentMerged, Recorded, apply, fold
from holdfast.core.incident import Incident, State
from holdfast.core.stream import StreamEvent
from holdfast.ledger.accounts import ACCESS, Accounts
from holdfast.ledger.chain import STREAM_PREFIX, Anchor, Entry, entry_of, is_text, must_be_storable, row_of
from holdfast.ledger.database import Database
from holdfast.ledger.head import head_of, move_head
from holdfast.ledger.listing import IncidentPage, IncidentQuery, count_by_state, list_incidents
from holdfast.ledger.projection import incident_in, incident_of
from holdfast.ledger.streams import Stream, append_in, stream_id
from holdfast.ledger.tables import EVENTS, INCIDENTS
from holdfast.ledger.verify import PAGE, VerifyReport, verify

MAX_LISTED = 1_000
"""Incidents in one page, at most."""


class Written(msgspec.Struct, frozen=True):
    """That an incident got an event."""

    seq: int
    incident_id: str
    version: int
    event: str
    service: str


class Ledger:
    """All incidents of all applications, as append-only, hash-chained events. Safe for many threads and processes.

    Args:
        url: ``sqlite:////absolute/file.db`` or ``postgresql://user:password@host:port/database``. Tables are made, or brought
            to this version, on opening.

    Raises:
        ConfigurationError: `url` is neither.
        StoreError: it cannot be opened, or a newer Holdfast wrote it. Every method raises it when the database refuses.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.accounts = Accounts(self._database)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()

    def append(
        self, recorded: Iterable[Recorded], expected_version: int | None = None, noted: StreamEvent | None = None
    ) -> list[Entry]:
        """Writes events in this order, all or none, and returns those that were written.

        An event whose non-empty `key` the ledger has already is left out, before anything else is asked of it.

        Args:
            recorded: events of any number of incidents.
            expected_version: version of the incident that the caller decided on, 0 for one that must not exist yet;
                all events must then be of one incident.
            noted: goes to the stream `access` in the same transaction, unless every event was left out.

        Raises:
            ConflictError: the incident is at another version.
            TransitionError: an event is not allowed in the state that it meets.
            NotFoundError: an incident to merge into does not exist.
            InputError: an event cannot be kept as it is.
        """
        events = list(recorded)
        for event in events:
            must_be_storable(event)
        if expected_version is not None and len({r.incident_id for r in events}) > 1:
            raise InputError("expected_version speaks of one incident, these events of several", "recorded")
        if not events:
            return []
        with self._database.writing() as connection:
            batch = _Batch(connection)
            known = _known_keys(connection, {r.key for r in events if r.key})
            for event in events:
                if event.key in known:
                    continue
                if event.key:
                    known.add(event.key)
                if expected_version is not None and not batch.rows:
                    batch.must_be_at(event.incident_id, expected_version)
                batch.add(event)
            batch.write()
            if noted is not None and batch.rows:
                append_in(connection, stream_id(ACCESS), [noted])
        return [entry_of(row) for row in batch.rows]

    def incident(self, id_or_prefix: str) -> Incident:
        """The incident of this id, or the only one whose id begins so (with or without ``inc_``).

        Raises:
            NotFoundError: there is none, or more than one.
        """
        if not is_text(id_or_prefix):
            raise NotFoundError(f"no incident {id_or_prefix!r}")
        with self._database.reading() as connection:
            exact = connection.execute(sa.select(INCIDENTS).where(INCIDENTS.c.id == id_or_prefix)).mappings().one_or_none()
            if exact is not None:
                return incident_in(exact)
            found = connection.execute(_beginning_with(id_or_prefix)).mappings().all() if id_or_prefix else ()
        if len(found) == 1:
            return incident_in(found[0])
        if not found:
            raise NotFoundError(f"no incident {id_or_prefix!r}")
        raise NotFoundError(f"{id_or_prefix!r} could be any of {', '.join(row['id'] for row in found)}: give more of the id")

    def incidents(
        self, states: Collection[State] | None = None, service: str = "", limit: int = 100, before: str = ""
    ) -> list[Incident]:
        """Incidents, the last opened first.

        Args:
            states: only those in one of these states; None or empty means any.
            service: only those of this application; empty means any.
            limit: at most so many, in [1, 1000].
            before: id of the last incident of the page before; those opened before it follow.

        Raises:
            NotFoundError: there is no incident `before`.
            InputError: `limit` is out of range, or a name is no text.
        """
        if not 1 <= limit <= MAX_LISTED:
            raise InputError(f"must be from 1 to {MAX_LISTED}, not {limit}", "limit")
        for name in (service, before):
            if not is_text(name):
                raise InputError(f"{name!r} holds NUL or a lone surrogate", "service or before")
        query = sa.select(INCIDENTS).order_by(INCIDENTS.c.opened_seq.desc()).limit(limit)
        if states:
            query = query.where(INCIDENTS.c.state.in_([State(s).value for s in states]))
        if service:
            query = query.where(INCIDENTS.c.service == service)
        with self._database.reading() as connection:
            if before:
                seq = connection.execute(sa.select(INCIDENTS.c.opened_seq).where(INCIDENTS.c.id == before)).scalar()
                if seq is None:
                    raise NotFoundError(f"no incident {before!r}")
                query = query.where(INCIDENTS.c.opened_seq < seq)
            rows = connection.execute(query).mappings().all()
        return [incident_in(row) for row in rows]

    def page(self, query: IncidentQuery) -> IncidentPage:
        """Incidents by filters and in an order.

        Raises:
            InputError: as in `holdfast.ledger.listing.list_incidents`.
        """
        with self._database.reading() as connection:
            return list_incidents(connection, query)

    def counts(self, services: frozenset[str] | None = None) -> dict[State, int]:
        """How many incidents are in each state, of these applications; None means all."""
        with self._database.reading() as connection:
            return count_by_state(connection, services)

    def written_since(self, seq: int, limit: int = 500) -> list[Written]:
        """Which incidents got events after number `seq` of the ledger, oldest first, at most `limit` events."""
        joined = EVENTS.join(INCIDENTS, INCIDENTS.c.id == EVENTS.c.incident_id)
        columns = (EVENTS.c.seq, EVENTS.c.incident_id, EVENTS.c.version, EVENTS.c.type, INCIDENTS.c.service)
        query = sa.select(*columns).select_from(joined).where(EVENTS.c.seq > seq).order_by(EVENTS.c.seq).limit(limit)
        with self._database.reading() as connection:
            return [Written(*row) for row in connection.execute(query)]

    def entry_of_key(self, key: str) -> Entry | None:
        """The event that was written under this key."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(EVENTS).where(EVENTS.c.key == key)).mappings().one_or_none()
        return entry_of(row) if row else None

    def events(self, incident_id: str) -> list[Entry]:
        """The events of an incident, oldest first, with their hashes.

        Raises:
            NotFoundError: there is no such incident.
            IntegrityError: an event cannot be read.
        """
        query = sa.select(EVENTS).where(EVENTS.c.incident_id == incident_id).order_by(EVENTS.c.seq)
        if not is_text(incident_id) or incident_id.startswith(STREAM_PREFIX):
            raise NotFoundError(f"no incident {incident_id!r}")
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        if not rows:
            raise NotFoundError(f"no incident {incident_id!r}")
        return [entry_of(row) for row in rows]

    def stream(self, name: str) -> Stream:
        """The stream of this name: events in the same chain that are not of an incident.

        Raises:
            InputError: the name is not lower case letters, digits and underscores.
        """
        return Stream(self._database, name)

    def anchor(self) -> Anchor:
        """Number and hash of the last event. Noted outside the database, it lets `verify` prove more: see there."""
        with self._database.reading() as connection:
            return head_of(connection)

    def verify(self, expected: Anchor | None = None) -> VerifyReport:
        """Finds events that were changed, removed, reordered, put in or cut off, and incidents shown other than they fold.

        The chain alone cannot tell a ledger that somebody with all rights wrote anew from its own: `expected`, an anchor
        noted elsewhere before, can.
        """
        with self._database.reading() as connection:
            return verify(connection, expected)

    def rebuild(self) -> int:
        """Makes the shown incidents anew from the events, and returns how many there are.

        Raises:
            IntegrityError: an event cannot be read; nothing is changed then.
            TransitionError: events do not fold; nothing is changed then.
        """
        with self._database.writing() as connection:
            head_of(connection, lock=True)
            connection.execute(sa.delete(INCIDENTS))
            first = sa.and_(EVENTS.c.version == 1, EVENTS.c.incident_id.not_like(f"{STREAM_PREFIX}%"))
            opened = sa.select(EVENTS.c.seq, EVENTS.c.incident_id).where(first).order_by(EVENTS.c.seq)
            count, after = 0, 0
            while page := connection.execute(opened.where(EVENTS.c.seq > after).limit(PAGE)).all():
                connection.execute(sa.insert(INCIDENTS), [_refolded(connection, row.incident_id) for row in page])
                count, after = count + len(page), page[-1].seq
        return count


class _Shown(msgspec.Struct):
    """An incident while events are added to it."""

    incident: Incident
    opened_seq: int
    opened_ns: int
    updated_ns: int
    stored: bool

    def row(self) -> dict[str, Any]:
        return incident_of(self.incident, self.opened_seq, self.opened_ns, self.updated_ns)


class _Batch:
    """Events on their way into the ledger, within one transaction that holds the head."""

    def __init__(self, connection: sa.Connection) -> None:
        self.rows: list[dict[str, Any]] = []
        self._connection = connection
        self._head = head_of(connection, lock=True)
        self._shown: dict[str, _Shown | None] = {}
        self._touched: dict[str, _Shown] = {}

    def must_be_at(self, incident_id: str, version: int) -> None:
        shown = self._load(incident_id)
        found = shown.incident.version if shown else 0
        if found != version:
            raise ConflictError(f"{incident_id} is at version {found}, not {version}: somebody else changed it")

    def add(self, recorded: Recorded) -> None:
        shown = self._load(recorded.incident_id)
        incident = apply(shown.incident if shown else None, recorded)
        if isinstance(recorded.event, IncidentMerged) and self._load(recorded.event.into) is None:
            raise NotFoundError(f"no incident {recorded.event.into!r} to merge {recorded.incident_id} into")
        row = row_of(recorded, incident.version, self._head)
        if shown is None:
            shown = _Shown(incident, row["seq"], recorded.time_ns, recorded.time_ns, stored=False)
        else:
            shown.incident, shown.updated_ns = incident, recorded.time_ns
        self._shown[recorded.incident_id] = self._touched[recorded.incident_id] = shown
        self.rows.append(row)
        self._head = Anchor(row["seq"], row["hash"])

    def write(self) -> None:
        if not self.rows:
            return
        self._connection.execute(sa.insert(EVENTS), self.rows)
        move_head(self._connection, self._head)
        for shown in self._touched.values():
            row = shown.row()
            if shown.stored:
                self._connection.execute(sa.update(INCIDENTS).where(INCIDENTS.c.id == row["id"]).values(row))
            else:
                self._connection.execute(sa.insert(INCIDENTS), row)

    def _load(self, incident_id: str) -> _Shown | None:
        if incident_id not in self._shown:
            query = sa.select(INCIDENTS).where(INCIDENTS.c.id == incident_id)
            row = self._connection.execute(query).mappings().one_or_none()
            self._shown[incident_id] = None if row is None else _stored(row)
        return self._shown[incident_id]


def _known_keys(connection: sa.Connection, keys: Collection[str]) -> set[str]:
    wanted, known = sorted(keys), set[str]()
    for begin in range(0, len(wanted), PAGE):
        query = sa.select(EVENTS.c.key).where(EVENTS.c.key.in_(wanted[begin : begin + PAGE]))
        known.update(connection.execute(query).scalars())
    return known


def _beginning_with(prefix: str) -> sa.Select[Any]:
    def begins(text: str) -> sa.ColumnElement[bool]:
        return sa.func.substr(INCIDENTS.c.id, 1, len(text)) == text

    either = sa.or_(begins(prefix), begins(f"inc_{prefix}"))
    return sa.select(INCIDENTS).where(either).order_by(INCIDENTS.c.id).limit(5)


def _stored(row: sa.RowMapping) -> _Shown:
    return _Shown(incident_in(row), row["opened_seq"], row["opened_ns"], row["updated_ns"], stored=True)


def _refolded(connection: sa.Connection, incident_id: str) -> dict[str, Any]:
    query = sa.select(EVENTS).where(EVENTS.c.incident_id == incident_id).order_by(EVENTS.c.seq)
    rows = connection.execute(query).mappings().all()
    incident = fold(entry_of(row).recorded for row in rows)
    return incident_of(incident, rows[0]["seq"], rows[0]["time_ns"], rows[-1]["time_ns"])
