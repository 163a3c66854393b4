import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from holdfast.ledger.chain import Anchor
from holdfast.ledger.store import Ledger
from tests.ledger.examples import STORY, comment, intruder, opened

_COLUMNS = "seq, incident_id, version, time_ns, actor, type, body, key, prev_hash, hash"
_TEXTS = ("incident_id", "actor", "type", "body", "key", "prev_hash", "hash")


def test_an_untouched_ledger_is_in_order(ledger: Ledger) -> None:
    ledger.append(STORY)
    report = ledger.verify()
    assert (report.ok, report.rows, report.anchor) == (True, 6, ledger.anchor())


def test_an_empty_ledger_is_in_order(ledger: Ledger) -> None:
    assert ledger.verify().ok
    assert ledger.verify().rows == 0


def test_more_events_than_a_page_are_all_read(ledger: Ledger) -> None:
    ledger.append([opened(), *(comment() for _ in range(1_100))])
    assert (ledger.verify().rows, ledger.verify().ok) == (1_101, True)


@pytest.mark.parametrize(
    ("statement", "seq", "what"),
    [
        ("UPDATE ledger_events SET actor = 'eve' WHERE seq = 3", 3, "hash does not match"),
        ("UPDATE ledger_events SET time_ns = time_ns + 1 WHERE seq = 1", 1, "hash does not match"),
        ("UPDATE ledger_events SET body = replace(body, 'last', 'best') WHERE seq = 6", 6, "hash does not match"),
        ("UPDATE ledger_events SET hash = 'f' WHERE seq = 2", 2, "hash does not match"),
        ("UPDATE ledger_events SET prev_hash = 'f' WHERE seq = 4", 4, "does not follow"),
        ("UPDATE ledger_events SET seq = 60 WHERE seq = 6", 5, "missing between 5 and 60"),
        ("UPDATE ledger_events SET seq = -1 WHERE seq = 1", 0, "missing"),
        ("DELETE FROM ledger_events WHERE seq = 3", 2, "1 event(s) missing between 2 and 4"),
        ("DELETE FROM ledger_events WHERE seq = 1", 0, "1 event(s) missing between 0 and 2"),
        ("DELETE FROM ledger_events WHERE seq > 4", 4, "the head says 6 events, the last one here is 4"),
        ("DELETE FROM ledger_events", 0, "the head says 6 events, the last one here is 0"),
        ("UPDATE ledger_head SET hash = 'f'", 6, "not the one that the head names"),
        ("UPDATE ledger_head SET seq = 5", 6, "the head says 5 events"),
        ("DELETE FROM ledger_head", 6, "head row is missing"),
        ("UPDATE incidents SET state = 'closed' WHERE id = 'inc_2'", 0, "other state than its events say"),
        ("UPDATE incidents SET title = 'harmless', severity = 'sev4' WHERE id = 'inc_2'", 0, "other severity, title"),
        ("DELETE FROM incidents WHERE id = 'inc_2'", 0, "is not shown"),
        ("UPDATE incidents SET id = 'inc_7' WHERE id = 'inc_2'", 0, "has no events"),
    ],
)
def test_tampering_is_found_and_named(ledger: Ledger, ledger_url: str, statement: str, seq: int, what: str) -> None:
    ledger.append(STORY)
    with intruder(ledger_url) as connection:
        connection.execute(sa.text(statement))
    found = ledger.verify().findings
    assert any(f.seq == seq and what in f.what for f in found), found


def test_one_changed_row_is_one_finding_in_the_chain(ledger: Ledger, ledger_url: str) -> None:
    ledger.append(STORY)
    with intruder(ledger_url) as connection:
        connection.execute(sa.text("UPDATE ledger_events SET actor = 'eve' WHERE seq = 3"))
    assert [f.seq for f in ledger.verify().findings if f.seq] == [3]


def test_a_ledger_written_anew_by_somebody_with_all_rights_is_found_by_an_anchor_noted_before(
    ledger: Ledger, ledger_url: str
) -> None:
    ledger.append(STORY)
    noted = ledger.anchor()
    with intruder(ledger_url) as connection:
        for table in ("ledger_events", "incidents"):
            connection.execute(sa.text(f"DELETE FROM {table}"))
        connection.execute(sa.text(f"UPDATE ledger_head SET seq = 0, hash = '{'0' * 64}'"))
    ledger.append([*STORY[:5], comment("nothing happened", "inc_2")])
    assert ledger.verify().ok
    assert [f.what for f in ledger.verify(noted).findings] == ["event 6 is not the event of the anchor that was noted before"]


def test_an_anchor_beyond_the_end_says_that_the_tail_is_gone(ledger: Ledger) -> None:
    ledger.append(STORY)
    assert "anchor" in ledger.verify(Anchor(9, "f" * 64)).findings[0].what


