"""The vault's table as of its newest migration."""

import sqlalchemy as sa

METADATA = sa.MetaData()

VERSION_TABLE = "vault_version"
"""Where Alembic notes how far a database was migrated."""

ORIGINALS = sa.Table(
    "vault_originals",
    METADATA,
    sa.Column("application", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("digits", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("seen_ns", sa.BigInteger, nullable=False),
)
"""One row for each different value of an application. `code` is the whole keyed hash of it and `digits`, the pseudonym, its
beginning: two values that share a pseudonym by chance are two rows. `seen_ns` is when it was last found."""

sa.Index("vault_originals_seen", ORIGINALS.c.application, ORIGINALS.c.seen_ns)
