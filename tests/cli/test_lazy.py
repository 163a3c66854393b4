"""A command is imported when it is used, and not before."""

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from holdfast.cli.lazy import Command, LazyGroup, load
from holdfast.cli.main import Commands

HEAVY = ("numpy", "scipy", "sqlalchemy", "fastapi", "uvicorn", "grpc", "clickhouse_connect", "pydantic")


PROGRAM = """
import sys
from holdfast.cli.main import app
try:
    app(sys.argv[1:])
except SystemExit:
    pass
print(*sys.modules)
"""


def loaded_by(*words: str) -> set[str]:
    """Modules that a run of the program has imported when it ends."""
    run = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True, timeout=60)
    return set(run.stdout.splitlines()[-1].split())


def test_help_loads_no_store_no_server_and_no_numerics() -> None:
    assert not loaded_by("--help") & set(HEAVY)


def test_a_command_does_not_load_what_another_one_needs() -> None:
    loaded = loaded_by("ledger", "verify", "--help")
    assert "holdfast.ledger.store" in loaded
    assert not loaded & {"fastapi", "uvicorn", "grpc", "clickhouse_connect", "scipy.stats"}


def test_analyze_loads_no_server() -> None:
    assert not loaded_by("analyze", "--help") & {"fastapi", "uvicorn", "grpc", "scipy.stats"}


@pytest.mark.parametrize("name", sorted(Commands.COMMANDS))
def test_the_list_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    command = Commands.COMMANDS[name]
    assert (load(name, command).help or "").startswith(command.help)


def test_a_command_that_is_not_in_the_table_is_refused() -> None:
    result = CliRunner().invoke(typer.Typer(cls=Empty, callback=lambda: None), ["destroy"])
    assert result.exit_code == 2


def test_commands_in_the_table_and_others_live_side_by_side() -> None:
    app = typer.Typer(cls=Empty, callback=lambda: None)
    app.command("plain")(lambda: print("plain ran"))  # noqa: T201
    assert "plain ran" in CliRunner().invoke(app, ["plain"]).output


def test_a_place_that_does_not_exist_is_an_error_and_not_an_empty_command() -> None:
    with pytest.raises(AttributeError):
        load("x", Command("holdfast.cli.lazy:missing", ""))


class Empty(LazyGroup):
    COMMANDS = {}
