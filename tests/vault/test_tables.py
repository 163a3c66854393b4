from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from holdfast.vault.store import Vault
from holdfast.vault.tables import METADATA, VERSION_TABLE


def test_migrations_make_the_tables_that_the_code_expects(vault: Vault) -> None:
    with vault._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
