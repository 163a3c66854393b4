"""One incident: what broke, who is hurt, since when, why, and what can be done."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.roles import Identity, Role
from holdfast.api.actions import listed, record, seen
from holdfast.api.context import ApiContext, Context
from holdfast.api.exports import Kind, exported
from holdfast.api.incidents import REASONED, time_ns
from holdfast.api.metrics import band, cut
from holdfast.console.charts import Mark, Plot, points_of
from holdfast.console.forms import Form, SignedForm
from holdfast.console.leases import NONE, live_leases
from holdfast.console.page import PageRoute, Viewer, back, render
from holdfast.console.shown import measured, words
from holdfast.console.texts import pieces
from holdfast.core.clock import NS_PER_S, to_iso
from holdfast.core.errors import InputError
from holdfast.core.events import (
    CommentAdded,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentEvent,
    IncidentMerged,
    SeverityChanged,
    TimestampCorrected,
)
from holdfast.core.incident import TRANSITIONS, Incident, Priority, Severity, State, TimelineEntry
from holdfast.core.score import Unit
from holdfast.core.signal import Segment, Signal
from holdfast.ledger.listing import IncidentQuery, Order
from holdfast.report.analysis import exemplars, failure_modes, strongest_by_metric
from holdfast.report.export import EXPORTS
from holdfast.report.postmortem import condensed
from holdfast.telemetry.scores import Series

router = APIRouter(route_class=PageRoute)

MINUTE_NS = 60 * NS_PER_S
METRICS, PLOTS, EXAMPLES, SIMILAR, TOLD = 6, 4, 3, 4, 12
STEPS = 60
STAMPS = ("started", "detected", "acknowledged", "mitigated", "resolved")
MOVES = (
    (State.MITIGATED, "mitigate", "Mitigated", "How the harm was stopped"),
    (State.RESOLVED, "resolve", "Resolve", "How the cause was removed"),
    (State.CLOSED, "close", "Close", "What the review found"),
    (State.DECLINED, "decline", "Decline", "Why it is no incident"),
)
DONE = {
    "IncidentOpened": "opened it",
    "SignalJoined": "saw",
    "SignalEnded": "saw",
    "DiagnosisMade": "diagnosed",
    "ImpactMeasured": "measured",
    "SeverityChanged": "set the severity",
    "IncidentAcknowledged": "acknowledged it",
    "IncidentAssigned": "assigned it",
    "IncidentMitigated": "called it mitigated",
    "IncidentResolved": "resolved it",
    "IncidentClosed": "closed it",
    "IncidentDeclined": "declined it",
    "IncidentMerged": "merged it",
    "CommentAdded": "wrote",
    "TimestampCorrected": "corrected",
}


@router.get("/incidents/{incident_id}")
def show_incident(request: Request, context: Context, who: Viewer, incident_id: str) -> Response:
    """All of it on one page."""
    incident = seen(context, who, incident_id)
    signals = strongest_by_metric(incident)
    may_act = who.may(Role.RESPONDER, incident.service)
    return render(
        request,
        who,
        "incident.html",
        i=incident,
        may_act=may_act,
        final=not TRANSITIONS[incident.state],
        moves=[move[1:] for move in MOVES if move[0] in TRANSITIONS[incident.state]],
        severities=[s.value for s in Severity],
        priorities=[p.value for p in Priority],
        exports=EXPORTS,
        modes=", ".join(words(mode) for mode in failure_modes(incident, context.metrics)[:2]),
        metrics=[_metric(context, incident, s) for s in signals[:METRICS]],
        cohort=_cohort(context, incident, signals),
        stamps=[(name, incident.timestamps.get(name)) for name in STAMPS],
        to_detect=(incident.detected_ns - incident.started_ns) / NS_PER_S,
        plots=_plots(context, incident, signals[:PLOTS]),
        examples=list(_examples(context, incident)),
        more_calls=_more_calls(incident, signals),
        timeline=[_entry(e) for e in reversed(condensed(incident.timeline))],
        told=TOLD,
        similar=_similar(context, who, incident),
        leases=live_leases(request, incident.id),
        no_leases=NONE,
    )


@router.get("/incidents/{incident_id}/export.{kind}")
def export(context: Context, who: Viewer, incident_id: str, kind: Kind) -> Response:
    """A file to take away."""
    return exported(context, who, incident_id, kind)


@router.post("/incidents/{incident_id}/{verb}")
def do(context: Context, who: Viewer, incident_id: str, verb: str, form: SignedForm) -> Response:
    """What a person does to it. The page that it was decided on says its version."""
    version = form.get("version")
    record(context, who, incident_id, _event(verb, form), f'"{version}"' if version else "")
    return back(f"/incidents/{incident_id}")


def _event(verb: str, form: Form) -> IncidentEvent:
    match verb:
        case "acknowledge":
            return IncidentAcknowledged()
        case "assign":
            return IncidentAssigned(assignee=form.must("assignee", "The owner", 128))
        case "comment":
            return CommentAdded(text=form.must("text", "The comment"))
        case "merge":
            return IncidentMerged(into=form.must("into", "The other incident", 64))
        case "severity":
            return _rating(form)
        case "timestamps":
            ns = time_ns(form.must("time", "The time", 64), 0)
            return TimestampCorrected(
                field=form.must("field", "The timestamp", 32), ns=ns, reason=form.must("reason", "The reason")
            )
    if verb not in REASONED:
        raise InputError(f"{verb!r} is nothing that can be done to an incident", "verb")
    return REASONED[verb][0](reason=form.must("reason", "The reason"))


def _rating(form: Form) -> SeverityChanged:
    try:
        severity, priority = Severity(form.get("severity")), Priority(form.get("priority"))
    except ValueError as error:
        raise InputError(str(error), "severity") from None
    return SeverityChanged(severity=severity, priority=priority, reason=form.must("reason", "The reason"))


def _metric(context: ApiContext, incident: Incident, signal: Signal) -> dict[str, Any]:
    unit = _unit(context, signal)
    return {
        "metric": signal.metric,
        "where": ", ".join(f"{name}={value}" for name, value in signal.segment.conditions.items()),
        "dimension": signal.segment.dimension,
        "value": signal.segment.value,
        "baseline": measured(signal.baseline, unit),
        "observed": measured(signal.observed, unit),
        "cleared": signal.id in incident.cleared,
    }


def _unit(context: ApiContext, signal: Signal) -> str:
    metric = context.metrics.get(signal.metric)
    return metric.unit.value if metric else Unit.COUNT.value


def _period(context: ApiContext, incident: Incident) -> tuple[int, int]:
    """From well before the onset to now, or to well after the end; the onset stands at about a third."""
    end = min(context.clock.now_ns() + 1, _last_ns(incident) + 10 * MINUTE_NS)
    after = max(end - incident.started_ns, MINUTE_NS)
    return max(0, incident.started_ns - max(after // 2, MINUTE_NS)), end


def _last_ns(incident: Incident) -> int:
    stamp = incident.timestamps.get("resolved")
    return stamp.ns if stamp else 2**62


def _plots(context: ApiContext, incident: Incident, signals: list[Signal]) -> list[Plot]:
    """What the signals saw, over time. Before the onset is as usual: that part of the very period is the band."""
    start, end = _period(context, incident)
    marks, step = _marks(context, incident, start, end), max(1, (end - start) // STEPS)
    found: dict[tuple[Segment, str], Series] = {}
    for segment in dict.fromkeys(signal.segment for signal in signals):
        names = [signal.metric for signal in signals if signal.segment == segment]
        by_name = context.telemetry.series_of(segment, names, start, end, step)
        found |= {(segment, name): series for name, series in by_name.items()}
    return [
        Plot(
            name=f"{words(signal.metric)}{f' on {signal.segment.value}' if signal.segment.dimension else ''}",
            unit=_unit(context, signal),
            start_ns=start,
            end_ns=end,
            points=points_of(series),
            baseline=band(cut(series, start, incident.started_ns)),
            marks=marks,
        )
        for signal in signals
        if len(series := found[signal.segment, signal.metric])
    ]


def _marks(context: ApiContext, incident: Incident, start: int, end: int) -> list[Mark]:
    marks = [Mark(incident.started_ns, "onset", "onset")]
    changes = [c for c in context.telemetry.changes(start, end) if c.service in ("", incident.service)]
    marks += [Mark(c.time_ns, "change", f"{c.kind.value} {c.to_value or c.target}") for c in changes[-3:]]
    if mitigated := incident.timestamps.get("mitigated"):
        marks.append(Mark(mitigated.ns, "contained", "mitigated"))
    return marks


def _cohort(context: ApiContext, incident: Incident, signals: list[Signal]) -> dict[str, Any] | None:
    """The first metric inside the cohort's first dimension value and outside of it, since the onset."""
    if not signals or not incident.cohort:
        return None
    (dimension, value), signal = next(iter(incident.cohort.items())), signals[0]
    start, end = incident.started_ns, min(context.clock.now_ns() + 1, _last_ns(incident))
    if end <= start:
        return None
    inside = context.telemetry.metric_series(Segment(incident.service, dimension, value), signal.metric, start, end, end - start)
    whole = context.telemetry.metric_series(Segment(incident.service), signal.metric, start, end, end - start)
    within, total = int(inside.count.sum()), int(whole.count.sum())
    if not within or total <= within:
        return None
    mean = float(inside.mean[0])
    rest = (float(whole.mean[0]) * total - mean * within) / (total - within)
    unit = _unit(context, signal)
    return {
        "metric": signal.metric,
        "inside": mean,
        "outside": max(rest, 0.0),
        "most": max(mean, rest, 1e-9),
        "inside_text": measured(mean, unit),
        "outside_text": measured(max(rest, 0.0), unit),
    }


