"""`holdfast incident …`: people's side of an incident."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from holdfast.cli.console import ConfigOption, out, settings_of, told
from holdfast.core.clock import SystemClock, to_iso
from holdfast.core.events import IncidentAcknowledged, IncidentAssigned, IncidentEvent, IncidentMerged, IncidentResolved, Recorded
from holdfast.core.incident import State
from holdfast.core.score import Metric
from holdfast.ledger.store import Ledger
from holdfast.report.analysis import incident_document, shown

app = typer.Typer(help="List, show, acknowledge, assign, resolve and merge incidents.", no_args_is_help=True)

IncidentId = Annotated[str, typer.Argument(metavar="ID", help="Incident id, or the beginning of it.")]
Actor = Annotated[str, typer.Option("--as", metavar="NAME", help="Who does it. Default: the user of this machine.")]


@contextmanager
def _ledger(config: ConfigOption) -> Iterator[Ledger]:
    with told(), Ledger(settings_of(config).ledger_url) as ledger:
        yield ledger


@app.command("list")
def list_(
    config: ConfigOption = None,
    state: Annotated[list[State] | None, typer.Option(help="Only these states.")] = None,
    service: Annotated[str, typer.Option(help="Only this application.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The newest incidents first.

    Example: holdfast incident list --state open --service support
    """
    with _ledger(config) as ledger:
        found = [i for i in ledger.incidents(states=state, service=service, limit=limit) if state or shown(i)]
    if as_json:
        metrics = _metrics(config)
        typer.echo(orjson.dumps([incident_document(i, metrics) for i in found], option=orjson.OPT_INDENT_2).decode())
        return
    if not found:
        out.print("No incidents.")
        return
    table = Table("id", "severity", "state", "detected", "application", "title", box=None, header_style="dim")
    for i in found:
        table.add_row(i.id, i.severity, i.state, to_iso(i.detected_ns), escape(i.service), escape(i.title))
    out.print(table)


@app.command()
def show(
    incident_id: IncidentId,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_postmortem: Annotated[bool, typer.Option("--postmortem", help="Print the post-mortem as Markdown.")] = False,
) -> None:
    """One incident: what broke, for whom, why, and what happened since.

    Example: holdfast incident show inc_4f9c --postmortem > postmortem.md
    """
    with _ledger(config) as ledger:
        found = ledger.incident(incident_id)
    if as_json:
        typer.echo(orjson.dumps(incident_document(found, _metrics(config)), option=orjson.OPT_INDENT_2).decode())
    elif as_postmortem:
        from holdfast.report.postmortem import postmortem

        typer.echo(postmortem(found, _metrics(config)))
    else:
        from holdfast.cli.incident_view import show_incident, show_timeline

        show_incident(found, _metrics(config))
        show_timeline(found)


def _metrics(config: ConfigOption) -> dict[str, Metric]:
    """Definitions of all metrics, those of configured scorers included; they come with all scorers: a list does without."""
    from holdfast.score.external.specification import definitions
    from holdfast.score.registry import METRICS

    return METRICS | definitions(settings_of(config).scorers)


@app.command()
def ack(incident_id: IncidentId, config: ConfigOption = None, actor: Actor = "") -> None:
    """Say that you are looking at it.

    Example: holdfast incident ack inc_4f9c
    """
    _record(incident_id, IncidentAcknowledged(), config, actor)


@app.command()
def assign(
    incident_id: IncidentId,
    assignee: Annotated[str, typer.Argument(metavar="NAME", help="Who owns it from now on.")],
    config: ConfigOption = None,
    actor: Actor = "",
) -> None:
    """Give it to somebody.

    Example: holdfast incident assign inc_4f9c ada
    """
    _record(incident_id, IncidentAssigned(assignee=assignee), config, actor)


@app.command()
def resolve(
    incident_id: IncidentId,
    reason: Annotated[str, typer.Option(help="What was done.")],
    config: ConfigOption = None,
    actor: Actor = "",
) -> None:
    """Say that the cause is gone. A resolved incident does not open again: a new one would refer to it.

    Example: holdfast incident resolve inc_4f9c --reason "prompt rolled back to v7"
    """
    _record(incident_id, IncidentResolved(reason=reason), config, actor)


@app.command()
def merge(
    incident_id: IncidentId,
    into: Annotated[str, typer.Option(metavar="ID", help="The incident that goes on.")],
    config: ConfigOption = None,
    actor: Actor = "",
) -> None:
    """Say that it is the same as another one.

    Example: holdfast incident merge inc_4f9c --into inc_77aa
    """
    with _ledger(config) as ledger:
        target = ledger.incident(into).id
    _record(incident_id, IncidentMerged(into=target), config, actor)


def _record(incident_id: str, event: IncidentEvent, config: ConfigOption, actor: str) -> None:
    with _ledger(config) as ledger:
        before = ledger.incident(incident_id)
        recorded = Recorded(incident_id=before.id, time_ns=SystemClock().now_ns(), actor=actor or getpass.getuser(), event=event)
        ledger.append([recorded])
        after = ledger.incident(before.id)
    out.print(f"{after.id} is {after.state}" + (f", assigned to {escape(after.assignee)}" if after.assignee else ""))
