"""OpenInference (Arize Phoenix): `openinference.span.kind`, flattened messages and documents, metadata as JSON."""

import re
from typing import Any

from holdfast.core.call import Kind
from holdfast.ingest.otlp.convert import (
    amount,
    count,
    json_text,
    label,
    mapping,
    mean_logprob,
    strings,
    structured,
    text,
    text_mapping,
    tool_names,
)
from holdfast.ingest.otlp.documents import documents
from holdfast.ingest.otlp.flattened import at, elements
from holdfast.ingest.otlp.messages import completion_messages, prompt_messages
from holdfast.ingest.otlp.otel_genai import provider
from holdfast.ingest.otlp.table import Convention, Rule

KINDS = {
    "LLM": Kind.LLM,
    "EMBEDDING": Kind.EMBEDDING,
    "RETRIEVER": Kind.RETRIEVAL,
    "RERANKER": Kind.RERANK,
    "TOOL": Kind.TOOL,
    "AGENT": Kind.AGENT,
    "CHAIN": Kind.WORKFLOW,
    "PROMPT": Kind.TASK,
    "DECISION": Kind.TASK,
    "GUARDRAIL": Kind.GUARDRAIL,
    "EVALUATOR": Kind.EVALUATION,
}
"""A CHAIN below another span becomes a task."""
_REPLY = re.compile(r'"(?:object|type)": ?"(?:chat\.completion(?:\.chunk)?|text_completion|message)"')


def span_kind(value: Any) -> Kind | None:
    """`openinference.span.kind` → kind; UNKNOWN says nothing."""
    return KINDS.get(str(value).upper())


def offered_tools(node: Any) -> tuple[str, ...] | None:
    """`llm.tools.N.tool.json_schema` → names."""
    schemas = [at(entry, "tool", "json_schema") or at(entry, "tool") for entry in elements(node)]
    return tool_names(schemas)


def embedded_text(node: Any) -> str | None:
    """`embedding.embeddings.N.embedding.text` → the texts, one per line."""
    return "\n".join(str(t) for entry in elements(node) if (t := at(entry, "embedding", "text"))) or None


def raw_reply(value: Any) -> dict[str, Any] | None:
    """`output.value` where it is the model's whole reply in OpenAI's or Anthropic's words: it holds more than the convention."""
    if not isinstance(value, str) or value[:1] != "{" or not _REPLY.search(value):
        return None
    parsed = structured(value)
    return parsed if isinstance(parsed, dict) else None


def reply_id(value: Any) -> str | None:
    """The id of the reply: evaluations refer to it."""
    reply = raw_reply(value)
    return text(reply.get("id")) if reply else None


def reply_logprob(value: Any) -> float | None:
    """The mean log probability of the first choice, where it was asked for."""
    reply = raw_reply(value) if isinstance(value, str) and '"logprob"' in value else None
    return next((mean_logprob(at(choice, "logprobs")) for choice in elements(at(reply, "choices"))), None)


def tree(node: Any) -> Any:
    """The tree as it is, for those who interpret it later."""
    return node


OPENINFERENCE = Convention(
    name="openinference",
    version="openinference/2",
    rules=(
        Rule("openinference.span.kind", "kind", span_kind),
        Rule("llm.provider", "provider", provider),
        Rule("llm.system", "provider", provider),
        Rule("decision.provider", "provider", provider),
        Rule("llm.request.model_name", "request_model", text),
        Rule("decision.request.model_name", "request_model", text),
        Rule("llm.response.model_name", "response_model", text),
        Rule("llm.model_name", "response_model", text),
        Rule("embedding.model_name", "response_model", text),
        Rule("reranker.model_name", "response_model", text),
        Rule("decision.response.model_name", "response_model", text),
        Rule("decision.model_name", "response_model", text),
        Rule("llm.invocation_parameters", "~invocation_parameters", mapping),
        Rule("embedding.invocation_parameters", "~invocation_parameters", mapping),
        Rule("llm.input_messages", "input_messages", prompt_messages),
        Rule("llm.output_messages", "output_messages", completion_messages),
        Rule("llm.prompts", "input_messages", prompt_messages),
        Rule("llm.finish_reason", "finish_reasons", strings),
        Rule("llm.token_count.prompt", "usage.input_tokens", count),
        Rule("decision.token_count.input", "usage.input_tokens", count),
        Rule("llm.token_count.completion", "usage.output_tokens", count),
        Rule("decision.token_count.output", "usage.output_tokens", count),
        Rule("llm.token_count.prompt_details.cache_read", "usage.cache_read_tokens", count),
        Rule("llm.token_count.prompt_details.cache_input", "usage.cache_read_tokens", count),
        Rule("llm.token_count.prompt_details.cache_write", "usage.cache_write_tokens", count),
        Rule("llm.token_count.completion_details.reasoning", "usage.reasoning_tokens", count),
        Rule("llm.cost.total", "cost_usd", amount),
        Rule("llm.prompt_template.template", "prompt_template", text),
        Rule("llm.prompt_template.variables", "prompt_variables", text_mapping),
        Rule("llm.prompt_template.version", "dimension.prompt.version", label),
        Rule("tool.name", "tool_name", text),
        Rule("tool.parameters", "~tool_parameters", json_text),
        Rule("tool.id", "~tool_id", text),
        Rule("input.value", "~input", text),
        Rule("reranker.query", "~input", text),
        Rule("output.value", "~output", text),
        Rule("output.value", "response_id", reply_id),
        Rule("output.value", "mean_logprob", reply_logprob),
        Rule("session.id", "conversation_id", text),
        Rule("metadata", "~metadata", mapping),
    ),
    lists=(
        Rule("llm.input_messages", "input_messages", prompt_messages),
        Rule("llm.output_messages", "output_messages", completion_messages),
        Rule("llm.prompts", "input_messages", prompt_messages),
        Rule("llm.choices", "output_messages", completion_messages),
        Rule("llm.tools", "tool_definitions", offered_tools),
        Rule("retrieval.documents", "documents", documents),
        Rule("reranker.output_documents", "documents", documents),
        Rule("reranker.input_documents", "~input_documents", documents),
        Rule("embedding.embeddings", "~input", embedded_text),
        Rule("evaluations", "~evaluations", tree),
        Rule("annotations", "~annotations", tree),
        Rule("trace.evaluations", "~trace.evaluations", tree),
        Rule("trace.annotations", "~trace.annotations", tree),
        Rule("session.evaluations", "~session.evaluations", tree),
        Rule("session.annotations", "~session.annotations", tree),
        Rule("metadata", "~metadata", tree),
    ),
)

EVIDENCE = ("openinference.", "llm.", "input.value", "output.value", "retrieval.documents.", "embedding.", "reranker.")
"""Prefixes of attributes that only this convention writes; OpenLLMetry's few `llm.` ones are asked for first."""
