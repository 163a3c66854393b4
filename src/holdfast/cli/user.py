"""`holdfast user …`: accounts, for who can read the ledger's file anyway."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from holdfast.access.access import Access
from holdfast.access.roles import EVERYWHERE, Identity, Role
from holdfast.cli.console import ConfigOption, out, settings_of, told
from holdfast.core.clock import SystemClock, to_iso
from holdfast.core.errors import InputError
from holdfast.ledger.store import Ledger

app = typer.Typer(help="Accounts of API and console.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.")]
RoleOption = Annotated[
    list[str] | None, typer.Option("--role", metavar="[APPLICATION=]ROLE", help="viewer, responder, approver, admin.")
]


@contextmanager
def _access(config: ConfigOption) -> Iterator[tuple[Access, Identity]]:
    by = Identity(actor=f"user:{getpass.getuser()}@cli", grants={EVERYWHERE: Role.ADMIN}, address="cli")
    with told(), Ledger(settings_of(config).ledger_url) as ledger:
        yield Access(ledger.accounts, SystemClock()), by


@app.command("list")
def list_(config: ConfigOption = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Every account.

    Example: holdfast user list
    """
    with _access(config) as (access, _):
        users = access.accounts.users()
    if as_json:
        rows = [{"name": u.name, "grants": u.grants, "disabled": u.disabled, "created": to_iso(u.created_ns)} for u in users]
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    if not users:
        out.print("No accounts. The server prints a set-up link when it starts.")
        return
    table = Table("name", "roles", "state", box=None, header_style="dim")
    for user in users:
        roles = ", ".join(
            f"{role} on {'all' if application == EVERYWHERE else application}" for application, role in user.grants.items()
        )
        table.add_row(escape(user.name), escape(roles), "disabled" if user.disabled else "")
    out.print(table)


@app.command()
def add(name: Name, config: ConfigOption = None, role: RoleOption = None) -> None:
    """Make an account. The password is asked for, or read from stdin.

    Example: holdfast user add ada --role admin
    """
    with _access(config) as (access, by):
        user = access.add_user(by, name, _password(), _grants(role or ["viewer"]))
    out.print(f"{escape(user.name)} can sign in")


@app.command()
def change(
    name: Name,
    config: ConfigOption = None,
    role: RoleOption = None,
    disable: Annotated[bool, typer.Option("--disable/--enable", help="Let it in no more, or again.")] = False,
) -> None:
    """Set roles, and whether it may sign in. Its sessions end. Without --role the roles stay.

    Example: holdfast user change bob --role shop=approver --role viewer
    """
    with _access(config) as (access, by):
        known = access.accounts.user(name)
        grants = _grants(role) if role else (known.grants if known else {})
        user = access.change_user(by, name, grants, disable)
    out.print(f"{escape(user.name)}: {escape(str(user.grants))}{', disabled' if user.disabled else ''}")


@app.command()
def password(name: Name, config: ConfigOption = None) -> None:
    """Set a password. Sessions end.

    Example: holdfast user password ada
    """
    with _access(config) as (access, by):
        access.set_password(by, name, _password())
    out.print("set; sign in again")


def _grants(roles: list[str]) -> dict[str, str]:
    found = {}
    for text in roles:
        application, sign, role = text.rpartition("=")
        found[application if sign else EVERYWHERE] = role
    return found


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password, 12 characters or more: ")
    if first != getpass.getpass("Again: "):
        raise InputError("the two differ", "password")
    return first
