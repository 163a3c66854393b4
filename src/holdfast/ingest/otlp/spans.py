"""A raw span becomes a `Call`: the tables are read, then what needs more than one attribute is settled."""

from typing import Any

from holdfast.core.call import Call, Guardrail, Kind, Status, Usage
from holdfast.core.errors import InputError
from holdfast.ingest.otlp.application import FEEDBACK, properties
from holdfast.ingest.otlp.conventions import plan_for
from holdfast.ingest.otlp.convert import output_schema, output_type, scalar, tool_names
from holdfast.ingest.otlp.dimensions import dimensions_of
from holdfast.ingest.otlp.draft import Draft, read
from holdfast.ingest.otlp.judgements import evaluations, feedback, genai_evaluation, guardrail
from holdfast.ingest.otlp.raw import Attributes, RawSpan
from holdfast.ingest.otlp.span_events import read_events
from holdfast.ingest.otlp.steps import settle_content, settle_kind

_STATUS = {1: Status.OK, 2: Status.ERROR}
_NO_USAGE = Usage()
_TREES = (
    "~evaluations",
    "~annotations",
    "~trace.evaluations",
    "~trace.annotations",
    "~session.evaluations",
    "~session.annotations",
)
_SPAN_KINDS = {2: "server", 3: "client", 4: "producer", 5: "consumer"}


def map_span(span: RawSpan) -> tuple[Call, list[str]]:
    """(the call, what of the span was refused). Never refuses the span itself."""
    plan = plan_for(tuple(span.attributes), span.scope)
    draft = read(span, plan)
    found = draft.found
    if span.events or "~events" in found:
        read_events(draft)
    if "~invocation_parameters" in found:
        _invocation(draft)
    kind = settle_kind(draft)
    if "~guardrail" in found:
        _guardrail(draft)
    settle_content(draft, kind)
    _evaluations(draft)
    if "output_schema" in found:
        found.setdefault("output_type", "json")
    status = _STATUS.get(span.status, Status.UNSET)
    if span.status_message:
        found["error_message"] = span.status_message
    elif status is not Status.ERROR and "error_message" in found and "error_type" not in found:
        del found["error_message"]
    dimensions = dimensions_of(draft, found.get("documents", ()))
    fields = {field: value for field, value in found.items() if field[0] != "~"}
    fields["kind"] = kind
    call = Call(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        name=span.name,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        status=status,
        dimensions=dimensions,
        usage=Usage(**draft.usage) if draft.usage else _NO_USAGE,
        parameters=draft.parameters,
        evaluations=tuple(draft.evaluations),
        guardrails=tuple(draft.guardrails),
        convention=plan.convention.name,
        mapper_version=plan.convention.version,
        attributes=_kept(span),
        resource=span.resource,
        scope=span.scope,
        **fields,
    )
    return call, draft.faults


def _kept(span: RawSpan) -> Attributes:
    """Everything of the span that has no field of its own, beside its attributes."""
    kept = span.attributes
    if span.events:
        kept["holdfast.span.events"] = [{"name": e.name, "time_ns": e.time_ns, "attributes": e.attributes} for e in span.events]
    if span.links:
        kept["holdfast.span.links"] = span.links
    if span.kind in _SPAN_KINDS:
        kept["holdfast.span.kind"] = _SPAN_KINDS[span.kind]
    if span.trace_state:
        kept["holdfast.span.trace_state"] = span.trace_state
    return kept


def _invocation(draft: Draft) -> None:
    """`llm.invocation_parameters`: what was asked of the model."""
    found, told = draft.found, draft.found["~invocation_parameters"]
    if isinstance(model := told.get("model"), str) and model:
        found.setdefault("request_model", model)
    if (asked := told.get("response_format")) is not None:
        if kind := output_type(asked):
            found.setdefault("output_type", kind)
        if schema := output_schema(asked):
            found.setdefault("output_schema", schema)
    if names := tool_names(told.get("tools")):
        found.setdefault("tool_definitions", names)
    for name, value in told.items():
        if name not in ("model", "tools", "messages", "response_format") and (parameter := scalar(value)) is not None:
            draft.parameters.setdefault(str(name), parameter)


def _guardrail(draft: Draft) -> None:
    found = draft.found["~guardrail"]
    judged = guardrail(found, draft.span.name or "guardrail")
    if judged is not None:
        draft.guardrails.append(judged)
    elif draft.span.status == 2 and draft.found.get("kind") is Kind.GUARDRAIL:
        draft.guardrails.append(Guardrail(str(found.get("name") or draft.span.name), "error"))


def _evaluations(draft: Draft) -> None:
    found = draft.found
    for name in _TREES:
        if name in found:
            good, wrong = evaluations(found[name], name.rsplit(".", 1)[-1].lstrip("~").removesuffix("s"))
            draft.evaluations += good
            draft.faults += wrong
    try:
        if "~evaluation" in found:
            draft.evaluations.append(genai_evaluation(draft.span.attributes))
        _feedback(draft)
    except InputError as error:
        draft.faults.append(error.message)


def _feedback(draft: Draft) -> None:
    found = draft.found
    told: Any = None
    if "~feedback.score" in found or "~feedback.comment" in found:
        told = {"score": found.get("~feedback.score"), "label": found.get("~feedback"), "comment": found.get("~feedback.comment")}
    elif "~feedback" in found:
        told = found["~feedback"]
    elif "~metadata" in found or "~association" in found:
        held = properties(found)
        told = next((held[name] for name in FEEDBACK if held.get(name) not in (None, "")), None)
    said = None if told is None else feedback(told)
    if said is not None:
        draft.evaluations.append(said)
