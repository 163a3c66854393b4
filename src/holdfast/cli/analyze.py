"""`holdfast analyze`: after the fact, from files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from holdfast.app.analysis import AnalysisInput
from holdfast.app.analysis import analyze as run
from holdfast.cli.console import ConfigOption, err, out, settings_of, told
from holdfast.cli.incident_view import show_incident
from holdfast.core.clock import to_iso
from holdfast.core.score import Metric
from holdfast.ingest.record import Rejected
from holdfast.report.analysis import Analysis, document, shown
from holdfast.report.instrumentation import BLIND, NEEDED, Instrumentation
from holdfast.score.external.specification import definitions
from holdfast.score.registry import METRICS

MAX_REJECTIONS_SHOWN = 5
MAX_APPLICATIONS_SHOWN = 10


def analyze(
    traces: Annotated[
        list[Path], typer.Argument(metavar="TRACES…", help="OTLP/JSON lines: .jsonl, .jsonl.gz, folders of them, or - for stdin.")
    ],
    changes: Annotated[Path | None, typer.Option(metavar="FILE", help="Changes as CloudEvents lines.")] = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find incidents in recorded telemetry, as they would have been found live.

    [bold]Examples[/]

      holdfast analyze traces.jsonl.gz --changes changes.jsonl

      cat *.jsonl | holdfast analyze - --json | jq '.incidents[].title'
    """
    with told(), _watched(traces, changes) as source:
        settings = settings_of(config)
        analysis = run(source, settings)
    metrics = METRICS | definitions(settings.scorers)
    for name in analysis.changes.unknown_dimensions:
        err.print(f"[yellow]no call carries {escape(name)}:[/] changes that are limited by it are nobody's", soft_wrap=True)
    if as_json:
        typer.echo(orjson.dumps(document(analysis, metrics), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(analysis, metrics)


@contextmanager
def _watched(traces: list[Path], changes: Path | None) -> Iterator[AnalysisInput]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    rejections: list[Rejected] = []
    with Progress(*columns, console=err, transient=True) as progress:
        reading = progress.add_task("reading", total=None)
        replaying = progress.add_task("replaying", total=None, visible=False)

        def on_rejected(rejected: Rejected) -> None:
            if not rejected.ignored:
                rejections.append(rejected) if len(rejections) <= MAX_REJECTIONS_SHOWN else None

        yield AnalysisInput(
            traces,
            changes,
            on_read=lambda done, total: progress.update(reading, completed=done, total=total),
            on_rejected=on_rejected,
            on_replayed=lambda done, total: progress.update(replaying, completed=done, total=total, visible=True),
        )
    for rejected in rejections[:MAX_REJECTIONS_SHOWN]:
        err.print(f"[yellow]left out:[/] {escape(rejected.where)}: {escape(rejected.reason)}", soft_wrap=True)
    if len(rejections) > MAX_REJECTIONS_SHOWN:
        err.print("[yellow]left out:[/] more of the kind; --json prints how many")


def _show(analysis: Analysis, metrics: dict[str, Metric]) -> None:
    if analysis.start_ns is None or analysis.end_ns is None:
        out.print("No calls.")
        return
    period = f"from {to_iso(analysis.start_ns)} to {to_iso(analysis.end_ns)}"
    out.print(f"{analysis.requests} requests of {analysis.calls} calls {period}", soft_wrap=True)
    incidents = [incident for incident in analysis.incidents if shown(incident)]
    if not incidents:
        out.print("[green]No incidents.[/]")
    for incident in sorted(incidents, key=lambda i: i.detected_ns):
        show_incident(incident, metrics)
    failing = {name: counts for name, counts in analysis.coverage.items() if counts["failed"]}
    for name, counts in failing.items():
        out.print(f"[yellow]scorer {name} failed on {counts['failed']} traces[/]")
    for told_by in analysis.instrumentation[:MAX_APPLICATIONS_SHOWN]:
        _show_untold(told_by)


def _show_untold(found: Instrumentation) -> None:
    """What an application never told, so that nobody takes silence about it for health."""
    for name in [name for name in found.untold if name in NEEDED]:
        out.print(f"[yellow]{escape(found.service)} tells no {name}; unseen: {BLIND[name]}[/]", soft_wrap=True)
    if others := [name for name in found.untold if name not in NEEDED]:
        out.print(f"[dim]{escape(found.service)} never tells: {', '.join(others)}[/]", soft_wrap=True)
