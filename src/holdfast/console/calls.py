"""Searching calls, and the tree of one trace."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.roles import Role
from holdfast.api.actions import visible
from holdfast.api.calls import SEARCH_S, conditions
from holdfast.api.context import ApiContext, Context
from holdfast.api.documents import PREVIEW, asked, tree
from holdfast.api.incidents import time_ns
from holdfast.api.labels import LabelBody, add_label
from holdfast.console.forms import SignedForm
from holdfast.console.incidents import seen_services
from holdfast.console.page import PageRoute, Viewer, back, render
from holdfast.console.reveals import reveal_links
from holdfast.console.shown import measured, number
from holdfast.console.texts import Piece, pieces
from holdfast.core.call import DIMENSIONS, Call, Document, Kind
from holdfast.core.errors import InputError, NotFoundError
from holdfast.core.label import Label
from holdfast.core.score import Direction, Score, Span, Unit
from holdfast.core.trace import ScoredTrace
from holdfast.telemetry.search import CallQuery, Hit

router = APIRouter(route_class=PageRoute)

PAGE = 50
ALARMING = 0.5
"""Probability of a failure from which a score is set off on the page."""
WORST = 3


@router.get("/calls")
def show_calls(request: Request, context: Context, who: Viewer) -> Response:
    """Filters are in the address."""
    given = request.query_params
    query = CallQuery(
        services=visible(who),
        service=given.get("service", ""),
        kind=_kind(given.get("kind", Kind.LLM)),
        dimensions=conditions([text for text in given.getlist("where") if text]),
        metric=given.get("metric", ""),
        score_from=_score(given.get("score_from", "")),
        text=given.get("text", "")[:256],
        start_ns=time_ns(given.get("since", ""), 0),
        limit=PAGE,
        cursor=given.get("cursor", ""),
        budget_s=SEARCH_S,
    )
    found = context.telemetry.search(query)
    kept = [(name, value) for name, value in given.multi_items() if value and name != "cursor"]
    return render(
        request,
        who,
        "calls.html",
        hits=[_hit(context, hit) for hit in found.hits],
        reached_ns=found.reached_ns,
        next=f"/calls?{urlencode([*kept, ('cursor', found.next)])}" if found.next else "",
        services=seen_services(context, who),
        kind=given.get("kind", Kind.LLM.value),
        kinds=["any", *(k.value for k in Kind)],
        dimensions=DIMENSIONS,
        metrics=sorted(context.metrics),
    )


@router.get("/traces/{trace_id}")
def show_trace(request: Request, context: Context, who: Viewer, trace_id: str) -> Response:
    """Every call of a request; those that a score is about are open."""
    found = context.telemetry.scored_trace(trace_id)
    if found is None or not who.may(Role.VIEWER, found.trace.service):
        raise NotFoundError(f"No trace {trace_id!r}. It may be older than stores.retention_days.")
    labels = {(label.span_id, label.metric): label for label in context.telemetry.labels(trace_id=trace_id)}
    shown = [_row(context, found, call, depth, labels) for call, depth in tree(found)]
    return render(
        request,
        who,
        "trace.html",
        trace=found.trace,
        calls=shown,
        links=reveal_links(context, who, found.trace.service, f"/traces/{trace_id}", _pieces(shown)),
        evaluations=context.telemetry.evaluations(trace_id),
        may_label=who.may(Role.RESPONDER, found.trace.service),
    )


@router.post("/traces/{trace_id}/label")
def label(context: Context, who: Viewer, trace_id: str, form: SignedForm) -> Response:
    """Says of one score whether the call fails by it."""
    verdict = form.get("failed")
    if verdict not in ("yes", "no"):
        raise InputError("is yes or no", "failed")
    span = form.get("span")
    try:
        body = LabelBody(trace_id=trace_id, span_id=span, metric=form.must("metric", "The metric", 128), failed=verdict == "yes")
    except ValueError as error:
        raise InputError(str(error).splitlines()[0], "label") from None
    add_label(context, who, body)
    return back(f"/traces/{trace_id}#{span}")


def _kind(text: str) -> Kind | None:
    try:
        return None if text in ("", "any") else Kind(text)
    except ValueError:
        raise InputError(f"{text!r} is none of {', '.join(Kind)}", "kind") from None


def _score(text: str) -> float:
    try:
        found = float(text or 0)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e300:
        raise InputError(f"{text!r} is no number from 0 upwards", "at least")
    return found


def _hit(context: ApiContext, hit: Hit) -> dict[str, Any]:
    rated = [(name, value) for name, value in hit.scores.items() if _is_failure(context, name)]
    rated.sort(key=lambda item: -item[1])
    return {
        "call": hit.call,
        "asked": asked(hit.call)[:PREVIEW],
        "answered": (hit.call.answer or hit.call.tool_result)[:PREVIEW],
        "worst": [(name, measured(value, Unit.PROBABILITY)) for name, value in rated[:WORST] if value >= 0.1],
        "failed": hit.failed,
    }


def _is_failure(context: ApiContext, name: str) -> bool:
    metric = context.metrics.get(name)
    return metric is not None and metric.unit is Unit.PROBABILITY and metric.direction is Direction.UP_IS_WORSE


def _row(context: ApiContext, found: ScoredTrace, call: Call, depth: int, labels: dict[tuple[str, str], Label]) -> dict[str, Any]:
    trace = found.trace
    whole = max(trace.end_ns - trace.start_ns, 1)
    scores = [_shown(context, s, labels) for s in found.scores if s.span_id == call.span_id]
    scores.sort(key=lambda s: (not s["alarming"], -s["value"] if s["alarming"] else 0, s["metric"]))
    failed = [f for f in found.failures if f.span_id == call.span_id]
    alarming = [s for s in scores if s["alarming"]]
    spans = [s for score in found.scores if score.span_id == call.span_id for s in score.spans]
    return {
        "call": call,
        "depth": depth,
        "begin": (call.start_ns - trace.start_ns) / whole,
        "end": (call.end_ns - trace.start_ns) / whole,
        "scores": scores,
        "alarming": alarming[:WORST],
        "failed": failed,
        "open": bool(alarming or failed) or len(trace.calls) == 1 or call is trace.answering,
        "texts": _texts(call, spans),
        "documents": [{"role": _document_role(document), "pieces": pieces(document.content)} for document in call.documents],
        "error": pieces(call.error_message),
    }


def _document_role(document: Document) -> str:
    named = document.source or document.id or "document"
    return named if document.score is None else f"{named} {number(document.score)}"


def _pieces(rows: list[dict[str, Any]]) -> list[Piece]:
    """Everything that is shown of these calls."""
    return [
        piece for row in rows for text in (*row["texts"], *row["documents"], {"pieces": row["error"]}) for piece in text["pieces"]
    ]


def _shown(context: ApiContext, score: Score, labels: dict[tuple[str, str], Label]) -> dict[str, Any]:
    metric = context.metrics.get(score.metric)
    return {
        "metric": score.metric,
        "value": score.value,
        "text": measured(score.value, metric.unit.value if metric else ""),
        "alarming": _is_failure(context, score.metric) and score.value >= ALARMING,
        "why": score.why,
        "scorer": score.scorer,
        "version": score.version,
        "label": labels.get((score.span_id, score.metric)),
    }


def _texts(call: Call, spans: list[Span]) -> list[dict[str, Any]]:
    """Everything that was said, in order: who said it and what, in pieces."""
    said: list[tuple[str, list[Piece]]] = []
    if call.system_instructions:
        said.append(("system", pieces(call.system_instructions)))
    said += [(message.role, pieces(message.content)) for message in call.input_messages if message.content]
    if call.input_text and not call.input_messages:
        said.append(("input", pieces(call.input_text)))
    if call.tool_arguments:
        said.append(("arguments", pieces(call.tool_arguments)))
    if call.tool_result:
        said.append(("result", pieces(call.tool_result)))
    if call.answer:
        said.append(("output", pieces(call.answer, [s for s in spans if s.field == "answer"])))
    said += [
        ("tool call", pieces(f"{wanted.name}({wanted.arguments})"))
        for message in call.output_messages
        for wanted in message.tool_calls
    ]
    return [{"role": role, "pieces": parts} for role, parts in said]
