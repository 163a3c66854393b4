"""`holdfast`: the program."""

from typing import Annotated

import typer

from holdfast import __version__
from holdfast.cli import analyze, demo, doctor, drill, incident, ledger, server
from holdfast.cli import eval as evaluating
from holdfast.cli.console import out

app = typer.Typer(
    name="holdfast",
    help="Incident management for LLM applications.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("analyze")(analyze.analyze)
app.command("server")(server.server)
app.command("up")(server.up)
app.command("demo")(demo.demo)
app.command("drill")(drill.drill)
app.command("eval")(evaluating.evaluation)
app.command("doctor")(doctor.doctor)
app.add_typer(incident.app, name="incident")
app.add_typer(ledger.app, name="ledger")


def _version(asked: bool) -> None:
    if asked:
        out.print(f"holdfast {__version__}")
        raise typer.Exit


@app.callback()
def holdfast(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Incident management for LLM applications."""
