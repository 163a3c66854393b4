"""Where Alembic starts: migrates on the connection, and inside the transaction, that `holdfast.ledger.database` hands over."""

from alembic import context

from holdfast.vault.tables import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
context.run_migrations()
