"""`holdfast label`: a person's word on one call."""

import getpass
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.markup import escape

from holdfast.app.scorers import build_scorers
from holdfast.calibration import check_metric, judged_call
from holdfast.cli.console import ConfigOption, out, settings_of, told
from holdfast.cli.serving import serving
from holdfast.core.clock import SystemClock
from holdfast.core.label import Label
from holdfast.settings import Settings
from holdfast.telemetry.store import TelemetryStore


class Fails(StrEnum):
    """Whether the call fails by the metric."""

    YES = "yes"
    NO = "no"


def label(  # noqa: PLR0913 - one parameter an option is how Typer documents them
    trace_id: Annotated[str, typer.Argument(metavar="TRACE", help="Trace id, 32 hex digits.")],
    span_id: Annotated[str, typer.Argument(metavar="SPAN", help="Span id of the call; - for the one that answers the user.")],
    metric: Annotated[str, typer.Argument(metavar="METRIC", help="Name of the metric, such as ungrounded_answer.")],
    fails: Annotated[Fails, typer.Argument(metavar="yes|no", help="Does the call fail by this metric?")],
    config: ConfigOption = None,
    actor: Annotated[str, typer.Option("--actor", metavar="NAME", help="Who says so. Default: the user of this machine.")] = "",
    note: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Say whether a call fails by a metric. The last word on a call counts; `holdfast calibrate` learns from them.

    Example: holdfast label 4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7 ungrounded_answer yes
    """
    person, failed = actor or getpass.getuser(), fails is Fails.YES
    body = {
        "trace_id": trace_id,
        "span_id": "" if span_id == "-" else span_id,
        "metric": metric,
        "failed": failed,
        "note": note,
        "person": person,
    }
    with told():
        settings = settings_of(config)
        with serving(settings) as server:
            given = server.ask("POST", "/api/v1/labels", json=body) if server else _kept(settings, body)
    verdict = "fails" if failed else "does not fail"
    out.print(escape(f"{given['service']}: {trace_id}/{given['span_id']} {verdict} by {metric}, says {person}"))


def _kept(settings: Settings, body: dict[str, Any]) -> dict[str, Any]:
    """Without a server the store is ours to open."""
    clock = SystemClock()
    check_metric(build_scorers(settings, clock).metrics, body["metric"])
    with TelemetryStore(settings.telemetry_dsn) as telemetry:
        call = judged_call(telemetry, body["trace_id"], body["span_id"])
        label = Label(
            trace_id=call.trace_id,
            span_id=call.span_id,
            metric=body["metric"],
            failed=body["failed"],
            actor=f"user:{body['person']}",
            time_ns=clock.now_ns(),
            service=call.service,
            note=body["note"],
        )
        telemetry.append_labels([label])
    return {"service": label.service, "span_id": label.span_id}
