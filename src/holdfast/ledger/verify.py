"""Verification: every event is where it was written and as it was written, and the incidents shown are what they fold to."""

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from holdfast.core.errors import IntegrityError, TransitionError
from holdfast.core.events import fold
from holdfast.ledger.chain import GENESIS, STREAM_PREFIX, Anchor, Row, entry_of, hash_of, is_text, type_in
from holdfast.ledger.projection import incident_of
from holdfast.ledger.tables import EVENTS, HEAD, INCIDENTS

PAGE = 500
MAX_FINDINGS = 1_000
"""Findings after which a report stops to name more."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it was written. `seq` is the event (or the last one before the place), 0 where none is meant."""

    seq: int
    what: str
    incident_id: str = ""


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What verification saw: events read, the anchor that the chain ends in, and the findings, at most `MAX_FINDINGS`."""

    rows: int
    anchor: Anchor
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing was found."""
        return not self.findings


def verify(connection: sa.Connection, expected: Anchor | None = None) -> VerifyReport:
    """Reads the whole ledger, in memory that grows with the ids of its incidents only.

    Args:
        connection: a transaction that sees one state of the database.
        expected: an anchor that was noted before; its event must still be there, unchanged.
    """
    walk = _Chain(expected)
    for row in _pages(connection):
        walk.step(row)
    walk.finish(connection)
    findings = walk.findings
    for finding in _projection(connection):
        findings.append(finding)
        if len(findings) >= MAX_FINDINGS:
            break
    return VerifyReport(rows=walk.rows, anchor=walk.last, findings=tuple(findings[:MAX_FINDINGS]))


class _Chain:
    """Walks the rows in order of `seq`."""

    def __init__(self, expected: Anchor | None) -> None:
        self.rows = 0
        self.last = Anchor(0, GENESIS)
        self.findings: list[Finding] = []
        self._expected = expected

    def step(self, row: Row) -> None:
        seq = row["seq"]
        self.rows += 1
        if type(seq) is not int:
            self._at_end(f"the event after {self.last.seq} has a number that is none: {seq!r}")
            return
        self._find_gap(seq)
        if row["prev_hash"] != self.last.hash:
            self._found(row, "does not follow the event before it")
        try:
            if hash_of(row) != row["hash"]:
                self._found(row, "was changed: its hash does not match its content")
            elif type_in(row) != row["type"]:
                self._found(row, f"is not the {row['type']} that it says it is")
        except IntegrityError as error:
            self._found(row, f"was changed: {error}")
        if self._expected is not None and seq == self._expected.seq and row["hash"] != self._expected.hash:
            self._found(row, "is not the event of the anchor that was noted before")
        self.last = Anchor(seq, row["hash"])

    def finish(self, connection: sa.Connection) -> None:
        heads = connection.execute(sa.select(HEAD.c.seq, HEAD.c.hash)).all()
        if len(heads) != 1:
            self._at_end(f"the head row is missing or doubled ({len(heads)} rows)")
        elif heads[0].seq != self.last.seq:
            self._at_end(f"the head says {heads[0].seq} events, the last one here is {self.last.seq}")
        elif heads[0].hash != self.last.hash:
            self._at_end("the last event is not the one that the head names")
        if self._expected is not None and self._expected.seq > self.last.seq:
            self._at_end(f"the anchor that was noted before is event {self._expected.seq}, the last one here is {self.last.seq}")

    def _find_gap(self, seq: int) -> None:
        missing = seq - self.last.seq - 1
        if missing:
            self._at_end(f"{missing} event(s) missing between {self.last.seq} and {seq}")

    def _found(self, row: Row, what: str) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(seq=row["seq"], what=f"event {row['seq']} {what}", incident_id=str(row["incident_id"])))

    def _at_end(self, what: str) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(seq=self.last.seq, what=what))


def _pages(connection: sa.Connection) -> Iterator[Row]:
    after: int | None = None
    while True:
        query = sa.select(EVENTS).order_by(EVENTS.c.seq).limit(PAGE)
        page = connection.execute(query if after is None else query.where(EVENTS.c.seq > after)).mappings().all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]["seq"]


def _projection(connection: sa.Connection) -> Iterator[Finding]:
    """Compares each incident shown with the fold of its events."""
    ids = sa.union(sa.select(EVENTS.c.incident_id), sa.select(INCIDENTS.c.id))
    for incident_id in sorted(connection.execute(ids).scalars(), key=repr):
        if not is_text(incident_id):
            what = "has an id that is no text"
        elif incident_id.startswith(STREAM_PREFIX):
            what = _gap(connection, incident_id)
        else:
            what = _difference(connection, incident_id)
        if what:
            kind = "" if str(incident_id).startswith(STREAM_PREFIX) else "incident "
            yield Finding(seq=0, what=f"{kind}{incident_id!r} {what}", incident_id=str(incident_id))


def _gap(connection: sa.Connection, stream_id: str) -> str:
    """A stream is what its owner folds it to; what the ledger can say is whether all of it is there."""
    if connection.execute(sa.select(INCIDENTS.c.id).where(INCIDENTS.c.id == stream_id)).first():
        return "is shown as an incident, but is a stream"
    query = sa.select(EVENTS.c.version).where(EVENTS.c.incident_id == stream_id).order_by(EVENTS.c.seq)
    versions = list(connection.execute(query).scalars())
    return "" if versions == list(range(1, len(versions) + 1)) else "has versions missing, doubled or out of order"


def _difference(connection: sa.Connection, incident_id: str) -> str:
    query = sa.select(EVENTS).where(EVENTS.c.incident_id == incident_id).order_by(EVENTS.c.seq)
    rows = connection.execute(query).mappings().all()
    shown = connection.execute(sa.select(INCIDENTS).where(INCIDENTS.c.id == incident_id)).mappings().one_or_none()
    if not rows:
        return "is shown, but has no events"
    if [row["version"] for row in rows] != list(range(1, len(rows) + 1)):
        return "has versions missing, doubled or out of order"
    if shown is None:
        return "has events, but is not shown: run rebuild"
    try:
        folded = fold(entry_of(row).recorded for row in rows)
    except (IntegrityError, TransitionError) as error:
        return f"cannot be folded: {error}"
    expected = incident_of(folded, rows[0]["seq"], rows[0]["time_ns"], rows[-1]["time_ns"])
    different = sorted(name for name, value in expected.items() if shown[name] != value)
    return f"is shown with other {', '.join(different)} than its events say: run rebuild" if different else ""
