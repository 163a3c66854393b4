"""Errors of ours become one line and an exit code."""

import pytest
import typer

from holdfast.cli.console import told
from holdfast.core.errors import ConfigurationError, HoldfastError, InputError, IntegrityError, NotFoundError, StoreError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("no JSON", "traces.jsonl:3"), 2),
        (ConfigurationError("server.api_port"), 2),
        (NotFoundError("inc_1"), 2),
        (StoreError("disk full"), 1),
        (IntegrityError("seq 4"), 1),
    ],
)
def test_the_exit_code_says_whether_the_caller_can_mend_it(
    error: HoldfastError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as raised, told():
        raise error
    assert raised.value.exit_code == code
    assert str(error) in capsys.readouterr().err


def test_what_is_not_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), told():
        raise ZeroDivisionError


def test_markup_in_an_error_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), told():
        raise InputError("[red]not markup[/]")
    assert "[red]not markup[/]" in capsys.readouterr().err
