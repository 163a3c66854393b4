"""OpenLLMetry (Traceloop): `traceloop.*`, and content flattened into `gen_ai.prompt.N.*`; older names with `llm.*`."""

from typing import Any

from holdfast.core.call import Kind
from holdfast.ingest.otlp.convert import (
    boolean,
    count,
    label,
    mean_logprob,
    output_schema,
    real,
    strings,
    text,
    text_mapping,
    tool_names,
)
from holdfast.ingest.otlp.flattened import at, elements
from holdfast.ingest.otlp.messages import completion_messages, prompt_messages
from holdfast.ingest.otlp.openinference import tree
from holdfast.ingest.otlp.table import Convention, Rule

KINDS = {"workflow": Kind.WORKFLOW, "task": Kind.TASK, "agent": Kind.AGENT, "tool": Kind.TOOL}
REQUEST_TYPES = {"chat": Kind.LLM, "completion": Kind.LLM, "embedding": Kind.EMBEDDING, "rerank": Kind.RERANK}


def span_kind(value: Any) -> Kind | None:
    """`traceloop.span.kind` → kind."""
    return KINDS.get(str(value).lower())


def request_type(value: Any) -> Kind | None:
    """`llm.request.type` → kind."""
    return REQUEST_TYPES.get(str(value).lower())


def reasons_in_completions(node: Any) -> tuple[str, ...] | None:
    """`gen_ai.completion.N.finish_reason`."""
    return tuple(str(r) for entry in elements(node) if (r := at(entry, "finish_reason"))) or None


def logprobs_in_completions(node: Any) -> float | None:
    """`gen_ai.completion.N.logprobs` of the first completion that has them."""
    return next((mean for entry in elements(node) if (mean := mean_logprob(at(entry, "logprobs"))) is not None), None)


def offered_functions(node: Any) -> tuple[str, ...] | None:
    """`llm.request.functions.N.name`."""
    return tool_names(elements(node))


OPENLLMETRY = Convention(
    name="openllmetry",
    version="openllmetry/1",
    rules=(
        Rule("traceloop.span.kind", "kind", span_kind),
        Rule("llm.request.type", "kind", request_type),
        Rule("gen_ai.openai.system_fingerprint", "system_fingerprint", text),
        Rule("gen_ai.response.finish_reason", "finish_reasons", strings),
        Rule("gen_ai.response.stop_reason", "finish_reasons", strings),
        Rule("llm.response.finish_reason", "finish_reasons", strings),
        Rule("llm.response.stop_reason", "finish_reasons", strings),
        Rule("gen_ai.usage.cache_read_input_tokens", "usage.cache_read_tokens", count),
        Rule("gen_ai.usage.cache_creation_input_tokens", "usage.cache_write_tokens", count),
        Rule("gen_ai.usage.reasoning_tokens", "usage.reasoning_tokens", count),
        Rule("llm.usage.reasoning_tokens", "usage.reasoning_tokens", count),
        Rule("gen_ai.is_streaming", "parameters.stream", boolean),
        Rule("llm.is_streaming", "parameters.stream", boolean),
        Rule("llm.frequency_penalty", "parameters.frequency_penalty", real),
        Rule("llm.presence_penalty", "parameters.presence_penalty", real),
        Rule("llm.top_k", "parameters.top_k", count),
        Rule("llm.chat.stop_sequences", "parameters.stop_sequences", text),
        Rule("llm.request.repetition_penalty", "parameters.repetition_penalty", real),
        Rule("llm.request.reasoning_effort", "parameters.reasoning_effort", text),
        Rule("llm.request.structured_output_schema", "output_schema", output_schema),
        Rule("llm.response.logprobs", "mean_logprob", mean_logprob),
        Rule("traceloop.prompt.template", "prompt_template", text),
        Rule("traceloop.prompt.template_variables", "prompt_variables", text_mapping),
        Rule("traceloop.prompt.version", "dimension.prompt.version", label),
        Rule("traceloop.prompt.version_name", "dimension.prompt.version", label),
        Rule("traceloop.prompt.version_hash", "dimension.prompt.version", label),
        Rule("traceloop.entity.name", "~entity", text),
        Rule("traceloop.entity.input", "~input", text),
        Rule("traceloop.entity.output", "~output", text),
        Rule("db.marqo.search.query", "~input", text),
    ),
    lists=(
        Rule("gen_ai.prompt", "input_messages", prompt_messages),
        Rule("gen_ai.completion", "output_messages", completion_messages),
        Rule("gen_ai.completion", "finish_reasons", reasons_in_completions),
        Rule("gen_ai.completion", "mean_logprob", logprobs_in_completions),
        Rule("llm.prompts", "input_messages", prompt_messages),
        Rule("llm.completions", "output_messages", completion_messages),
        Rule("llm.request.functions", "tool_definitions", offered_functions),
        Rule("traceloop.association.properties", "~association", tree),
    ),
)

EVIDENCE = ("traceloop.", "gen_ai.prompt.0.", "gen_ai.completion.0.", "llm.request.type", "llm.usage.", "llm.is_streaming")
"""Prefixes of attributes that only this convention writes."""
