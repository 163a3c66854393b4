"""What the events of a span say: messages, documents, errors, first tokens, evaluations, feedback, guardrail verdicts."""

from typing import Any

from holdfast.core.call import Document
from holdfast.core.errors import InputError
from holdfast.ingest.otlp.content_events import NAMES, Content, content_of, listed
from holdfast.ingest.otlp.convert import json_text, structured
from holdfast.ingest.otlp.documents import documents
from holdfast.ingest.otlp.draft import Draft
from holdfast.ingest.otlp.flattened import path_of, unflatten
from holdfast.ingest.otlp.judgements import feedback, genai_evaluation, guardrail
from holdfast.ingest.otlp.raw import RawEvent

_FIRST_TOKEN = frozenset(
    {"First Token Stream Event", "llm.content.completion.chunk", "gen_ai.content.completion.chunk", "gen_ai.first_token"}
)
_RESULTS = ("db.query.result", "db.search.result")
_NS_PER_MS = 1e6


def read_events(draft: Draft) -> None:
    """Add what the span's events say to what its attributes said; attributes come first."""
    content = listed(draft.found["~events"]) if "~events" in draft.found else Content()
    retrieved: list[Document] = []
    for event in draft.span.events:
        name = event.name
        if name in NAMES:
            content.add(content_of(name, event.attributes))
        elif name == "exception":
            _exception(draft, event)
        elif name in _FIRST_TOKEN:
            _first_token(draft, event)
        elif name in _RESULTS:
            retrieved += documents([_result(name, event.attributes)]) or ()
        else:
            _judgement(draft, event)
    _add_content(draft, content)
    if retrieved and "documents" not in draft.found:
        draft.found["documents"] = tuple(retrieved)


def _add_content(draft: Draft, content: Content) -> None:
    for field in content.__struct_fields__:
        value = getattr(content, field)
        if value and field not in draft.found:
            draft.found[field] = value


def _exception(draft: Draft, event: RawEvent) -> None:
    draft.found.setdefault("error_type", json_text(event.attributes.get("exception.type") or ""))
    draft.found.setdefault("error_message", json_text(event.attributes.get("exception.message") or ""))


def _first_token(draft: Draft, event: RawEvent) -> None:
    if event.time_ns >= draft.span.start_ns:
        draft.found.setdefault("time_to_first_token_ms", (event.time_ns - draft.span.start_ns) / _NS_PER_MS)


def _result(name: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """`db.query.result.{id,score,distance,metadata,document}` as a document's own names."""
    found = {key.removeprefix(f"{name}."): value for key, value in attributes.items()}
    document = found.pop("document", None)
    entity = structured(found.get("entity"))
    return {**(entity if isinstance(entity, dict) else {}), **found, "content": document or found.get("content", "")}


def _judgement(draft: Draft, event: RawEvent) -> None:
    name = event.name.lower()
    try:
        if name == "gen_ai.evaluation.result":
            draft.evaluations.append(genai_evaluation(event.attributes))
        elif "feedback" in name:
            said = event_feedback(event.attributes)
            draft.evaluations += [said] if said else []
        elif "guardrail" in name:
            tree = unflatten(
                (path_of(k.removeprefix("gen_ai.").removeprefix("guardrail.")), v) for k, v in event.attributes.items()
            )
            verdict = guardrail(tree, "guardrail")
            draft.guardrails += [verdict] if verdict else []
    except InputError as error:
        draft.faults.append(f"event {event.name!r}: {error.message}")


def event_feedback(attributes: dict[str, Any]) -> Any:
    """The feedback in an event's attributes, whatever prefix they have.

    Raises:
        InputError: a score that is no finite number.
    """
    return feedback({key.rsplit(".", 1)[-1]: value for key, value in attributes.items()})
