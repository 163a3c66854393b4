"""The post-mortem: written from the ledger, with every unknown stated as unknown."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from holdfast.core.clock import to_iso
from holdfast.core.diagnosis import Attacker
from holdfast.core.incident import Incident, State, TimelineEntry
from holdfast.core.score import Metric
from holdfast.report.analysis import exemplars, failure_modes, strongest_by_metric

SURE = 0.85


def postmortem(incident: Incident, metrics: dict[str, Metric]) -> str:
    """Markdown. Telemetry is quoted as code so that nothing in it is rendered or followed."""
    return "\n".join(_lines(incident, metrics)) + "\n"


def _lines(incident: Incident, metrics: dict[str, Metric]) -> Iterator[str]:
    yield f"# Post-mortem: {_plain(incident.title)}"
    yield ""
    yield f"Incident `{incident.id}` of {_code(incident.service)}, {incident.severity}, {incident.state}."
    yield "Written by Holdfast from its ledger; no person has reviewed it yet."
    yield ""
    yield from _summary(incident, metrics)
    yield from _impact(incident)
    yield from _detection(incident)
    yield from _cause(incident)
    yield from _evidence(incident)
    yield from _timeline(incident)
    yield from _open_questions(incident)


def _summary(incident: Incident, metrics: dict[str, Metric]) -> Iterator[str]:
    yield "## Summary"
    yield ""
    modes = ", ".join(mode.replace("_", " ") for mode in failure_modes(incident, metrics)[:4]) or "unknown failure"
    cohort = ", ".join(_code(f"{name}={value}") for name, value in incident.cohort.items())
    attackers = incident.diagnosis.attackers if incident.diagnosis else ()
    rest = "users who attack, see below" if attackers else "no dimension explains it: all of the application"
    affected = cohort or rest
    yield f"Since {to_iso(incident.started_ns)}: {modes}; affected: {affected}."
    yield ""
    yield "| metric | before | since |"
    yield "|---|---|---|"
    for signal in strongest_by_metric(incident)[:8]:
        yield f"| {signal.metric} on {_plain(str(signal.segment))} | {signal.baseline:.3g} | {signal.observed:.3g} |"
    yield ""


def _impact(incident: Incident) -> Iterator[str]:
    impact = incident.impact
    yield "## Impact"
    yield ""
    yield f"About {impact.calls} bad answers (95 % interval {impact.calls_low} to {impact.calls_high}), {impact.users} users,"
    yield "Nobody knows what they cost." if impact.cost_usd is None else f"${impact.cost_usd:.2f} spent on the affected calls."
    yield ""
    if incident.diagnosis and incident.diagnosis.attackers:
        yield from _attackers(incident.diagnosis.attackers)


def _attackers(attackers: Sequence[Attacker]) -> Iterator[str]:
    yield "| attacker | attacks | of requests | first | last | new |"
    yield "|---|---|---|---|---|---|"
    for one in attackers:
        seen = f"{to_iso(one.first_ns)} | {to_iso(one.last_ns)}"
        user = _code(one.user).replace("|", r"\|")
        yield f"| {user} | {one.attacks} | {one.requests} | {seen} | {'yes' if one.new else 'no'} |"
    yield ""


def _detection(incident: Incident) -> Iterator[str]:
    stamps = incident.timestamps
    yield "## Detection and response"
    yield ""
    for name in ("started", "detected", "acknowledged", "mitigated", "resolved"):
        stamp = stamps.get(name)
        if stamp is None:
            yield f"- {name}: not recorded"
            continue
        corrected = f", corrected from {to_iso(stamp.corrected_from[-1])}" if stamp.corrected_from else ""
        yield f"- {name}: {to_iso(stamp.ns)} by {_plain(stamp.actor)}{corrected}"
    yield f"- time to detect: {(incident.detected_ns - incident.started_ns) / 1e9:.0f} s"
    yield ""


def _cause(incident: Incident) -> Iterator[str]:
    yield "## Root cause"
    yield ""
    diagnosis = incident.diagnosis
    if diagnosis is None:
        yield "Unknown: no diagnosis was made."
        yield ""
        return
    top = diagnosis.layers[0]
    sure = "" if top.probability >= SURE else f" That is below {SURE}: treat it as a hypothesis."
    yield f"Most probable layer: **{top.layer}** with probability {top.probability:.2f}.{sure}"
    yield ""
    yield "| layer | probability |"
    yield "|---|---|"
    yield from (f"| {p.layer} | {p.probability:.2f} |" for p in diagnosis.layers)
    yield ""
    for cause in diagnosis.causes[:3]:
        change = f", after change {_code(cause.change_id)}" if cause.change_id else ", no change matches"
        yield f"- {cause.fault.replace('_', ' ')} ({cause.layer}, {cause.probability:.2f}){change}. {_plain(cause.why)}".rstrip()
    yield ""


def _evidence(incident: Incident) -> Iterator[str]:
    yield "## Evidence"
    yield ""
    for statement in incident.diagnosis.evidence if incident.diagnosis else ():
        yield f"- {statement.group}: {_plain(statement.text)}"
    for exemplar in exemplars(incident)[:8]:
        yield f"- call `{exemplar.trace_id}/{exemplar.span_id}`: {_plain(exemplar.why)}"
    yield ""


def _timeline(incident: Incident) -> Iterator[str]:
    yield "## Timeline"
    yield ""
    yield "| time | who | what |"
    yield "|---|---|---|"
    for entry in condensed(incident.timeline):
        yield f"| {to_iso(entry.time_ns)} | {_plain(entry.actor)} | {entry.event}: {_plain(entry.text)} |"
    yield ""


def condensed(timeline: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """The timeline with runs of further signals as one line each: the first of a run is told, the rest are counted."""
    lines: list[TimelineEntry] = []
    for event, group in groupby(timeline, key=lambda entry: entry.event):
        entries = list(group)
        if event in ("SignalJoined", "SignalEnded") and len(entries) > 1:
            first = entries[0]
            lines.append(msgspec.structs.replace(first, text=f"{first.text}, and {len(entries) - 1} more"))
        else:
            lines += entries
    return lines


def _open_questions(incident: Incident) -> Iterator[str]:
    yield "## Actions and open questions"
    yield ""
    for action in incident.diagnosis.actions if incident.diagnosis else ():
        yield f"- [ ] {_plain(action)}"
    if incident.state in (State.CANDIDATE, State.OPEN):
        yield "- [ ] The harm has not stopped yet."
    if "acknowledged" not in incident.timestamps:
        yield "- [ ] Nobody has acknowledged the incident."
    yield "- [ ] What went well, what went wrong, where were we lucky?"


def _code(text: str) -> str:
    """Text of unknown origin as a code span: nothing in it is acted on, and no backtick can end it."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"


def _plain(text: str) -> str:
    """Text of unknown origin on one line, with everything that Markdown or HTML would act on made harmless."""
    flat = " ".join(text.split())
    for character in "\\`*_[]<>|#!":
        flat = flat.replace(character, "\\" + character)
    return flat
