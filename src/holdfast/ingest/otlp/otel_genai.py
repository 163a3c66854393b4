"""OpenTelemetry GenAI, all four generations side by side, and MCP.

≤ 1.27 (`gen_ai.prompt`, `prompt_tokens`), 1.28-1.36 (messages as events), 1.37-1.41 (messages as JSON attributes), and the
semantic-conventions-genai repository (new token, cache and retrieval names). A new name is a line here.
"""

from typing import Any

from holdfast.core.call import Kind
from holdfast.ingest.otlp.convert import (
    amount,
    boolean,
    count,
    json_text,
    mean_logprob,
    milliseconds,
    output_schema,
    output_type,
    strings,
    text,
    text_mapping,
    tool_names,
)
from holdfast.ingest.otlp.documents import documents
from holdfast.ingest.otlp.messages import completion_messages, finish_reasons, instructions, prompt_messages
from holdfast.ingest.otlp.table import Convention, Rule

OPERATIONS = {
    "chat": Kind.LLM,
    "generate_content": Kind.LLM,
    "text_completion": Kind.LLM,
    "completion": Kind.LLM,
    "llm_request": Kind.LLM,
    "embeddings": Kind.EMBEDDING,
    "embedding": Kind.EMBEDDING,
    "retrieval": Kind.RETRIEVAL,
    "retrieve": Kind.RETRIEVAL,
    "search_memory": Kind.RETRIEVAL,
    "vector_db_retrieve": Kind.RETRIEVAL,
    "rerank": Kind.RERANK,
    "execute_tool": Kind.TOOL,
    "create_agent": Kind.AGENT,
    "invoke_agent": Kind.AGENT,
    "invoke_workflow": Kind.WORKFLOW,
    "plan": Kind.TASK,
    "execute_task": Kind.TASK,
    "create_memory": Kind.TASK,
    "update_memory": Kind.TASK,
    "upsert_memory": Kind.TASK,
    "delete_memory": Kind.TASK,
    "create_memory_store": Kind.TASK,
    "delete_memory_store": Kind.TASK,
    "run_guardrail": Kind.GUARDRAIL,
    "apply_guardrail": Kind.GUARDRAIL,
    "guardrail": Kind.GUARDRAIL,
    "evaluate": Kind.EVALUATION,
}
_MCP = {"tools/call": Kind.TOOL, "resources/read": Kind.RETRIEVAL}
_PROVIDERS = {
    "az.ai.openai": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference",
    "vertex_ai": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "xai": "x_ai",
}


def operation(value: Any) -> Kind | None:
    """`gen_ai.operation.name` → kind."""
    return OPERATIONS.get(str(value).lower())


def mcp_method(value: Any) -> Kind | None:
    """`mcp.method.name` → kind."""
    return _MCP.get(str(value))


def provider(value: Any) -> str | None:
    """A provider under its present name."""
    name = text(value)
    return _PROVIDERS.get(name, name) if name else None


def reasons_in_messages(value: Any) -> tuple[str, ...] | None:
    """Finish reasons that only the messages hold."""
    return finish_reasons(value) or None


