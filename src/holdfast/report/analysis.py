"""The document that `holdfast analyze --json` prints. Its shape is a contract with other programs."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec

from holdfast.core.clock import to_iso
from holdfast.core.diagnosis import Attacker
from holdfast.core.incident import Incident, State
from holdfast.core.score import Metric
from holdfast.core.signal import Exemplar, Signal, Verdict
from holdfast.report.instrumentation import Instrumentation, document_of

MAX_EVIDENCE = 20
COHORT = "cohort"
"""The group of a diagnosis' statement that shows the cohort's worst calls by the failing metric that it was found by."""


class MetricSummary(msgspec.Struct, frozen=True):
    """A metric over the whole period: how many scores, and their mean in the metric's unit."""

    name: str
    count: int
    mean: float


class ChangesRead(msgspec.Struct, frozen=True):
    """What became of the changes: how many were `read` and how many lines `left_out`.

    `unknown_dimensions` are named by their scopes and carried by no call: by them a change touches nobody.
    """

    read: int = 0
    left_out: int = 0
    unknown_dimensions: Sequence[str] = ()


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """What an analysis found. `start_ns` and `end_ns` are None where there was no call.

    `calls` counts spans, `requests` traces; what was said of them apart from any span is neither.
    """

    start_ns: int | None
    end_ns: int | None
    calls: int
    requests: int
    metrics: Sequence[MetricSummary]
    incidents: Sequence[Incident]
    coverage: dict[str, dict[str, int]]
    rejected: int = 0
    changes: ChangesRead = ChangesRead()
    instrumentation: Sequence[Instrumentation] = ()
    """What the requests of each application told."""


def document(analysis: Analysis, metrics: dict[str, Metric]) -> dict[str, Any]:
    """The analysis as JSON values. All times are event times."""
    return {
        "period": {
            "start": to_iso(analysis.start_ns) if analysis.start_ns is not None else None,
            "end": to_iso(analysis.end_ns) if analysis.end_ns is not None else None,
        },
        "calls": analysis.calls,
        "requests": analysis.requests,
        "rejected": analysis.rejected,
        "changes": {
            "read": analysis.changes.read,
            "left_out": analysis.changes.left_out,
            "unknown_dimensions": list(analysis.changes.unknown_dimensions),
        },
        "metrics": {m.name: {"count": m.count, "mean": round(m.mean, 6)} for m in analysis.metrics},
        "incidents": [incident_document(i, metrics) for i in sorted(analysis.incidents, key=lambda i: i.detected_ns) if shown(i)],
        "coverage": analysis.coverage,
        "instrumentation": document_of(analysis.instrumentation),
    }


def shown(incident: Incident) -> bool:
    """Whether people are to see it: candidates, declined and merged ones are kept in the ledger only."""
    return incident.state not in (State.CANDIDATE, State.DECLINED, State.MERGED)


def incident_document(incident: Incident, metrics: dict[str, Metric]) -> dict[str, Any]:
    """One incident as JSON values."""
    diagnosis = incident.diagnosis
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": str(incident.severity),
        "state": str(incident.state),
        "service": incident.service,
        "started_at": to_iso(incident.started_ns),
        "detected_at": to_iso(incident.detected_ns),
        "failure_modes": failure_modes(incident, metrics),
        "cohort": incident.cohort,
        "attackers": [attacker_document(one) for one in (diagnosis.attackers if diagnosis else ())],
        "metrics": [
            {"name": s.metric, "baseline": round(s.baseline, 6), "observed": round(s.observed, 6)}
            for s in strongest_by_metric(incident)
        ],
        "diagnosis": {
            "layers": [{"layer": str(p.layer), "probability": round(p.probability, 4)} for p in diagnosis.layers]
            if diagnosis
            else [],
            "causes": [
                {
                    "fault": c.fault,
                    "layer": str(c.layer),
                    "probability": round(c.probability, 4),
                    "suspect": c.suspect,
                    "change_id": c.change_id or None,
                }
                for c in (diagnosis.causes if diagnosis else ())
            ],
        },
        "impact": {
            "calls": incident.impact.calls,
            "users": incident.impact.users,
            "cost_usd": None if incident.impact.cost_usd is None else round(incident.impact.cost_usd, 4),
        },
        "evidence": [{"trace_id": e.trace_id, "span_id": e.span_id, "why": e.why} for e in exemplars(incident)],
        "actions": list(diagnosis.actions) if diagnosis else [],
    }


def attacker_document(attacker: Attacker) -> dict[str, Any]:
    """One user who attacks, as JSON values."""
    return {
        "user": attacker.user,
        "attacks": attacker.attacks,
        "requests": attacker.requests,
        "first_at": to_iso(attacker.first_ns),
        "last_at": to_iso(attacker.last_ns),
        "new": attacker.new,
    }


def strongest_by_metric(incident: Incident) -> list[Signal]:
    """The signal with the most evidence of each metric, failures first, strongest first."""
    best: dict[str, Signal] = {}
    for signal in incident.signals:
        if signal.metric not in best or signal.log_evidence > best[signal.metric].log_evidence:
            best[signal.metric] = signal
    return sorted(best.values(), key=lambda s: (s.verdict is not Verdict.FAILURE, -s.log_evidence))


def failure_modes(incident: Incident, metrics: dict[str, Metric]) -> list[str]:
    """What the incident's failing metrics are called, strongest first, each once."""
    names = [metrics[s.metric].failure_mode if s.metric in metrics else s.metric for s in strongest_by_metric(incident)]
    return list(dict.fromkeys(names))


def exemplars(incident: Incident) -> list[Exemplar]:
    """Calls of the cohort that show what fails, each once, those of the strongest metric first.

    Calls that show what else moved there speak where none of these is known, and those of signals from larger segments, which
    may be of others, where nothing else is.
    """
    signals, told = strongest_by_metric(incident), incident.diagnosis.evidence if incident.diagnosis else ()
    within = [signal for signal in signals if incident.cohort.items() <= signal.segment.conditions.items()]
    failing = [signal.exemplars for signal in within if signal.verdict is Verdict.FAILURE]
    failing += [statement.exemplars for statement in told if statement.group == COHORT]
    moved = [*(signal.exemplars for signal in within), *(statement.exemplars for statement in told)]
    elsewhere = [signal.exemplars for signal in signals]
    groups = next((groups for groups in (failing, moved, elsewhere) if any(groups)), [])
    found: dict[tuple[str, str], Exemplar] = {}
    for exemplar in chain.from_iterable(groups):
        found.setdefault((exemplar.trace_id, exemplar.span_id), exemplar)
    return list(found.values())[:MAX_EVIDENCE]
