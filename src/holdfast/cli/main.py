"""`holdfast`: the program."""

from typing import Annotated

import typer

from holdfast import __version__
from holdfast.cli.lazy import Command, LazyGroup


class Commands(LazyGroup):
    """Every command: a line here, a file beside this one."""

    COMMANDS = {
        "analyze": Command(
            "holdfast.cli.analyze:analyze", "Find incidents in recorded telemetry, as they would have been found live."
        ),
        "server": Command(
            "holdfast.cli.server:server", "Receiver, pipeline and API, with logs as JSON on stderr; stores as configured."
        ),
        "up": Command("holdfast.cli.server:up", "Everything on this machine with embedded stores: nothing to set up."),
        "demo": Command("holdfast.cli.demo:demo", "Start a server and a sample support assistant, break it, and watch."),
        "drill": Command(
            "holdfast.cli.drill:drill", "Break a sample application on purpose, and print the scorecard of what was found."
        ),
        "eval": Command(
            "holdfast.cli.eval:evaluation",
            "Score a labelled file at the shipped operating point, and say how good the scores are.",
        ),
        "label": Command("holdfast.cli.label:label", "Say whether a call fails by a metric."),
        "calibrate": Command(
            "holdfast.cli.calibrate:calibrate", "Learn from labels, and put in force what makes scores better probabilities."
        ),
        "gateway": Command("holdfast.cli.gateway:gateway", "Serve model calls: OpenAI's and Anthropic's APIs on port 4000."),
        "doctor": Command(
            "holdfast.cli.doctor:doctor",
            "Check settings, disk, clock, stores, ports and scorers. Exit 1 if something needs doing.",
        ),
        "incident": Command("holdfast.cli.incident:app", "List, show, acknowledge, assign, resolve and merge incidents."),
        "control": Command(
            "holdfast.cli.control:app", "What gateways run: routes, guards, prompts, containments, and the red button."
        ),
        "user": Command("holdfast.cli.user:app", "Accounts of API and console."),
        "export": Command("holdfast.cli.export:app", "Files for other programs, and whether an exported bundle is untouched."),
        "vault": Command("holdfast.cli.vault:app", "Originals of what was redacted, where an application seals them."),
        "ledger": Command("holdfast.cli.ledger:app", "The append-only ledger."),
    }


app = typer.Typer(
    name="holdfast",
    cls=Commands,
    help="Incident management for LLM applications.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"holdfast {__version__}")
        raise typer.Exit


@app.callback()
def holdfast(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Incident management for LLM applications."""
