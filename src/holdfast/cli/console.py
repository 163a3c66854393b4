"""How commands talk: results on stdout, everything else on stderr; NO_COLOR and pipes are respected by Rich."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from holdfast.core.errors import (
    ConfigurationError,
    ConflictError,
    HoldfastError,
    InputError,
    IntegrityError,
    NotFoundError,
    TransitionError,
)
from holdfast.settings import Settings, load

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="Configuration (TOML). Default: holdfast.toml, if there is one."),
]

EXIT_FAILED = 1
EXIT_UNUSABLE = 2
_UNUSABLE = (ConfigurationError, InputError, NotFoundError, TransitionError, ConflictError)


@contextmanager
def told() -> Iterator[None]:
    """Turns an error of ours into one line on stderr and an exit code: 2 for what the caller can mend, 1 for the rest."""
    try:
        yield
    except HoldfastError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        usable = isinstance(error, _UNUSABLE) and not isinstance(error, IntegrityError)
        raise typer.Exit(EXIT_UNUSABLE if usable else EXIT_FAILED) from None


def settings_of(config: Path | None, overrides: dict[str, object] | None = None) -> Settings:
    """The settings for a command."""
    return load(config, overrides)
