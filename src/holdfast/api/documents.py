"""Calls, traces and changes as JSON values. Texts are what the application sent, redacted: data, never markup."""

from typing import Any

import msgspec

from holdfast.core.call import Call, EvaluationRecord
from holdfast.core.change import Change
from holdfast.core.clock import to_iso
from holdfast.core.label import Label
from holdfast.core.score import Failed, Score
from holdfast.core.trace import ScoredTrace
from holdfast.telemetry.search import Hit

PREVIEW = 240
_LEFT_OUT = ("start_ns", "end_ns", "attributes", "resource", "evaluations", "guardrails")


def hit_document(hit: Hit) -> dict[str, Any]:
    """A call in a list: what it was, how it was scored, and how its texts begin."""
    call = hit.call
    return {
        **_head(call),
        "input": asked(call)[:PREVIEW],
        "output": call.answer[:PREVIEW] or call.tool_result[:PREVIEW],
        "scores": {name: round(value, 6) for name, value in sorted(hit.scores.items())},
        "failed_scorers": list(hit.failed),
    }


def asked(call: Call) -> str:
    """What a call was asked: its last user message, else its input."""
    for message in reversed(call.input_messages):
        if message.role in ("user", "human") and message.content:
            return message.content
    return call.input_text or call.tool_arguments


def trace_document(found: ScoredTrace, evaluations: list[EvaluationRecord], labels: list[Label]) -> dict[str, Any]:
    """A trace with everything that is known of its calls, in order of start, each with its depth in the tree."""
    trace = found.trace
    return {
        "trace_id": trace.trace_id,
        "service": trace.service,
        "start": to_iso(trace.start_ns),
        "end": to_iso(trace.end_ns),
        "dimensions": {name: list(values) for name, values in trace.dimensions.items()},
        "calls": [
            {
                **call_document(call),
                "depth": depth,
                "scores": [_score(s) for s in found.scores if s.span_id == call.span_id],
                "failed_scorers": [_failed(f) for f in found.failures if f.span_id == call.span_id],
            }
            for call, depth in tree(found)
        ],
        "evaluations": [{"time": to_iso(e.time_ns), **msgspec.to_builtins(e.evaluation)} for e in evaluations],
        "labels": [{**msgspec.to_builtins(label), "time": to_iso(label.time_ns)} for label in labels],
    }


def tree(found: ScoredTrace) -> list[tuple[Call, int]]:
    """Calls with their depth, a child behind its parent, siblings by start. A call whose parents go in a circle is a root."""
    calls = found.trace.calls
    known = {call.span_id for call in calls}
    children: dict[str, list[Call]] = {}
    for call in calls:
        children.setdefault(call.parent_span_id if call.parent_span_id in known else "", []).append(call)
    placed: list[tuple[Call, int]] = []
    seen: set[str] = set()
    # What is not below a root is in a circle: each of those is then begun with in order of start.
    stack = [(call, 0) for call in reversed([*children.get("", []), *calls])]
    while stack:
        call, depth = stack.pop()
        if call.span_id in seen:
            continue
        seen.add(call.span_id)
        placed.append((call, depth))
        stack += [(child, depth + 1) for child in reversed(children.get(call.span_id, []))]
    return placed


def call_document(call: Call) -> dict[str, Any]:
    """All of a call but the raw attributes."""
    told = msgspec.to_builtins(call)
    kept = {name: value for name, value in told.items() if name not in _LEFT_OUT and value not in ("", [], {}, None)}
    return {
        **kept,
        **_head(call),
        "guardrails": [msgspec.to_builtins(verdict) for verdict in call.guardrails],
        "evaluations": [msgspec.to_builtins(evaluation) for evaluation in call.evaluations],
    }


def change_document(change: Change) -> dict[str, Any]:
    """A change."""
    return {
        "id": change.id,
        "source": change.source,
        "time": to_iso(change.time_ns),
        "kind": change.kind.value,
        "service": change.service,
        "subject": change.subject,
        "target": change.target,
        "from": change.from_value,
        "to": change.to_value,
        "scope": change.scope,
    }


def _head(call: Call) -> dict[str, Any]:
    return {
        "trace_id": call.trace_id,
        "span_id": call.span_id,
        "parent_span_id": call.parent_span_id,
        "service": call.service,
        "name": call.name,
        "kind": call.kind.value,
        "status": call.status.value,
        "model": call.model,
        "start": to_iso(max(call.start_ns, 0)),
        "end": to_iso(max(call.end_ns, 0)),
        "duration_ms": round(call.duration_ms, 3),
        "cost_usd": call.cost_usd,
        "input_tokens": call.usage.input_tokens,
        "output_tokens": call.usage.output_tokens,
        "dimensions": {name: list(values) for name, values in call.dimensions.items()},
    }


def _score(score: Score) -> dict[str, Any]:
    spans = [{"field": s.field, "start": s.start, "end": s.end, "why": s.why} for s in score.spans]
    return {
        "metric": score.metric,
        "value": round(score.value, 6),
        "scorer": score.scorer,
        "version": score.version,
        "why": score.why,
        "spans": spans,
    }


def _failed(failed: Failed) -> dict[str, Any]:
    return {"scorer": failed.scorer, "version": failed.version, "error_type": failed.error_type, "message": failed.message}
