"""`holdfast vault`: asked of the server, noted there, and printed as nothing but text."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.access.audit import audited_in
from holdfast.api.context import ApiContext
from holdfast.context.entities import Entity
from holdfast.context.originals import Original
from holdfast.ledger.accounts import ACCESS
from holdfast.settings import load
from tests.cli.conftest import Shell
from tests.cli.served import configured, serving_api

WHY = ("--reason", "customer asked what leaked")
CODE = "3fa9c1d2" + "0" * 56
PSEUDONYM = "EMAIL_ADDRESS:3fa9c1d2"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = configured(tmp_path)
    path.write_text(path.read_text() + '[applications.shop]\nredaction = { EMAIL_ADDRESS = "seal" }\n')
    return path


@pytest.fixture
def served(config: Path) -> Iterator[ApiContext]:
    with serving_api(config, ()) as context:
        yield context


def keep(context: ApiContext, value: str) -> None:
    assert context.revealing is not None
    found = Original(application="shop", entity=Entity.EMAIL_ADDRESS, code=CODE, value=value, time_ns=context.clock.now_ns())
    context.revealing.vault.keep([found])


def test_an_original_is_printed_and_the_ledger_says_for_whom(shell: Shell, config: Path, served: ApiContext) -> None:
    keep(served, "joe@example.com")
    told = shell.run("vault", "reveal", "shop", PSEUDONYM, *WHY, "--config", str(config))
    assert told.stdout == "joe@example.com\n"
    event = served.ledger.stream(ACCESS).read()[-1].event
    assert event.actor.startswith("token:local/")
    assert (audited_in(event).target, audited_in(event).reason) == (PSEUDONYM, WHY[1])


@pytest.mark.parametrize(
    ("value", "printed"),
    [("[red]x[/]", "[red]x[/]"), ("\x1b[2Jx", "\\u{1b}[2Jx"), ("a\u202eb", "a\\u{202e}b")],
    ids=["markup", "escape", "direction"],
)
def test_a_hostile_value_does_nothing_to_the_terminal(
    shell: Shell, config: Path, served: ApiContext, value: str, printed: str
) -> None:
    keep(served, value)
    assert shell.run("vault", "reveal", "shop", PSEUDONYM, *WHY, "--config", str(config)).stdout == f"{printed}\n"


def test_erased_it_is_gone(shell: Shell, config: Path, served: ApiContext) -> None:
    keep(served, "joe@example.com")
    assert "1 erased" in shell.run("vault", "erase", "shop", PSEUDONYM, *WHY, "--config", str(config)).stdout
    told = shell.run("vault", "reveal", "shop", PSEUDONYM, *WHY, "--config", str(config), code=2)
    assert "was erased" in told.stderr


def test_a_reason_that_says_nothing_is_refused(shell: Shell, config: Path, served: ApiContext) -> None:
    keep(served, "joe@example.com")
    told = shell.run("vault", "reveal", "shop", PSEUDONYM, "--reason", "because", "--config", str(config), code=2)
    assert "say in 3 words" in told.stderr
    assert "joe" not in told.output


def test_without_a_server_nothing_is_revealed(shell: Shell, config: Path) -> None:
    assert "no server runs" in shell.run("vault", "reveal", "shop", PSEUDONYM, *WHY, "--config", str(config), code=1).stderr


def test_a_new_key_is_put_in_front_and_the_file_stays_private(shell: Shell, config: Path, served: ApiContext) -> None:
    path = load(config).vault_key_file
    before = path.read_text()
    assert "2 keys" in shell.run("vault", "rotate", "--config", str(config)).stdout
    assert path.read_text().endswith(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_there_is_nothing_to_rotate_without_a_key(shell: Shell, config: Path) -> None:
    assert "No such file" in shell.run("vault", "rotate", "--config", str(config), code=2).stderr
