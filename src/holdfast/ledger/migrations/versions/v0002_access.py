"""Users, tokens and sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the tables. What happens to them is in the stream `access` of the chain."""
    users = op.create_table(
        "users",
        sa.Column("name", sa.Text, primary_key=True),
        *(_text(name) for name in ("password", "subject", "grants")),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
    )
    told = users.c.subject != ""
    op.create_index("users_subject", "users", ["subject"], unique=True, sqlite_where=told, postgresql_where=told)
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text, primary_key=True),
        _text("name"),
        sa.Column("sha256", sa.Text, nullable=False, unique=True),
        *(_text(name) for name in ("grants", "scopes", "created_by")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_ns", "expires_ns", "revoked_ns")),
    )
    op.create_table(
        "sessions",
        sa.Column("sha256", sa.Text, primary_key=True),
        *(_text(name) for name in ("user", "csrf", "address")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_ns", "seen_ns")),
    )
    op.create_index("sessions_user", "sessions", ["user"])


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


def downgrade() -> None:
    """Refuses: an append-only ledger is not taken down by a migration."""
    raise NotImplementedError("a ledger only goes forward: restore a backup instead")
