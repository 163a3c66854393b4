"""What kind of step a span is, and what went in and came out of it."""

import re
from typing import Any

from holdfast.core.call import Kind, Message
from holdfast.ingest.otlp.convert import structured
from holdfast.ingest.otlp.documents import certain_documents, documents
from holdfast.ingest.otlp.draft import Draft
from holdfast.ingest.otlp.judgements import guardrail_of_step
from holdfast.ingest.otlp.messages import completion_messages, prompt_messages
from holdfast.ingest.otlp.step_text import arguments_text, input_text, output_text, unquoted

_VECTOR_STORES = frozenset(
    {
        *("chroma", "chromadb", "pinecone", "qdrant", "weaviate", "milvus", "marqo", "lancedb", "pgvector"),
        *("redis_vector", "vespa", "opensearch", "elasticsearch"),
    }
)
_QUERIES = ("query", "search", "get", "knn", "retrieve")
_RETRIEVES = re.compile(
    r"retriev|vector|similarit|knowledge|(^|[._ \-])search|(fetch|find|get|lookup)_?(doc|context|passage|chunk)", re.I
)
_RERANKS = re.compile(r"re-?rank", re.I)
_GUARDS = re.compile(
    r"guard|moderat"
    r"|(safety|toxicity|content|policy|pii|output|input|prompt|jailbreak|injection)[._ \-]?(check|filter|shield|scan)",
    re.I,
)
_STEPS = (Kind.TASK, Kind.OTHER)
_ERROR = 2


def settle_kind(draft: Draft) -> Kind:
    """The kind that the tables found, put right where its convention is vague, else what the fields suggest."""
    found, span = draft.found, draft.span
    kind: Kind = found.get("kind") or _inferred(draft)
    if kind is Kind.WORKFLOW and span.parent_span_id and "openinference.span.kind" in span.attributes:
        kind = Kind.TASK
    if kind not in _STEPS:
        return kind
    name = found.get("~entity") or span.name
    if "~guardrail" in found or _GUARDS.search(name):
        return Kind.GUARDRAIL
    output = found.get("~output")
    hinted = _RETRIEVES.search(name) is not None
    if output is not None and ((hinted and _is_list(output)) or certain_documents(output)):
        return Kind.RERANK if _RERANKS.search(name) else Kind.RETRIEVAL
    return kind


def _is_list(output: Any) -> bool:
    """Whether an output can be a list of documents, an empty one too."""
    parsed = structured(output)
    if isinstance(parsed, list):
        return True
    return isinstance(parsed, dict) and any(isinstance(structured(v), list) for v in parsed.values())


def _inferred(draft: Draft) -> Kind:
    found = draft.found
    if "tool_name" in found:
        return Kind.TOOL
    if "documents" in found or _is_vector_query(draft):
        return Kind.RETRIEVAL
    if "output_messages" in found or "input_messages" in found or "request_model" in found:
        return Kind.LLM
    if "~guardrail" in found:
        return Kind.GUARDRAIL
    return Kind.TASK if "~input" in found or "~output" in found else Kind.OTHER


def _is_vector_query(draft: Draft) -> bool:
    found = draft.found
    if "~db.vector" in found:
        return True
    if str(found.get("~db", "")).lower() not in _VECTOR_STORES:
        return False
    told = f"{found.get('~db.operation', '')} {draft.span.name}".lower()
    return any(word in told for word in _QUERIES)


def settle_content(draft: Draft, kind: Kind) -> None:
    """Turn the step's input and output into the fields that its kind has."""
    if kind is Kind.LLM:
        _conversation(draft)
    elif kind is Kind.TOOL:
        _tool(draft)
    elif kind in (Kind.RETRIEVAL, Kind.RERANK):
        _retrieval(draft)
    else:
        _step(draft, kind)


def _conversation(draft: Draft) -> None:
    found = draft.found
    if "input_messages" not in found and "~input" in found:
        found["input_messages"] = _said(prompt_messages(found["~input"])) or (Message("user", input_text(found["~input"])),)
    if "output_messages" not in found and "~output" in found:
        found["output_messages"] = _said(completion_messages(found["~output"])) or (
            Message("assistant", output_text(found["~output"])),
        )


def _said(messages: tuple[Message, ...] | None) -> tuple[Message, ...]:
    return messages if messages and any(m.content or m.tool_calls for m in messages) else ()


def _tool(draft: Draft) -> None:
    found, span = draft.found, draft.span
    if "tool_name" not in found:
        found["tool_name"] = found.get("~entity") or span.name.removeprefix("execute_tool ").removeprefix("tools/call ")
    if "tool_arguments" not in found and "~input" in found:
        found["tool_arguments"] = arguments_text(found["~input"])
    if "tool_result" not in found and "~output" in found:
        found["tool_result"] = unquoted(found["~output"])
    if "documents" not in found and "tool_result" in found and (held := certain_documents(found["tool_result"])):
        found["documents"] = held


def _retrieval(draft: Draft) -> None:
    found = draft.found
    if "~input" in found:
        found["input_text"] = input_text(found["~input"])
    if "documents" in found or "~output" not in found:
        return
    held = documents(found["~output"])
    if held:
        found["documents"] = held
    elif not _is_list(found["~output"]):
        found["output_text"] = output_text(found["~output"])


def _step(draft: Draft, kind: Kind) -> None:
    found = draft.found
    if "~input" in found:
        found["input_text"] = input_text(found["~input"])
    elif "input_messages" in found:
        asked = [m.content for m in found["input_messages"] if m.role == "user" and m.content]
        found["input_text"] = asked[-1] if asked else ""
    if "~output" in found:
        found["output_text"] = output_text(found["~output"])
    if kind is Kind.GUARDRAIL and not draft.guardrails:
        name = found.get("~entity") or draft.span.name or "guardrail"
        before, after = found.get("input_text", ""), found.get("output_text", "")
        judged = guardrail_of_step(name, before, found.get("~output"), after, draft.span.status == _ERROR)
        if judged is not None:
            draft.guardrails.append(judged)
