"""`holdfast calibrate`: learn from people's labels what the scores of an application are worth."""

import getpass
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from holdfast.app.calibrations import build_calibrations
from holdfast.app.scorers import build_scorers
from holdfast.calibration import lesson_document
from holdfast.cli.console import EXIT_FAILED, ConfigOption, out, settings_of, told
from holdfast.cli.serving import serving
from holdfast.core.clock import SystemClock
from holdfast.settings import Settings
from holdfast.telemetry.store import TelemetryStore


def calibrate(
    application: Annotated[str, typer.Argument(metavar="APPLICATION", help="Value of service.name.")],
    config: ConfigOption = None,
    metric: Annotated[str, typer.Option(help="Only this metric; else all that have labels.")] = "",
    forget: Annotated[bool, typer.Option("--forget", help="Take the calibration of --metric out of force.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Learn from labels, and put in force what makes scores better probabilities. Exit 1 if nothing does.

    Example: holdfast calibrate support --metric ungrounded_answer
    """
    with told():
        if forget and not metric:
            raise typer.BadParameter("--forget needs --metric")
        settings = settings_of(config)
        if forget:
            _forget(settings, application, metric)
            out.print(escape(f"{metric} of {application} is no longer calibrated"))
            return
        lessons = _learnt(settings, application, metric)
    if as_json:
        typer.echo(orjson.dumps(lessons, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(lessons)
    if not any(lesson["calibration"] for lesson in lessons):
        raise typer.Exit(EXIT_FAILED)


def _learnt(settings: Settings, application: str, metric: str) -> list[dict[str, Any]]:
    with serving(settings) as server:
        if server is not None:
            found: list[dict[str, Any]] = server.ask(
                "POST", "/api/v1/calibrations", json={"application": application, "metric": metric}
            )
            return found
    clock = SystemClock()
    with TelemetryStore(settings.telemetry_dsn) as telemetry:
        calibrations = build_calibrations(settings, telemetry, build_scorers(settings, clock), clock)
        return [lesson_document(lesson) for lesson in calibrations.learn(application, metric, f"user:{getpass.getuser()}")]


def _forget(settings: Settings, application: str, metric: str) -> None:
    with serving(settings) as server:
        if server is not None:
            server.ask("DELETE", "/api/v1/calibrations", params={"application": application, "metric": metric})
            return
    clock = SystemClock()
    with TelemetryStore(settings.telemetry_dsn) as telemetry:
        build_calibrations(settings, telemetry, build_scorers(settings, clock), clock).forget(application, metric)


def _show(lessons: list[dict[str, Any]]) -> None:
    table = Table("metric", "labels", "failed", "Brier before", "after", "calibration error before", "after", "", box=None)
    for lesson in lessons:
        learnt = lesson["learnt"]
        figures = ("brier_before", "brier_after", "ece_before", "ece_after")
        cells = [str(learnt["labels"]), str(learnt["failed"]), *(f"{learnt[f]:.4f}" for f in figures)] if learnt else [""] * 6
        outcome = escape(f"refused: {lesson['refused']}") if lesson["refused"] else "[green]in force[/]"
        table.add_row(escape(lesson["metric"]), *cells, outcome)
    out.print(table)
    for lesson in lessons:
        if lesson["gone"] or lesson["unscored"]:
            text = (
                f"{lesson['metric']}: {lesson['gone']} labelled calls are no longer kept, {lesson['unscored']} have no score now"
            )
            out.print(f"[yellow]{escape(text)}[/]")
