"""`holdfast eval`: how good the shipped scorers are on labelled text."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from holdfast.cli.console import err, out, told
from holdfast.evaluation import TASKS, Outcome, evaluate, read, report

SHOWN_EVERY = 50
FIGURES = ("accuracy", "precision", "recall", "f1", "balanced_accuracy", "fpr", "auroc", "auprc")
SPAN_FIGURES = ("span_precision", "span_recall", "span_f2")


def evaluation(
    task: Annotated[str, typer.Argument(metavar="TASK", help=f"One of {', '.join(TASKS)}.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labelled rows: .jsonl or .jsonl.gz.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    predictions: Annotated[bool, typer.Option("--predictions", help="Include score and label of every row.")] = False,
) -> None:
    """Score a labelled file at the shipped operating point, and say how good the scores are.

    [bold]Examples[/]

      holdfast eval injection attacks.jsonl.gz --json

      holdfast eval toxicity tweets.jsonl --json --predictions | jq '.predictions[]'
    """
    with told():
        outcome = _watched(task, file)
    document = report(task, outcome, predictions)
    if as_json:
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(document)


def _watched(task: str, file: Path) -> Outcome:
    columns = (SpinnerColumn(), TextColumn("{task.completed} rows"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task("scoring", total=None)

        def on_row(count: int) -> None:
            if count % SHOWN_EVERY == 0:
                progress.update(bar, completed=count)

        return evaluate(task, read(file), on_row)


def _show(document: dict[str, Any]) -> None:
    table = Table(f"{document['task']}, {document['rows']} rows", "", box=None, header_style="bold")
    for name in (*FIGURES, *SPAN_FIGURES):
        if name in document:
            value = document[name]
            table.add_row(name, "undefined" if value is None else f"{value:.3f}")
    latency = document["latency_us"]
    table.add_row("threshold", f"{document['threshold']:g}")
    table.add_row("latency", f"{latency['p50']:.0f} µs, 99th percentile {latency['p99']:.0f} µs")
    table.add_row("calibration error", f"{document['reliability']['ece']:.3f}")
    out.print(table)
    if document["not_applicable"]:
        out.print(f"[yellow]{document['not_applicable']} rows to which the scorer does not apply count as 0[/]")
    bins = Table("said", "observed", "rows", box=None, header_style="dim")
    for item in document["reliability"]["bins"]:
        bins.add_row(f"{item['said']:.2f}", f"{item['observed']:.2f}", str(item["rows"]))
    out.print(bins)
