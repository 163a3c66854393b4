"""`holdfast ledger …`: is the record still what was written?"""

import typer

from holdfast.cli.console import EXIT_FAILED, ConfigOption, err, out, settings_of, told
from holdfast.control.events import folds
from holdfast.control.store import STREAM
from holdfast.ledger.store import Ledger

app = typer.Typer(help="The append-only ledger.", no_args_is_help=True)

MAX_SHOWN = 20


@app.command()
def verify(config: ConfigOption = None) -> None:
    """Find events that were changed, removed, reordered or put in. Exit 1 if there are any.

    Example: holdfast ledger verify
    """
    with told(), Ledger(settings_of(config).ledger_url) as ledger:
        report = ledger.verify()
        control = folds(ledger.stream(STREAM)) if report.ok else ""
    for finding in report.findings[:MAX_SHOWN]:
        err.print(f"[red]seq {finding.seq}:[/] {finding.what}", soft_wrap=True)
    if not report.ok:
        err.print(f"[bold red]{len(report.findings)} findings in {report.rows} events: the ledger is not what was written[/]")
        raise typer.Exit(EXIT_FAILED)
    if control:
        err.print(f"[bold red]the control plane's events do not fold:[/] {control}", soft_wrap=True)
        raise typer.Exit(EXIT_FAILED)
    out.print(f"[green]{report.rows} events, the chain holds[/]")
