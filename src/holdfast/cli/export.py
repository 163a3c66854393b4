"""`holdfast export …`: files for other programs, and whether a bundle is still what was exported."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from holdfast.cli.console import EXIT_FAILED, err, out, told
from holdfast.core.errors import InputError
from holdfast.ingest.checkpoint import replace_file
from holdfast.report.export import problems_of
from holdfast.report.monitoring import Kind, exported

app = typer.Typer(help="Files for other programs, and whether an exported bundle is untouched.", no_args_is_help=True)

OutOption = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write there instead of to stdout.")]


@app.command()
def grafana(to: OutOption = None) -> None:
    """A dashboard over Holdfast's own metrics, to import into Grafana.

    Example: holdfast export grafana --out holdfast-dashboard.json
    """
    _write("grafana", to)


@app.command()
def prometheus(to: OutOption = None) -> None:
    """Alert rules over Holdfast's own metrics, for rule_files of Prometheus.

    Example: holdfast export prometheus --out holdfast-rules.yaml
    """
    _write("prometheus", to)


@app.command()
def check(bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle of an incident (JSON).")]) -> None:
    """Recompute the hashes of a bundle. Exit 1 if an event or a piece of evidence was changed, 2 if it is no bundle.

    Example: holdfast export check inc_4f9c2e81a7b3.json
    """
    with told():
        problems = problems_of(_read(bundle))
    for problem in problems:
        err.print(f"[red]{escape(problem)}[/]", soft_wrap=True)
    if problems:
        raise typer.Exit(EXIT_FAILED)
    out.print("[green]every hash holds[/]")


def _write(kind: Kind, to: Path | None) -> None:
    if to is None:
        typer.echo(exported(kind), nl=False)
        return
    with told():
        replace_file(to, exported(kind).encode())


def _read(path: Path) -> object:
    try:
        found: object = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", str(path)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"is no JSON: {error}", str(path)) from None
    return found
