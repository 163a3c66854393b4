"""The program explains itself."""

import pytest

from holdfast import __version__
from tests.cli.conftest import Shell

COMMANDS = (
    ["analyze"],
    ["server"],
    ["up"],
    ["demo"],
    ["drill"],
    ["eval"],
    ["doctor"],
    ["incident", "list"],
    ["incident", "show"],
    ["incident", "ack"],
    ["incident", "assign"],
    ["incident", "resolve"],
    ["incident", "merge"],
    ["ledger", "verify"],
)


def test_it_tells_its_version(shell: Shell) -> None:
    assert __version__ in shell.run("--version").output


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(shell: Shell, command: list[str]) -> None:
    text = shell.run(*command, "--help").output
    assert "xample" in text
    assert "holdfast " + " ".join(command) in text


def test_an_unknown_command_is_refused(shell: Shell) -> None:
    shell.run("destroy", code=2)


def test_completion_can_be_installed(shell: Shell) -> None:
    assert "--install-completion" in shell.run("--help").output
