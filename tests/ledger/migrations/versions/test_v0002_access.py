from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from holdfast.ledger import migrations
from holdfast.ledger.migrations.versions import v0002_access
from holdfast.ledger.store import Ledger
from tests.ledger.examples import STORY


def test_a_ledger_from_before_gets_its_tables_and_keeps_its_events(ledger_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = sa.create_engine(ledger_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert "users" not in sa.inspect(connection).get_table_names()
    engine.dispose()
    with Ledger(ledger_url) as ledger:
        ledger.append(STORY)
        assert ledger.accounts.users() == []
        assert ledger.verify().ok


def test_a_ledger_is_not_taken_down() -> None:
    with pytest.raises(NotImplementedError, match="restore a backup"):
        v0002_access.downgrade()
