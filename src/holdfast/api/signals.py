"""Signals of incidents, and changes."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from holdfast.access.roles import Role
from holdfast.api.actions import listed
from holdfast.api.context import Context, Who
from holdfast.api.documents import change_document
from holdfast.api.incidents import time_ns
from holdfast.core.change import ChangeKind
from holdfast.core.clock import NS_PER_S, to_iso
from holdfast.core.incident import Incident, State
from holdfast.core.signal import Signal
from holdfast.ledger.listing import IncidentQuery, Order

router = APIRouter(prefix="/api/v1", tags=["signals"])

DAY_NS = 86_400 * NS_PER_S
Name = Annotated[str, Query(max_length=256)]
Time = Annotated[str, Query(max_length=64)]


@router.get("/signals")
def list_signals(
    context: Context,
    who: Who,
    service: Name = "",
    metric: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> list[dict[str, Any]]:
    """Signals of the last touched incidents, candidates included, the newest first."""
    query = IncidentQuery(states=tuple(State), service=service, order=Order.UPDATED, limit=200)
    incidents, _ = listed(context, who, query)
    found = [(s, i) for i in incidents for s in i.signals if not metric or s.metric == metric]
    found.sort(key=lambda pair: -pair[0].detected_ns)
    return [_signal(signal, incident) for signal, incident in found[:limit]]


@router.get("/changes")
def list_changes(  # noqa: PLR0913 - one parameter a filter is how FastAPI documents them
    context: Context,
    who: Who,
    service: Name = "",
    kind: ChangeKind | None = None,
    since: Time = "",
    until: Time = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> list[dict[str, Any]]:
    """Changes of the last seven days, or of the period that is asked for; the newest first."""
    end = time_ns(until, context.clock.now_ns() + 1)
    start = time_ns(since, max(0, end - 7 * DAY_NS))
    found = [
        change
        for change in reversed(context.telemetry.changes(start, end))
        if (not service or change.service in ("", service))
        and (kind is None or change.kind is kind)
        and (who.may(Role.VIEWER, change.service) if change.service else who.may_anywhere(Role.VIEWER))
    ]
    return [change_document(change) for change in found[:limit]]


def _signal(signal: Signal, incident: Incident) -> dict[str, Any]:
    return {
        "id": signal.id,
        "incident": incident.id,
        "cleared": signal.id in incident.cleared,
        "detector": signal.detector,
        "metric": signal.metric,
        "service": signal.segment.service,
        "segment": signal.segment.conditions,
        "onset": to_iso(signal.onset_ns),
        "detected": to_iso(signal.detected_ns),
        "baseline": signal.baseline,
        "observed": signal.observed,
        "calls": signal.calls,
        "bad": signal.bad,
        "log_evidence": signal.log_evidence,
        "threshold": signal.threshold,
        "budget_per_day": signal.budget,
        "verdict": signal.verdict.value,
        "reason": signal.reason,
        "exemplars": [{"trace_id": e.trace_id, "span_id": e.span_id, "why": e.why} for e in signal.exemplars],
    }
