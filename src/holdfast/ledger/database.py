"""Engine, transactions and migrations on SQLite and PostgreSQL; errors that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from holdfast.core.errors import ConfigurationError, StoreError
from holdfast.ledger.tables import VERSION_TABLE

WAIT_S = 30
"""How long a writer waits for the others before it gives up."""
SCRUB_MS = 500
"""How long the emptying of SQLite's log waits for readers."""

_WRITING = {"holdfast_writing": True}

_ADVICE = (
    ("database is locked", f"another process has been writing for over {WAIT_S} s: stop it, or try again"),
    ("lock timeout", f"another process has been writing for over {WAIT_S} s: stop it, or try again"),
    ("disk is full", "the disk is full: free space"),
    ("No space left", "the disk is full: free space"),
    ("unable to open database file", "the file cannot be opened: check that its directory exists and is writable"),
    ("readonly database", "the file is not writable for this user"),
    ("file is not a database", "the file is no SQLite database: choose another, or restore a backup"),
    ("malformed", "the file is damaged: restore a backup"),
    ("append-only", "events are never changed or deleted"),
    ("password authentication failed", "the user name or password of its URL is wrong"),
    ("Connection refused", "nothing listens there: start PostgreSQL, or correct its URL"),
    ("does not exist", "create the database first, or correct its URL"),
)

_migrating = Lock()
"""Alembic keeps its context in a module: one migration at a time in a process."""


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """Which tables a database holds: their name for people, the folder of their Alembic migrations, where those are noted."""

    name: str
    migrations: Path
    version_table: str


LEDGER = Schema(name="ledger", migrations=Path(__file__).parent / "migrations", version_table=VERSION_TABLE)


class Database:
    """A migrated SQLite file or PostgreSQL database.

    Args:
        url: ``sqlite:////absolute/file.db`` or ``postgresql://user:password@host:port/database``.
        schema: which tables it is to hold.

    Raises:
        ConfigurationError: `url` is neither.
        StoreError: it cannot be opened, or a newer Holdfast wrote it.
    """

    def __init__(self, url: str, schema: Schema = LEDGER) -> None:
        self._schema = schema
        address = _address(url, schema.name)
        self.place = address.render_as_string(hide_password=True)
        self._engine = _engine(address)
        try:
            with self.told():
                self._migrate()
        except BaseException:
            self._engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the database throughout."""
        with self.told(), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that may write. On SQLite it is the only one; on PostgreSQL the caller locks what it goes on from."""
        with self.told(), self._engine.connect().execution_options(**_WRITING) as connection, connection.begin():
            yield connection

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turns the library's errors into `StoreError`."""
        try:
            yield
        except SQLAlchemyError as error:
            message = str(getattr(error, "orig", None) or error)
            advice = next((f": {text}" for sign, text in _ADVICE if sign in message), "")
            raise StoreError(f"{self._named}{advice}: {message.splitlines()[0] if message else error!r}") from error
        except OSError as error:
            raise StoreError(f"{self._named}: {error}") from error

    @property
    def _named(self) -> str:
        return f"{self._schema.name} {self.place}"

    def scrub(self) -> None:
        """Takes what was deleted out of SQLite's log too, unless somebody reads at the moment; PostgreSQL vacuums by itself."""
        if self._engine.dialect.name != "sqlite":
            return
        with self.told():
            connection = self._engine.raw_connection()
            try:
                for pragma in (f"busy_timeout = {SCRUB_MS}", "wal_checkpoint(TRUNCATE)", f"busy_timeout = {WAIT_S * 1000}"):
                    connection.cursor().execute(f"PRAGMA {pragma}").close()
            finally:
                connection.close()

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    def _migrate(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(self._schema.migrations).replace("%", "%%"))
        scripts = ScriptDirectory.from_config(config)
        with self.reading() as connection:
            if self._revision(connection, scripts) == scripts.get_current_head():
                return
        with _migrating, self.writing() as connection:
            if connection.dialect.name == "postgresql":
                migration = f"holdfast {self._schema.name} migration"
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(migration))))
            if self._revision(connection, scripts) != scripts.get_current_head():
                config.attributes["connection"] = connection
                command.upgrade(config, "head")

    def _revision(self, connection: sa.Connection, scripts: ScriptDirectory) -> str | None:
        found = MigrationContext.configure(connection, opts={"version_table": self._schema.version_table}).get_current_revision()
        if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
            raise StoreError(
                f"{self._named} has schema {found}, this Holdfast knows up to {scripts.get_current_head()}: "
                f"run the newer Holdfast, or choose another {self._schema.name}"
            )
        return found


def _address(url: str, name: str) -> sa.URL:
    wrong = f"the {name} URL must be sqlite:////absolute/file.db or postgresql://host/database"
    try:
        address = sa.make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(wrong) from error
    if address.get_backend_name() == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() != "sqlite" or not address.database or address.database == ":memory:":
        raise ConfigurationError(wrong)
    return address


def _engine(address: sa.URL) -> sa.Engine:
    if address.get_backend_name() == "postgresql":
        options = f"-c lock_timeout={WAIT_S}s -c statement_timeout={2 * WAIT_S}s"
        return sa.create_engine(address, pool_pre_ping=True, connect_args={"connect_timeout": 5, "options": options})
    engine = sa.create_engine(address, connect_args={"timeout": WAIT_S})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Durable on return, readers beside the writer, deleted bytes overwritten, and transactions that begin when we say so."""
    connection.isolation_level = None
    # A tampered file may hold text that is no UTF-8: verification must be able to read it to name it.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    for pragma in (f"busy_timeout = {WAIT_S * 1000}", "journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("holdfast_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