def _examples(context: ApiContext, incident: Incident) -> Iterable[dict[str, Any]]:
    for exemplar in exemplars(incident)[:EXAMPLES]:
        found = context.telemetry.scored_trace(exemplar.trace_id)
        example: dict[str, Any] = {"trace_id": exemplar.trace_id, "span_id": exemplar.span_id, "why": exemplar.why}
        if found is None:
            yield {**example, "question": "", "pieces": []}
            continue
        trace = found.trace
        answering = trace.answering.span_id if trace.answering else ""
        spans = [s for score in found.scores if score.span_id == answering for s in score.spans if s.field == "answer"]
        yield {**example, "question": trace.question[:600], "pieces": pieces(trace.model_answer, spans)}


def _more_calls(incident: Incident, signals: list[Signal]) -> str:
    asked = {"service": incident.service, "since": to_iso(incident.started_ns)}
    if signals:
        asked |= {
            "metric": signals[0].metric,
            "score_from": f"{max(signals[0].observed, 0.5 if signals[0].observed < 1 else 0):.3g}",
        }
    if incident.cohort:
        name, value = next(iter(incident.cohort.items()))
        asked["where"] = f"{name}={value}"
    return f"/calls?{urlencode(asked)}"


def _entry(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "time_ns": entry.time_ns,
        "actor": entry.actor.removeprefix("user:"),
        "person": entry.actor.startswith(("user:", "token:")) or entry.actor == "demo",
        "what": DONE.get(entry.event, entry.event),
        "text": entry.text,
    }


def _similar(context: ApiContext, who: Identity, incident: Incident) -> list[tuple[Incident, str]]:
    """Earlier incidents of the application with the same failing metrics or the same most probable fault."""
    query = IncidentQuery(service=incident.service, order=Order.DETECTED, limit=200)
    mine, fault = {s.metric for s in incident.signals}, _fault(incident)
    rated = []
    for other in listed(context, who, query)[0]:
        shared = mine & {s.metric for s in other.signals}
        same_fault = bool(fault) and fault == _fault(other)
        if other.id == incident.id or not (shared or same_fault):
            continue
        union = mine | {s.metric for s in other.signals}
        told = [f"{len(shared)} metrics in common"] if shared else []
        told += [f"same fault: {words(fault)}"] if same_fault else []
        rated.append((len(shared) / max(len(union), 1) + same_fault, other, ", ".join(told)))
    rated.sort(key=lambda item: (-item[0], -item[1].detected_ns))
    return [(other, told) for _, other, told in rated[:SIMILAR]]


def _fault(incident: Incident) -> str:
    return incident.diagnosis.causes[0].fault if incident.diagnosis and incident.diagnosis.causes else ""
