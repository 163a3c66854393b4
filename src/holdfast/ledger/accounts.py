"""Users, tokens and sessions: rows that change, each change noted in the chain in the same transaction."""

from typing import Any

import msgspec
import sqlalchemy as sa

from holdfast.core.errors import ConflictError, IntegrityError, NotFoundError
from holdfast.core.stream import StreamEvent
from holdfast.ledger.database import Database
from holdfast.ledger.head import head_of
from holdfast.ledger.streams import append_in, stream_id
from holdfast.ledger.tables import SESSIONS, TOKENS, USERS

ACCESS = "access"
"""The stream that says who did what from where."""

MAX_ACCOUNTS = 10_000


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account. `password` is the encoded hash, empty for single sign-on; `grants` application → role."""

    name: str
    password: str = ""
    subject: str = ""
    grants: dict[str, str] = {}
    disabled: bool = False
    created_ns: int = 0


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An API token, without its secret. `revoked_ns` is 0 while it is not."""

    id: str
    name: str
    sha256: str
    grants: dict[str, str]
    scopes: tuple[str, ...]
    created_by: str
    created_ns: int
    expires_ns: int
    revoked_ns: int = 0


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in."""

    sha256: str
    user: str
    csrf: str
    address: str
    created_ns: int
    seen_ns: int


_grants = msgspec.json.Decoder(dict[str, str]).decode
_scopes = msgspec.json.Decoder(tuple[str, ...]).decode


class Accounts:
    """The tables. Every method that writes takes the event that tells of it. Safe for many threads and processes.

    Raises:
        StoreError: the database refuses (every method).
        IntegrityError: a row cannot be read (every method that reads).
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, *events: StreamEvent) -> None:
        """Writes events that change no row, such as an export or a throttled login."""
        with self._database.writing() as connection:
            append_in(connection, stream_id(ACCESS), events)

    def user(self, name: str) -> User | None:
        """The account of this name."""
        return self._user(USERS.c.name == name)

    def user_of_subject(self, subject: str) -> User | None:
        """The account that single sign-on knows by this subject."""
        return self._user(USERS.c.subject == subject) if subject else None

    def users(self) -> list[User]:
        """All accounts by name."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(USERS).order_by(USERS.c.name).limit(MAX_ACCOUNTS)).mappings().all()
        return [_user(row) for row in rows]

    def add_user(self, user: User, noted: StreamEvent, first: bool = False) -> None:
        """Makes an account.

        Args:
            user: the account.
            noted: what is written in the chain.
            first: only while nobody manages users: of several who try at once, one succeeds.

        Raises:
            ConflictError: the name is taken, or `first` and somebody manages users.
        """
        with self._database.writing() as connection:
            head_of(connection, lock=True)
            if first and _has_administrator(connection):
                raise ConflictError("there is an administrator already: sign in, or ask them")
            if connection.execute(sa.select(USERS.c.name).where(USERS.c.name == user.name)).first():
                raise ConflictError(f"there is a user {user.name!r} already")
            connection.execute(sa.insert(USERS), _user_row(user))
            append_in(connection, stream_id(ACCESS), [noted])

    def has_administrator(self) -> bool:
        """Whether some account that is let in manages users."""
        with self._database.reading() as connection:
            return _has_administrator(connection)

    def change_user(self, user: User, noted: StreamEvent, may_be_last: bool = False) -> None:
        """Writes an account anew and ends its sessions, so that what was taken away is gone at once.

        Args:
            user: as it shall be.
            noted: what is written in the chain.
            may_be_last: even if nobody is left who can manage users: somebody else than us decides on it.

        Raises:
            NotFoundError: there is no such account.
            ConflictError: it would leave nobody who can manage users.
        """
        with self._database.writing() as connection:
            head_of(connection, lock=True)
            had = not may_be_last and _has_administrator(connection)
            changed = connection.execute(sa.update(USERS).where(USERS.c.name == user.name).values(_user_row(user)))
            if changed.rowcount != 1:
                raise NotFoundError(f"no user {user.name!r}")
            if had and not _has_administrator(connection):
                raise ConflictError("nobody would be left with the role admin on all applications")
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.user == user.name))
            append_in(connection, stream_id(ACCESS), [noted])

    def add_token(self, token: Token, noted: StreamEvent) -> None:
        """Keeps a token."""
        row = {**msgspec.structs.asdict(token), "grants": _json(token.grants), "scopes": _json(token.scopes)}
        with self._database.writing() as connection:
            head_of(connection, lock=True)
            connection.execute(sa.insert(TOKENS), row)
            append_in(connection, stream_id(ACCESS), [noted])

    def token_of(self, sha256: str) -> Token | None:
        """The token whose secret has this hash, revoked and expired ones included."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(TOKENS).where(TOKENS.c.sha256 == sha256)).mappings().one_or_none()
        return _token(row) if row else None

    def tokens(self) -> list[Token]:
        """All tokens, the newest first."""
        query = sa.select(TOKENS).order_by(TOKENS.c.created_ns.desc(), TOKENS.c.id).limit(MAX_ACCOUNTS)
        with self._database.reading() as connection:
            return [_token(row) for row in connection.execute(query).mappings()]

    def revoke_token(self, token_id: str, now_ns: int, noted: StreamEvent) -> None:
        """Ends a token.

        Raises:
            NotFoundError: there is none of this id that is not revoked.
        """
        with self._database.writing() as connection:
            head_of(connection, lock=True)
            which = sa.and_(TOKENS.c.id == token_id, TOKENS.c.revoked_ns == 0)
            if connection.execute(sa.update(TOKENS).where(which).values(revoked_ns=now_ns)).rowcount != 1:
                raise NotFoundError(f"no token {token_id!r} that is not revoked")
            append_in(connection, stream_id(ACCESS), [noted])

    def add_session(self, session: Session, noted: StreamEvent, expired_before_ns: int) -> None:
        """Keeps a session, and forgets those last seen before `expired_before_ns`."""
        with self._database.writing() as connection:
            head_of(connection, lock=True)
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.seen_ns < expired_before_ns))
            connection.execute(sa.insert(SESSIONS), msgspec.structs.asdict(session))
            append_in(connection, stream_id(ACCESS), [noted])

    def session_of(self, sha256: str) -> tuple[Session, User] | None:
        """The session whose cookie has this hash, with its account."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(SESSIONS).where(SESSIONS.c.sha256 == sha256)).mappings().one_or_none()
            if row is None:
                return None
            user = connection.execute(sa.select(USERS).where(USERS.c.name == row["user"])).mappings().one_or_none()
        return (Session(**row), _user(user)) if user else None

    def see_session(self, sha256: str, now_ns: int) -> None:
        """Notes that a session is in use."""
        with self._database.writing() as connection:
            connection.execute(sa.update(SESSIONS).where(SESSIONS.c.sha256 == sha256).values(seen_ns=now_ns))

    def end_session(self, sha256: str, noted: StreamEvent) -> None:
        """Forgets a session."""
        with self._database.writing() as connection:
            head_of(connection, lock=True)
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.sha256 == sha256))
            append_in(connection, stream_id(ACCESS), [noted])

    def _user(self, which: sa.ColumnElement[bool]) -> User | None:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(USERS).where(which)).mappings().one_or_none()
        return _user(row) if row else None


def _has_administrator(connection: sa.Connection) -> bool:
    enabled = connection.execute(sa.select(USERS.c.grants).where(USERS.c.disabled.is_(False))).scalars()
    return any(_grants(text).get("*") == "admin" for text in enabled)


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


def _user_row(user: User) -> dict[str, Any]:
    return {**msgspec.structs.asdict(user), "grants": _json(user.grants)}


def _user(row: sa.RowMapping) -> User:
    try:
        return User(**{**row, "grants": _grants(row["grants"]), "disabled": bool(row["disabled"])})
    except msgspec.MsgspecError as error:
        raise IntegrityError(f"user {row['name']} cannot be read: {error}") from error


def _token(row: sa.RowMapping) -> Token:
    try:
        return Token(**{**row, "grants": _grants(row["grants"]), "scopes": _scopes(row["scopes"])})
    except msgspec.MsgspecError as error:
        raise IntegrityError(f"token {row['id']} cannot be read: {error}") from error
