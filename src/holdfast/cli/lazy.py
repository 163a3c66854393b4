"""Commands that are imported when they are used: `holdfast --help` need not load a database, a web server and statistics."""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


class Command(NamedTuple):
    """Where a command is (``module:attribute``, a function or a `typer.Typer`), and the first line of its help."""

    place: str
    help: str


class LazyGroup(TyperGroup):
    """A group whose commands are in `COMMANDS`, a table that a subclass fills."""

    COMMANDS: dict[str, Command] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order of the table."""
        return [*self.COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What help and completion need to know of a command; nothing is imported for that."""
        known = self.COMMANDS.get(cmd_name)
        return TyperCommand(cmd_name, help=known.help) if known else super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that these words ask for, imported."""
        name, command, rest = super().resolve_command(ctx, args)
        known = self.COMMANDS.get(name or "")
        return name, load(name or "", known) if known else command, rest


def load(name: str, command: Command) -> Any:
    """The command itself, ready to be run under `name`."""
    module, _, attribute = command.place.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    holder = typer.Typer(
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_show_locals=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    holder.command(name)(found)
    return get_command(holder)