def test_an_anchor_from_the_middle_still_holds_later(ledger: Ledger) -> None:
    ledger.append(STORY[:3])
    noted = ledger.anchor()
    ledger.append(STORY[3:])
    assert ledger.verify(noted).ok


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pristine") / "ledger.db"
    with Ledger(f"sqlite:///{path}") as ledger:
        ledger.append(STORY)
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.commit()
    return path


def found_after(pristine: Path, *statements: tuple[str, tuple[object, ...]]) -> bool:
    """Whether verification finds what these statements did to a copy."""
    copy = pristine.with_name("copy.db")
    for leftover in pristine.parent.glob("copy.db*"):
        leftover.unlink()
    shutil.copy(pristine, copy)
    with closing(sqlite3.connect(copy)) as connection:
        for sql, values in statements:
            connection.execute(sql, values)
        connection.commit()
    with Ledger(f"sqlite:///{copy}") as ledger:
        return not ledger.verify().ok


_quickly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_quickly
@given(st.integers(1, 6), st.sampled_from(_TEXTS), st.data())
def test_any_changed_byte_of_any_text_is_found(pristine: Path, seq: int, column: str, data: st.DataObject) -> None:
    with closing(sqlite3.connect(pristine)) as connection:
        (before,) = connection.execute(f"SELECT CAST({column} AS BLOB) FROM ledger_events WHERE seq = ?", (seq,)).fetchone()
    assume(before)
    at = data.draw(st.integers(0, len(before) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != before[at]))
    after = before[:at] + bytes([byte]) + before[at + 1 :]
    as_text = data.draw(st.booleans())
    value = "CAST(? AS TEXT)" if as_text else "?"
    assert found_after(pristine, (f"UPDATE ledger_events SET {column} = {value} WHERE seq = ?", (after, seq)))


@_quickly
@given(
    st.integers(1, 6), st.sampled_from(["seq", "version", "time_ns"]), st.integers(-(2**63), 2**63 - 1) | st.binary() | st.text()
)
def test_any_changed_number_is_found(pristine: Path, seq: int, column: str, value: object) -> None:
    with closing(sqlite3.connect(pristine)) as connection:
        (before,) = connection.execute(f"SELECT {column} FROM ledger_events WHERE seq = ?", (seq,)).fetchone()
        (stored,) = connection.execute("SELECT CAST(? AS INTEGER) WHERE typeof(?) != 'blob'", (value, value)).fetchone() or (
            None,
        )
    assume(stored != before)
    others = {1, 2, 3, 4, 5, 6} - {seq}
    assume(column != "seq" or stored not in others)
    assume(column != "version" or stored not in range(1, 5))
    assert found_after(pristine, (f"UPDATE ledger_events SET {column} = ? WHERE seq = ?", (value, seq)))


@_quickly
@given(st.sets(st.integers(1, 6), min_size=1))
def test_any_missing_rows_are_found(pristine: Path, gone: set[int]) -> None:
    marks = ", ".join("?" * len(gone))
    assert found_after(pristine, (f"DELETE FROM ledger_events WHERE seq IN ({marks})", tuple(gone)))


@_quickly
@given(st.permutations(range(1, 7)))
def test_any_other_order_is_found(pristine: Path, order: list[int]) -> None:
    assume(order != sorted(order))
    away = ("UPDATE ledger_events SET seq = seq + 100", ())
    back = [("UPDATE ledger_events SET seq = ? WHERE seq = ?", (new, old + 100)) for old, new in enumerate(order, start=1)]
    assert found_after(pristine, away, *back)


@_quickly
@given(st.integers(1, 6), st.sampled_from([-1, 0, 7, 8, 1_000]))
def test_a_row_put_in_anywhere_is_found(pristine: Path, source: int, seq: int) -> None:
    columns = _COLUMNS.replace("seq, ", "", 1).replace("version", "version + 50").replace(" key", " ''")
    sql = f"INSERT INTO ledger_events ({_COLUMNS}) SELECT ?, {columns} FROM ledger_events WHERE seq = ?"
    assert found_after(pristine, (sql, (seq, source)))


def test_the_untouched_copy_is_in_order(pristine: Path) -> None:
    assert not found_after(pristine)


def test_text_that_is_no_utf8_in_an_id_is_found_and_not_a_crash(pristine: Path) -> None:
    assert found_after(pristine, ("UPDATE ledger_events SET incident_id = CAST(x'ff00fe' AS TEXT) WHERE seq = 2", ()))
    assert found_after(pristine, ("UPDATE incidents SET id = CAST(x'ff' AS TEXT) WHERE id = 'inc_1'", ()))


def test_a_thousand_findings_are_enough(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    with Ledger(url) as ledger:
        ledger.append([opened(), *(comment() for _ in range(1_050))])
        with intruder(url) as connection:
            connection.execute(sa.text("UPDATE ledger_events SET actor = 'eve'"))
        report = ledger.verify()
    assert (len(report.findings), report.rows) == (1_000, 1_051)
