"""Sealed originals."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "vault_originals",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("application", "entity", "digits", "code")),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("seen_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("vault_originals_seen", "vault_originals", ["application", "seen_ns"])


def downgrade() -> None:
    """Refuses: the table is all that there is."""
    raise NotImplementedError("to have no vault, stop the server and delete its file or its table")
