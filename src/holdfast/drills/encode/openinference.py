"""OpenInference: `openinference.span.kind`, flattened messages and documents, dimensions in `metadata` on every span."""

from typing import Any

import orjson

from holdfast.core.call import Call, Kind
from holdfast.drills.encode.documents import metadata_of
from holdfast.drills.encode.otlp import Attributes, SpanText

KINDS = {
    Kind.LLM: "LLM",
    Kind.RETRIEVAL: "RETRIEVER",
    Kind.TOOL: "TOOL",
    Kind.AGENT: "AGENT",
    Kind.WORKFLOW: "CHAIN",
    Kind.TASK: "CHAIN",
    Kind.GUARDRAIL: "GUARDRAIL",
}
PROPERTIES = {"tenant": "tenant", "route": "route", "index_version": "index.version", "language": "language", "region": "region"}
INTERNAL = 1
SCOPE = "openinference.instrumentation.drills"


def encode(call: Call) -> SpanText:
    """A call as a span of OpenInference."""
    attributes: Attributes = {"openinference.span.kind": KINDS[call.kind]}
    if call.conversation_id:
        attributes["session.id"] = call.conversation_id
    attributes["user.id"] = call.dimensions["user"][0]
    told: dict[str, Any] = {key: call.dimensions[name][0] for key, name in PROPERTIES.items() if name in call.dimensions}
    if call.cache_hit is not None:
        attributes["cache_hit"] = call.cache_hit
    attributes["metadata"] = orjson.dumps(told).decode()
    if call.error_type:
        attributes["error.type"] = call.error_type
    WRITERS.get(call.kind, _step)(call, attributes)
    return SpanText(call.tool_name or call.name, INTERNAL, attributes)


def _step(call: Call, attributes: Attributes) -> None:
    attributes["input.value"] = call.input_text
    attributes["input.mime_type"] = "text/plain"
    attributes["output.value"] = call.output_text
    attributes["output.mime_type"] = "text/plain"
    for i, evaluation in enumerate(call.evaluations):
        prefix = f"annotations.{i}.annotation."
        attributes[f"{prefix}name"] = evaluation.name
        attributes[f"{prefix}label"] = evaluation.label
        attributes[f"{prefix}annotator_kind"] = evaluation.annotator
        if evaluation.value is not None:
            attributes[f"{prefix}score"] = evaluation.value


def _model(call: Call, attributes: Attributes) -> None:
    attributes["llm.provider"] = call.provider
    attributes["llm.system"] = call.provider
    attributes["llm.model_name"] = call.response_model or call.request_model
    attributes["llm.request.model_name"] = call.request_model
    attributes["llm.invocation_parameters"] = orjson.dumps(_parameters(call)).decode()
    attributes["llm.prompt_template.version"] = call.dimensions["prompt.version"][0]
    attributes["llm.prompt_template.template"] = call.prompt_template
    attributes["llm.prompt_template.variables"] = orjson.dumps(call.prompt_variables).decode()
    for i, name in enumerate(call.tool_definitions):
        schema = {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
        attributes[f"llm.tools.{i}.tool.json_schema"] = orjson.dumps(schema).decode()
    attributes["llm.input_messages.0.message.role"] = "system"
    attributes["llm.input_messages.0.message.content"] = call.system_instructions
    for i, message in enumerate(call.input_messages, start=1):
        _message(attributes, f"llm.input_messages.{i}.message.", message)
    if call.output_messages:
        for i, message in enumerate(call.output_messages):
            _message(attributes, f"llm.output_messages.{i}.message.", message)
        attributes["llm.response.model_name"] = call.response_model
        attributes["llm.finish_reason"] = call.finish_reasons[0]
    if call.usage.input_tokens is not None and call.usage.output_tokens is not None:
        attributes["llm.token_count.prompt"] = call.usage.input_tokens
        attributes["llm.token_count.completion"] = call.usage.output_tokens
        attributes["llm.token_count.total"] = call.usage.input_tokens + call.usage.output_tokens
    if call.cost_usd is not None:
        attributes["llm.cost.total"] = call.cost_usd


def _parameters(call: Call) -> dict[str, Any]:
    parameters: dict[str, Any] = {"model": call.request_model, **call.parameters}
    if call.output_schema:
        schema = {"name": "reply", "schema": orjson.Fragment(call.output_schema)}
        parameters["response_format"] = {"type": "json_schema", "json_schema": schema}
    return parameters


def _message(attributes: Attributes, prefix: str, message: Any) -> None:
    attributes[f"{prefix}role"] = message.role
    if message.content:
        attributes[f"{prefix}content"] = message.content
    if message.tool_call_id:
        attributes[f"{prefix}tool_call_id"] = message.tool_call_id
    if message.name:
        attributes[f"{prefix}name"] = message.name
    for i, request in enumerate(message.tool_calls):
        attributes[f"{prefix}tool_calls.{i}.tool_call.id"] = request.id
        attributes[f"{prefix}tool_calls.{i}.tool_call.function.name"] = request.name
        attributes[f"{prefix}tool_calls.{i}.tool_call.function.arguments"] = request.arguments


def _retrieval(call: Call, attributes: Attributes) -> None:
    attributes["input.value"] = call.input_text
    for i, document in enumerate(call.documents):
        prefix = f"retrieval.documents.{i}.document."
        attributes[f"{prefix}id"] = document.id
        attributes[f"{prefix}content"] = document.content
        attributes[f"{prefix}metadata"] = orjson.dumps(metadata_of(document)).decode()
        if document.score is not None:
            attributes[f"{prefix}score"] = document.score


def _tool(call: Call, attributes: Attributes) -> None:
    attributes["tool.name"] = call.tool_name
    attributes["input.value"] = call.tool_arguments
    attributes["input.mime_type"] = "application/json"
    attributes["output.value"] = call.tool_result
    attributes["output.mime_type"] = "application/json"


def _guardrail(call: Call, attributes: Attributes) -> None:
    attributes["input.value"] = call.input_text
    verdicts = [{"name": g.name, "verdict": g.verdict, "score": g.score, "action": g.action} for g in call.guardrails]
    if verdicts and verdicts[0]["verdict"] != "error":
        attributes["output.value"] = orjson.dumps(verdicts[0]).decode()
        attributes["output.mime_type"] = "application/json"


WRITERS = {Kind.LLM: _model, Kind.RETRIEVAL: _retrieval, Kind.TOOL: _tool, Kind.GUARDRAIL: _guardrail}
