from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from holdfast.core.errors import ConflictError, InputError, IntegrityError, NotFoundError
from holdfast.core.events import CommentAdded, Recorded
from holdfast.core.stream import StreamEvent
from holdfast.ledger.store import Ledger
from holdfast.ledger.streams import MAX_READ
from tests.ledger.examples import STORY, intruder


def said(text: str = "a", time_ns: int = 1) -> StreamEvent:
    return StreamEvent(time_ns=time_ns, actor="user:ada", type="Said", body=f'{{"type":"Said","text":"{text}"}}')


def test_events_come_back_in_order_with_versions_of_their_stream(ledger: Ledger) -> None:
    control, audit = ledger.stream("control"), ledger.stream("audit")
    control.append([said("one"), said("two")])
    audit.append([said("three")])
    written = control.append([said("four")])
    assert [(entry.seq, entry.version) for entry in written] == [(4, 3)]
    assert [entry.event for entry in control.read()] == [said("one"), said("two"), said("four")]
    assert (control.version(), audit.version(), ledger.stream("empty").version()) == (3, 1, 0)


def test_reading_goes_on_after_a_version_and_newest_goes_back_from_one(ledger: Ledger) -> None:
    stream = ledger.stream("control")
    stream.append([said(str(n)) for n in range(5)])
    assert [entry.version for entry in stream.read(2, 2)] == [3, 4]
    assert [entry.version for entry in stream.newest(2)] == [5, 4]
    assert [entry.version for entry in stream.newest(2, before=4)] == [3, 2]
    assert stream.read(5) == []


def test_streams_and_incidents_are_one_chain_that_verification_reads(ledger: Ledger) -> None:
    ledger.append(STORY[:3])
    ledger.stream("control").append([said()])
    ledger.append(STORY[3:])
    report = ledger.verify()
    assert (report.ok, report.rows) == (True, len(STORY) + 1)


def test_a_stream_is_no_incident(ledger: Ledger) -> None:
    ledger.stream("control").append([said()])
    assert ledger.incidents() == []
    assert ledger.rebuild() == 0
    with pytest.raises(NotFoundError):
        ledger.events("stream:control")
    with pytest.raises(InputError, match="is no incident but a stream"):
        ledger.append([Recorded(incident_id="stream:control", time_ns=1, actor="a", event=CommentAdded(text="x"))])


def test_another_version_than_expected_is_a_conflict_and_writes_nothing(ledger: Ledger) -> None:
    stream = ledger.stream("control")
    stream.append([said()], 0)
    for expected in (0, 2):
        with pytest.raises(ConflictError):
            stream.append([said("late")], expected)
    assert (stream.version(), ledger.anchor().seq) == (1, 1)


def test_of_many_that_are_decided_on_one_version_one_is_written(ledger: Ledger) -> None:
    stream = ledger.stream("control")

    def attempt(number: int) -> bool:
        try:
            stream.append([said(str(number))], 0)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert stream.version() == 1
    assert ledger.verify().ok


@pytest.mark.parametrize(
    "event",
    [
        StreamEvent(time_ns=1, actor="a", type="Said", body="{"),
        StreamEvent(time_ns=1, actor="a", type="Said", body="[]"),
        StreamEvent(time_ns=1, actor="a", type="Said", body='{"type":"Other"}'),
        StreamEvent(time_ns=1, actor="a", type="Said", body='{"type":"Said"}\0'),
        StreamEvent(time_ns=1, actor="\ud800", type="Said", body='{"type":"Said"}'),
        StreamEvent(time_ns=-1, actor="a", type="Said", body='{"type":"Said"}'),
        StreamEvent(time_ns=2**63, actor="a", type="Said", body='{"type":"Said"}'),
    ],
    ids=["broken", "no-object", "other-type", "nul", "surrogate", "before-time", "after-time"],
)
def test_what_cannot_be_kept_is_refused_with_all_that_came_with_it(ledger: Ledger, event: StreamEvent) -> None:
    with pytest.raises(InputError):
        ledger.stream("control").append([said(), event])
    assert ledger.stream("control").version() == 0


@pytest.mark.parametrize("name", ["", "Control", "a b", "a:b", "x" * 65, "é"], ids=ascii)
def test_a_name_is_lower_case_letters_digits_and_underscores(ledger: Ledger, name: str) -> None:
    with pytest.raises(InputError):
        ledger.stream(name)


@pytest.mark.parametrize("limit", [0, -1, MAX_READ + 1])
def test_a_page_is_bounded(ledger: Ledger, limit: int) -> None:
    with pytest.raises(InputError, match="limit"):
        ledger.stream("control").read(limit=limit)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE ledger_events SET body = replace(body, 'two', 'too') WHERE seq = 2", "hash does not match"),
        ("UPDATE ledger_events SET actor = 'eve' WHERE seq = 1", "hash does not match"),
        ("DELETE FROM ledger_events WHERE seq = 2", "missing between 1 and 3"),
        ("DELETE FROM ledger_events WHERE seq = 2", "versions missing"),
        ("UPDATE ledger_events SET version = 7 WHERE seq = 3", "versions missing"),
    ],
    ids=["body", "actor", "gap-in-chain", "gap-in-stream", "version"],
)
def test_tampering_with_a_stream_is_found_and_named(ledger: Ledger, ledger_url: str, statement: str, what: str) -> None:
    ledger.stream("control").append([said("one"), said("two"), said("three")])
    with intruder(ledger_url) as connection:
        connection.execute(sa.text(statement))
    found = ledger.verify().findings
    assert any(what in finding.what for finding in found), found


def test_a_row_that_is_no_event_is_named_on_reading(ledger: Ledger, ledger_url: str) -> None:
    ledger.stream("control").append([said()])
    if not ledger_url.startswith("sqlite"):
        pytest.skip("PostgreSQL's columns hold text only")
    with intruder(ledger_url) as connection:
        connection.execute(sa.text("UPDATE ledger_events SET body = x'ff'"))
    with pytest.raises(IntegrityError, match="event 1 cannot be read"):
        ledger.stream("control").read()
