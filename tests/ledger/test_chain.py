import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import InputError, IntegrityError
from holdfast.core.events import CommentAdded, Recorded
from holdfast.ledger.chain import GENESIS, Anchor, entry_of, hash_of, is_text, must_be_storable, row_of
from tests.ledger.examples import STORY, comment, opened

START = Anchor(0, GENESIS)


def test_the_hash_can_be_calculated_by_anybody_from_the_documented_formula() -> None:
    row = row_of(comment("ünïcode\n"), 2, Anchor(4, "a" * 64))
    content = [5, "inc_1", 2, 30, "ada", "CommentAdded", '{"type":"CommentAdded","text":"ünïcode\\n"}', "", "a" * 64]
    assert row["hash"] == hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def test_the_hash_of_a_known_event_never_changes() -> None:
    assert row_of(opened(), 1, START)["hash"] == "d4ec4ef764a6a031045dfa80e9433ca96a36f167da41965aef7467b2d5e38636"


@pytest.mark.parametrize("recorded", STORY, ids=lambda r: type(r.event).__name__)
def test_an_event_comes_back_from_its_row(recorded: Recorded) -> None:
    entry = entry_of(row_of(recorded, 3, Anchor(8, "b" * 64)))
    assert (entry.recorded, entry.seq, entry.version, entry.prev_hash) == (recorded, 9, 3, "b" * 64)


@pytest.mark.parametrize("column", ["seq", "incident_id", "version", "time_ns", "actor", "type", "body", "key", "prev_hash"])
def test_every_column_is_in_the_hash(column: str) -> None:
    row = row_of(comment(), 2, START)
    changed = row | {column: row[column] + (1 if isinstance(row[column], int) else "x")}
    assert hash_of(changed) != row["hash"]


@given(st.text(), st.text())
def test_text_cannot_be_moved_from_one_column_to_the_next(actor: str, key: str) -> None:
    def hashed(actor: str, key: str) -> str:
        row: dict[str, Any] = row_of(comment(), 2, START) | {"actor": actor, "type": key}
        return hash_of(row)

    if is_text(actor) and is_text(key) and actor:
        assert hashed(actor, key) != hashed(actor[:-1], actor[-1] + key)


@pytest.mark.parametrize(
    ("column", "value"),
    [("actor", b"YWJj"), ("seq", "1"), ("seq", 1.0), ("version", True), ("body", None), ("key", "\ud800")],
)
def test_a_column_of_the_wrong_type_is_no_row(column: str, value: object) -> None:
    with pytest.raises(IntegrityError):
        hash_of(row_of(comment(), 2, START) | {column: value})


@pytest.mark.parametrize(
    "body", ["", "{", "null", "[]", '{"type":"Nonsense"}', '{"type":"CommentAdded"}', b"\xff", None, 7, "[" * 5_000]
)
def test_a_body_that_is_no_event_is_an_integrity_error(body: object) -> None:
    with pytest.raises(IntegrityError, match="event 1 cannot be read"):
        entry_of(row_of(comment(), 2, START) | {"body": body})


@pytest.mark.parametrize("text", ["nul\0", "\ud800", "ok\udfff"])
def test_ids_that_a_database_cannot_hold_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="incident_id"):
        must_be_storable(comment(incident_id=text))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_said(text: str) -> None:
    recorded = comment(text)
    assert entry_of(row_of(recorded, 1, START)).recorded.event == CommentAdded(text=text)


@pytest.mark.parametrize(
    ("value", "expected"), [("ü", True), ("", True), ("\0", False), ("\ud800", False), (b"a", False), (1, False)]
)
def test_text_is_what_both_databases_hold(value: object, expected: bool) -> None:
    assert is_text(value) is expected
