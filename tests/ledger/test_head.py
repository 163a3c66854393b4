import pytest
import sqlalchemy as sa

from holdfast.core.errors import IntegrityError
from holdfast.ledger.chain import GENESIS, Anchor
from holdfast.ledger.database import Database
from holdfast.ledger.head import head_of, move_head


def test_the_head_of_an_empty_ledger_is_what_the_first_event_follows(ledger_url: str) -> None:
    database = Database(ledger_url)
    with database.reading() as connection:
        assert head_of(connection) == Anchor(0, GENESIS)
    database.close()


def test_the_head_moves_with_the_transaction_and_not_without_it(ledger_url: str) -> None:
    database = Database(ledger_url)
    moved = Anchor(1, "a" * 64)

    def change_my_mind() -> None:
        with database.writing() as connection:
            assert head_of(connection, lock=True) == Anchor(0, GENESIS)
            move_head(connection, moved)
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        change_my_mind()
    with database.writing() as connection:
        assert head_of(connection) == Anchor(0, GENESIS)
        move_head(connection, moved)
    with database.reading() as connection:
        assert head_of(connection) == moved
    database.close()


def test_a_missing_head_is_an_integrity_error(ledger_url: str) -> None:
    database = Database(ledger_url)
    with database.writing() as connection:
        connection.execute(sa.text("DELETE FROM ledger_head"))
    with pytest.raises(IntegrityError, match="head row"), database.reading() as connection:
        head_of(connection)
    database.close()
