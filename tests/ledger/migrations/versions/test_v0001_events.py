import pytest
import sqlalchemy as sa

from holdfast.ledger.migrations.versions import v0001_events
from holdfast.ledger.store import Ledger
from tests.ledger.examples import STORY, opened


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger_events SET seq = 99 WHERE seq = 1", "DELETE FROM ledger_events WHERE seq = 1"]
)
def test_events_can_neither_be_changed_nor_deleted(ledger: Ledger, ledger_url: str, statement: str) -> None:
    ledger.append(STORY)
    engine = sa.create_engine(ledger_url)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        connection.execute(sa.text(statement))
    engine.dispose()


def test_a_postgresql_ledger_cannot_be_truncated(postgres_url: str) -> None:
    with Ledger(postgres_url) as ledger:
        ledger.append([opened()])
    engine = sa.create_engine(postgres_url)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        connection.execute(sa.text("TRUNCATE ledger_events"))
    engine.dispose()


def test_a_ledger_is_not_taken_down() -> None:
    with pytest.raises(NotImplementedError, match="restore a backup"):
        v0001_events.downgrade()
