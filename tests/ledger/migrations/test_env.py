from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from holdfast.ledger import migrations


def config(connection: sa.Connection) -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent))
    made.attributes["connection"] = connection
    return made


def test_migrations_stay_within_the_transaction_that_they_are_given(ledger_url: str) -> None:
    engine = sa.create_engine(ledger_url)
    with engine.connect() as connection:
        transaction = connection.begin()
        command.upgrade(config(connection), "head")
        assert "ledger_events" in sa.inspect(connection).get_table_names()
        assert transaction.is_active
        transaction.rollback()
    engine.dispose()


def test_a_connection_must_be_handed_over() -> None:
    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with pytest.raises(KeyError, match="connection"):
        command.upgrade(made, "head")
