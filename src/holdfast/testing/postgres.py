"""A PostgreSQL of one's own: a cluster in a temporary directory, as nobody important, gone afterwards."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

START_S = 60
"""Seconds that starting or stopping the cluster may take."""

_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "50",
    "shared_buffers": "16MB",
}
"""Fast and forgetful. No port: it listens on a socket in its own directory, so clusters never meet."""


class MissingPostgresError(RuntimeError):
    """The PostgreSQL programs are not installed."""


class PostgresCluster:
    """A running cluster. Programs other than tests have no business with it.

    Args:
        directory: where its socket is.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://holdfast@/{database}?host={self.directory}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new, empty database; yields its URL, and drops it with whoever is still connected."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield self.url(name)
        finally:
            self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def execute(self, statement: sql.Composed) -> None:
        """Runs a statement as the owner of the cluster, outside a transaction."""
        with psycopg.connect(host=str(self.directory), user="holdfast", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgres() -> Iterator[PostgresCluster]:
    """Starts a cluster, and removes every trace of it at the end.

    PostgreSQL refuses to run as root: there it runs as `postgres`, or as `nobody` where that user does not exist.

    Raises:
        MissingPostgresError: `initdb` is nowhere; the message says how to install it.
        subprocess.CalledProcessError: it did not start.
    """
    programs = find_programs()
    # Short: the path of a Unix socket has at most 107 bytes, and a test's own directory may be longer.
    directory = Path(tempfile.mkdtemp(prefix="holdfast-pg-", dir="/tmp"))
    data = directory / "data"
    user = _owner()
    try:
        if user:
            shutil.chown(directory, user)
        _run(user, programs / "initdb", "--pgdata", data, "--username=holdfast", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in _SETTINGS.items())
        log = directory / "log"
        control = (programs / "pg_ctl", "--pgdata", data, "--wait", f"--timeout={START_S}")
        _run(user, *control, "--log", log, "--options", f"{options} -k {directory}", "start")
        try:
            yield PostgresCluster(directory)
        finally:
            _run(user, *control, "--mode=immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def find_programs(debian: Path = Path("/usr/lib/postgresql"), search: str | None = None) -> Path:
    """The directory of `initdb` and `pg_ctl`: the newest that Debian's packages installed, else the first on the path.

    Raises:
        MissingPostgresError: there is none.
    """
    installed = sorted(debian.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]) if path.parts[-3].isdigit() else 0)
    if installed:
        return installed[-1].parent
    found = shutil.which("initdb", path=search)
    if found is None:
        raise MissingPostgresError("these tests need PostgreSQL's programs: apt-get install postgresql")
    return Path(found).resolve().parent


def _owner() -> str:
    """Whom to run it as; empty: as who we are."""
    if os.geteuid() != 0:
        return ""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _run(user: str, *command: object) -> None:
    become = ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"] if user else []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
    arguments = [*become, *map(str, command)]
    subprocess.run(arguments, check=True, timeout=2 * START_S, cwd="/", env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