OTEL_GENAI = Convention(
    name="otel_genai",
    version="otel_genai/1",
    rules=(
        Rule("gen_ai.operation.name", "kind", operation),
        Rule("mcp.method.name", "kind", mcp_method),
        Rule("gen_ai.provider.name", "provider", provider),
        Rule("gen_ai.system", "provider", provider),
        Rule("gen_ai.request.model", "request_model", text),
        Rule("gen_ai.response.model", "response_model", text),
        Rule("gen_ai.response.id", "response_id", text),
        Rule("openai.response.system_fingerprint", "system_fingerprint", text),
        Rule("gen_ai.openai.response.system_fingerprint", "system_fingerprint", text),
        Rule("gen_ai.response.system_fingerprint", "system_fingerprint", text),
        Rule("openai.request.service_tier", "parameters.service_tier", text),
        Rule("gen_ai.openai.request.service_tier", "parameters.service_tier", text),
        Rule("gen_ai.openai.request.seed", "parameters.seed", count),
        Rule("gen_ai.output.type", "output_type", output_type),
        Rule("gen_ai.openai.request.response_format", "output_type", output_type),
        Rule("gen_ai.request.response_format", "output_type", output_type),
        Rule("gen_ai.output.schema", "output_schema", output_schema),
        Rule("gen_ai.request.structured_output_schema", "output_schema", output_schema),
        Rule("gen_ai.request.response_format", "output_schema", output_schema),
        # content
        Rule("gen_ai.system_instructions", "system_instructions", instructions),
        Rule("gen_ai.input.messages", "input_messages", prompt_messages),
        Rule("gen_ai.prompt", "input_messages", prompt_messages),
        Rule("gen_ai.output.messages", "output_messages", completion_messages),
        Rule("gen_ai.completion", "output_messages", completion_messages),
        Rule("gen_ai.response.finish_reasons", "finish_reasons", strings),
        Rule("gen_ai.output.messages", "finish_reasons", reasons_in_messages),
        Rule("gen_ai.tool.definitions", "tool_definitions", tool_names),
        Rule("gen_ai.request.tools", "tool_definitions", tool_names),
        # usage
        Rule("gen_ai.usage.input_tokens", "usage.input_tokens", count),
        Rule("gen_ai.usage.prompt_tokens", "usage.input_tokens", count),
        Rule("gen_ai.usage.output_tokens", "usage.output_tokens", count),
        Rule("gen_ai.usage.completion_tokens", "usage.output_tokens", count),
        Rule("gen_ai.usage.cache_read.input_tokens", "usage.cache_read_tokens", count),
        Rule("gen_ai.usage.cache_write.input_tokens", "usage.cache_write_tokens", count),
        Rule("gen_ai.usage.cache_creation.input_tokens", "usage.cache_write_tokens", count),
        Rule("gen_ai.usage.reasoning.output_tokens", "usage.reasoning_tokens", count),
        Rule("gen_ai.usage.cost", "cost_usd", amount),
        Rule("gen_ai.usage.cost_usd", "cost_usd", amount),
        Rule("gen_ai.usage.total_cost", "cost_usd", amount),
        Rule("gen_ai.cost.total_cost", "cost_usd", amount),
        Rule("operation.cost", "cost_usd", amount),
        Rule("gen_ai.response.time_to_first_chunk", "time_to_first_token_ms", milliseconds),
        Rule("gen_ai.response.time_to_first_token", "time_to_first_token_ms", milliseconds),
        Rule("gen_ai.server.time_to_first_token", "time_to_first_token_ms", milliseconds),
        Rule("gen_ai.response.mean_logprob", "mean_logprob", mean_logprob),
        Rule("gen_ai.response.logprobs", "mean_logprob", mean_logprob),
        Rule("gen_ai.completion.logprobs", "mean_logprob", mean_logprob),
        Rule("gen_ai.cache.hit", "cache_hit", boolean),
        Rule("gen_ai.response.cache_hit", "cache_hit", boolean),
        Rule("gen_ai.response.cached", "cache_hit", boolean),
        Rule("cache.hit", "cache_hit", boolean),
        Rule("cache_hit", "cache_hit", boolean),
        Rule("gen_ai.conversation.id", "conversation_id", text),
        # tools
        Rule("gen_ai.tool.name", "tool_name", text),
        Rule("gen_ai.tool.call.arguments", "tool_arguments", json_text),
        Rule("gen_ai.tool.arguments", "tool_arguments", json_text),
        Rule("tool_arguments", "tool_arguments", json_text),
        Rule("mcp.request.argument", "tool_arguments", json_text),
        Rule("gen_ai.tool.call.result", "tool_result", json_text),
        Rule("gen_ai.tool.result", "tool_result", json_text),
        Rule("tool_response", "tool_result", json_text),
        Rule("mcp.response.value", "tool_result", json_text),
        # retrieval
        Rule("gen_ai.retrieval.query.text", "~input", text),
        Rule("gen_ai.retrieval.query", "~input", text),
        Rule("gen_ai.memory.query.text", "~input", text),
        Rule("gen_ai.retrieval.documents", "documents", documents),
        Rule("gen_ai.memory.records", "documents", documents),
        # steps
        Rule("gen_ai.task.input", "~input", text),
        Rule("gen_ai.task.output", "~output", text),
        Rule("gen_ai.prompt.template", "prompt_template", text),
        Rule("gen_ai.prompt.variables", "prompt_variables", text_mapping),
        Rule("events", "~events", text),
    ),
)

EVIDENCE = ("gen_ai.", "mcp.")
"""Prefixes of attributes that only this convention, or one that borrows from it, writes."""
