"""`holdfast drill`: break a sample application on purpose, and see what Holdfast makes of it."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from holdfast.cli.console import err, out, settings_of, told
from holdfast.drilling import Way, sweep
from holdfast.drills.outcome import Outcome
from holdfast.drills.plan import ALL, scenarios
from holdfast.drills.scorecard import Cell, Scorecard, scorecard
from holdfast.drills.statistics import Figure

MOST_JOBS = 64


def drill(  # noqa: PLR0913 - one parameter an option is how Typer documents them
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME…]", help="Faults, decoys, healthy, or all (which is the default).")
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(min=0, help="Seed; give it several times for several sweeps. Default: 1.")
    ] = None,
    calls: Annotated[int | None, typer.Option(min=100, help="Requests of a drill. Default: 2,000 to 4,000, by seed.")] = None,
    jobs: Annotated[int, typer.Option(min=1, max=MOST_JOBS, help="Drills at once, each in a process of its own.")] = 1,
    through_files: Annotated[
        bool, typer.Option("--through-files", help="Write each drill to files and analyze those: slower, with redaction.")
    ] = False,
    keep_scores: Annotated[
        Path | None, typer.Option("--keep-scores", metavar="DIR", help="Keep the scores of each drill there: numbers, no texts.")
    ] = None,
    from_scores: Annotated[
        Path | None,
        typer.Option(
            "--from-scores",
            metavar="DIR",
            help="Detect and diagnose from kept scores: the same drills without texts and scorers, many times faster.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Break a sample application on purpose, and print the scorecard of what was found.

    [bold]Examples[/]

      holdfast drill wrong_embedder

      holdfast drill all --seed 1 --seed 2 --jobs 2 --json > scorecard.json

      holdfast drill all --keep-scores kept && holdfast drill all --from-scores kept
    """
    with told():
        settings = settings_of(None)
        way = Way(through_files=through_files, from_scores=from_scores, keep_scores=keep_scores)
        chosen = scenarios(names or [ALL], seed or [1], calls)
        found: list[Outcome] = []
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=err, transient=True) as progress:
            task = progress.add_task("drills", total=len(chosen))
            for outcomes in sweep(chosen, settings, jobs, way):
                found += outcomes
                progress.update(task, advance=1, description=outcomes[0].drill)
    card = scorecard(found, settings.detection.false_alarms_per_day)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(card)))
    else:
        show(card)


def show(card: Scorecard) -> None:
    """The scorecard as a person reads it: figures first, then every miss, false incident and duplicate."""
    if any(cell.drills for cell in card.parts):
        _show_cells("part", [cell for cell in (*card.parts, *card.layers) if cell.drills])
        _show_cells("fault", card.faults)
        out.print(
            f"conventional: latency, errors, cost, tokens and burn rate at {card.conventional_threshold:.1f} sigma, "
            f"which keeps {card.budget_per_day:g} false alarms a day here; in brackets at 3 sigma"
        )
    if card.quiet:
        _show_quiet(card)
    for name in card.subtle:
        out.print(f"[dim]hardly any harm, not counted: {escape(name)}[/]")
    for outcome in card.outcomes:
        _show_trouble(outcome)


def _show_cells(what: str, cells: list[Cell]) -> None:
    headers = (
        "drills",
        "found",
        "calls",
        "minutes",
        "bad",
        "twice",
        "layer",
        "top 3",
        "fault",
        "cohort",
        "change",
        "ECE",
        "≥ .85",
    )
    table = Table(what, *headers, "right", "conventional", "static", "latest", box=None, header_style="dim")
    for c in cells:
        table.add_row(
            c.name,
            str(c.drills),
            *(_percent(c.detected), _plain(c.calls), _plain(c.minutes), _plain(c.bad_served), _decimal(c.duplicates)),
            *(_percent(c.layer_first), _percent(c.layer_third), _percent(c.fault_first), _decimal(c.jaccard), _percent(c.change)),
            "-" if c.calibration_error is None else f"{c.calibration_error:.2f}",
            *(_percent(c.sure), _percent(c.sure_right)),
            f"{_percent(c.conventional)} ({_percent(c.conventional_usual)})",
            _percent(c.static),
            _percent(c.latest_change),
        )
    out.print(table)


def _show_quiet(card: Scorecard) -> None:
    table = Table("nothing broken", "drills", "days", "false a day", "95 %", "at 3 sigma", box=None, header_style="dim")
    for quiet in card.quiet:
        false, usual = quiet.false_per_day, quiet.conventional_usual_per_day
        between = f"{false.low:.2f}-{false.high:.2f}" if false.low is not None and false.high is not None else "-"
        table.add_row(quiet.name, str(quiet.drills), f"{quiet.days:.1f}", _decimal(false), between, _decimal(usual))
    out.print(table)


def _show_trouble(outcome: Outcome) -> None:
    where = f"{outcome.drill} ({outcome.application}, seed {outcome.seed})"
    if outcome.fault and not outcome.detected:
        out.print(f"[red]missed[/] {escape(where)}: {outcome.harmed} harmed, severity {outcome.severity:.2f}", soft_wrap=True)
    for kind, alarms in (("false", outcome.false_alarms), ("twice", outcome.duplicates)):
        for alarm in alarms:
            out.print(f"[yellow]{kind}[/] {escape(where)}: {escape(alarm.title)}", soft_wrap=True)


def _percent(figure: Figure) -> str:
    return "-" if figure.value is None else f"{100 * figure.value:.0f} %"


def _decimal(figure: Figure) -> str:
    return "-" if figure.value is None else f"{figure.value:.2f}"


def _plain(figure: Figure) -> str:
    return "-" if figure.value is None else f"{figure.value:.0f}"
