"""An incident as a person reads it on a terminal."""

from rich.markup import escape
from rich.table import Table

from holdfast.cli.console import out
from holdfast.core.clock import to_iso
from holdfast.core.incident import Incident
from holdfast.core.score import Direction, Metric, Unit
from holdfast.correlate.title import number
from holdfast.report.analysis import failure_modes, strongest_by_metric
from holdfast.report.postmortem import condensed


def show_incident(incident: Incident, metrics: dict[str, Metric]) -> None:
    """One incident as a person reads it.

    Args:
        metrics: definitions by name; a metric that is not there, as that of a scorer which is gone, is told by its name alone.
    """
    out.rule(style="dim")
    out.print(f"[bold]{escape(incident.title)}[/]")
    out.print(f"{incident.id}  {incident.severity}  {incident.state}  {escape(incident.service)}")
    out.print(f"started {to_iso(incident.started_ns)}, detected {to_iso(incident.detected_ns)}")
    cohort = ", ".join(f"{name}={value}" for name, value in incident.cohort.items()) or "no dimension explains it"
    out.print(f"cohort: [bold]{escape(cohort)}[/]")
    impact = incident.impact
    out.print(f"impact: {impact.calls} bad answers ({impact.calls_low}-{impact.calls_high}), {impact.users} users")
    out.print(f"failure: {', '.join(failure_modes(incident, metrics)[:5])}")
    out.print(_moved(incident, metrics))
    diagnosis = incident.diagnosis
    if diagnosis is None:
        out.print("[yellow]not diagnosed[/]")
        return
    layers = Table("layer", "probability", "", box=None, header_style="dim")
    for item in diagnosis.layers:
        layers.add_row(str(item.layer), f"{item.probability:.2f}", "█" * round(item.probability * 30))
    out.print(layers)
    for cause in diagnosis.causes[:3]:
        change = f" after change [bold]{escape(cause.change_id)}[/]" if cause.change_id else ""
        out.print(f"cause: {cause.fault} ({cause.probability:.2f}){change}")
    for statement in diagnosis.evidence[:8]:
        out.print(f"  · {escape(statement.text)}")
    for action in diagnosis.actions[:3]:
        out.print(f"next: {escape(action)}")


_WORSE = {Direction.UP_IS_WORSE: "up", Direction.DOWN_IS_WORSE: "down", Direction.BOTH: "up or down"}


def _moved(incident: Incident, metrics: dict[str, Metric]) -> Table:
    """What moved, from where to where; the segment only where it is not the cohort itself."""
    table = Table("metric", "before", "since", "worse is", "measured in", box=None, header_style="dim")
    for signal in strongest_by_metric(incident)[:6]:
        metric, conditions = metrics.get(signal.metric), signal.segment.conditions
        unit, worse = (metric.unit, _WORSE.get(metric.direction, "")) if metric else (Unit.COUNT, "")
        where = "the cohort" if conditions == incident.cohort else ", ".join(f"{k}={v}" for k, v in conditions.items())
        before, since = number(signal.baseline, unit), number(signal.observed, unit)
        table.add_row(signal.metric, before, since, worse, escape(where or "all calls"))
    return table


def show_timeline(incident: Incident) -> None:
    """Who did what when."""
    table = Table("time", "who", "event", "", box=None, header_style="dim")
    for entry in condensed(incident.timeline):
        table.add_row(to_iso(entry.time_ns), escape(entry.actor), entry.event, escape(entry.text))
    out.print(table)
