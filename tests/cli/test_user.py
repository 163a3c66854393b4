"""Accounts from the command line."""

import json

import pytest

from tests.cli.conftest import Shell

PASSWORD = b"correct horse battery\n"


def test_an_account_is_added_listed_changed_and_disabled(shell: Shell) -> None:
    (shell.folder / ".holdfast").mkdir()
    assert "set-up link" in shell.run("user", "list").stdout
    shell.run("user", "add", "Ada", "--role", "admin", stdin=PASSWORD)
    shell.run("user", "add", "bob", "--role", "shop=responder", "--role", "viewer", stdin=PASSWORD)
    shell.run("user", "change", "bob", "--disable")
    rows = {row["name"]: row for row in json.loads(shell.run("user", "list", "--json").stdout)}
    assert rows["ada"]["grants"] == {"*": "admin"}
    assert (rows["bob"]["grants"], rows["bob"]["disabled"]) == ({"*": "viewer", "shop": "responder"}, True)
    assert "responder on shop" in shell.run("user", "list").stdout
    shell.run("user", "password", "ada", stdin=b"another long password\n")


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (("add", "bob"), b"short\n"),
        (("add", "bob", "--role", "king"), PASSWORD),
        (("add", "a b"), PASSWORD),
        (("change", "ghost", "--role", "viewer"), b""),
        (("password", "ghost"), PASSWORD),
        (("change", "ada", "--role", "viewer"), b""),
    ],
    ids=["password", "role", "name", "change", "ghost", "last"],
)
def test_what_makes_no_sense_is_told(shell: Shell, words: tuple[str, ...], stdin: bytes) -> None:
    (shell.folder / ".holdfast").mkdir()
    shell.run("user", "add", "ada", "--role", "admin", stdin=PASSWORD)
    assert "error:" in shell.run("user", *words, code=2, stdin=stdin).stderr
