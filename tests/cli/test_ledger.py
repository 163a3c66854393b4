"""`ledger verify` finds what was changed behind the ledger's back."""

import sqlite3

from tests.cli.conftest import Shell


def test_a_ledger_that_was_left_alone_holds(with_incident: Shell) -> None:
    assert "4 events, the chain holds" in with_incident.run("ledger", "verify").output


def test_a_changed_event_is_found_and_the_exit_code_says_so(with_incident: Shell) -> None:
    connection = sqlite3.connect(with_incident.folder / ".holdfast" / "ledger.sqlite")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')
    connection.execute("UPDATE ledger_events SET actor = 'mallory' WHERE seq = 2")
    connection.commit()
    connection.close()
    assert "seq 2" in with_incident.run("ledger", "verify", code=1).stderr
