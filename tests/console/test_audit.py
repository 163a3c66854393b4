"""Who did what, for administrators."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.console.conftest import Visitor


def test_every_write_is_listed_with_who_and_from_where(admin: Visitor, responder: Visitor) -> None:
    responder.submit("/incidents/inc_1", "/incidents/inc_1/acknowledge")
    text = admin.get("/audit").text
    for told in ("IncidentWritten", "user:responder-all", "testclient", "SignedIn", "UserAdded"):
        assert told in text


def test_only_administrators_see_it(responder: Visitor) -> None:
    assert responder.get("/audit").status_code == 403
    assert responder.submit("/", "/audit/verify").status_code == 403


def test_the_chain_is_verified_and_a_change_of_the_past_is_found(admin: Visitor, tmp_path: Path) -> None:
    assert "the chain holds" in admin.submit("/audit", "/audit/verify").text
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        connection.execute("DROP TRIGGER ledger_events_no_update")
        connection.execute("UPDATE ledger_events SET actor = 'nobody' WHERE seq = 1")
        connection.commit()
    assert "event 1 was changed" in admin.submit("/audit", "/audit/verify").text


def test_a_page_of_the_past_that_is_none_is_the_first_one(admin: Visitor) -> None:
    assert admin.get("/audit?before=many").status_code == 200
