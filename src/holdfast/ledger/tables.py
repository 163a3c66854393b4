"""The ledger's tables as of its newest migration."""

import sqlalchemy as sa

METADATA = sa.MetaData()

VERSION_TABLE = "ledger_version"
"""Where Alembic notes how far a database was migrated."""

EVENTS = sa.Table(
    "ledger_events",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("incident_id", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("time_ns", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("prev_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
"""The truth: one row per event. `seq` counts from 1 without a gap over the whole ledger, `version` within an incident."""

sa.Index("ledger_events_version", EVENTS.c.incident_id, EVENTS.c.version, unique=True)
sa.Index("ledger_events_key", EVENTS.c.key, unique=True, sqlite_where=EVENTS.c.key != "", postgresql_where=EVENTS.c.key != "")

HEAD = sa.Table(
    "ledger_head",
    METADATA,
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
"""One row: number and hash of the last event. Writers lock it, and verification finds a cut tail by it."""

INCIDENTS = sa.Table(
    "incidents",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("opened_seq", sa.BigInteger, nullable=False),
    sa.Column("opened_ns", sa.BigInteger, nullable=False),
    sa.Column("detected_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("assignee", sa.Text, nullable=False),
    sa.Column("cohort", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""The fold of each incident, for lists and look-ups. Derived: `Ledger.rebuild` makes it anew from the events."""

sa.Index("incidents_opened", INCIDENTS.c.opened_seq, unique=True)
sa.Index("incidents_state", INCIDENTS.c.state, INCIDENTS.c.opened_seq)

USERS = sa.Table(
    "users",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("grants", sa.Text, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
)
"""Accounts. `password` is an argon2 hash, empty for single sign-on; `subject` is issuer and subject there, else empty."""

_told = USERS.c.subject != ""
sa.Index("users_subject", USERS.c.subject, unique=True, sqlite_where=_told, postgresql_where=_told)

TOKENS = sa.Table(
    "tokens",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False, unique=True),
    sa.Column("grants", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("expires_ns", sa.BigInteger, nullable=False),
    sa.Column("revoked_ns", sa.BigInteger, nullable=False),
)
"""API tokens by the hash of their secret. `revoked_ns` 0: not revoked."""

SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("seen_ns", sa.BigInteger, nullable=False),
)
"""Browsers that are signed in, by the hash of their cookie."""

sa.Index("sessions_user", SESSIONS.c.user)
