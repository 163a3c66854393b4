"""OpenTelemetry's GenAI conventions from 1.37 on: messages as JSON attributes."""

from typing import Any

import orjson

from holdfast.core.call import Call, Kind, Message
from holdfast.drills.encode.documents import as_object
from holdfast.drills.encode.otlp import Attributes, SpanText

OPERATIONS = {
    Kind.LLM: "chat",
    Kind.RETRIEVAL: "retrieval",
    Kind.TOOL: "execute_tool",
    Kind.AGENT: "invoke_agent",
    Kind.WORKFLOW: "invoke_workflow",
}
CLIENT, INTERNAL = 3, 1
SCOPE = "holdfast.drills.otel_genai"


def encode(call: Call) -> SpanText:
    """A call as a span of OpenTelemetry's GenAI conventions."""
    attributes: Attributes = {}
    operation = OPERATIONS.get(call.kind)
    if operation:
        attributes["gen_ai.operation.name"] = operation
    if call.conversation_id:
        attributes["gen_ai.conversation.id"] = call.conversation_id
    if call.error_type:
        attributes["error.type"] = call.error_type
    WRITERS.get(call.kind, _step)(call, attributes)
    return SpanText(_name(call, operation), CLIENT if call.kind in (Kind.LLM, Kind.RETRIEVAL) else INTERNAL, attributes)


def _name(call: Call, operation: str | None) -> str:
    subject = call.request_model or call.tool_name or call.name
    return f"{operation} {subject}" if operation else call.name


def _root(call: Call, attributes: Attributes) -> None:
    dimensions = call.dimensions
    attributes["gen_ai.workflow.name" if call.kind is Kind.WORKFLOW else "gen_ai.agent.name"] = call.name
    for key, dimension in (
        ("http.route", "route"),
        ("user.id", "user"),
        ("holdfast.tenant.id", "tenant"),
        ("language", "language"),
    ):
        if dimension in dimensions:
            attributes[key] = dimensions[dimension][0]
    attributes["gen_ai.input.messages"] = _messages((Message("user", call.input_text),))
    if call.output_text:
        attributes["gen_ai.output.messages"] = _messages((Message("assistant", call.output_text),), "stop")
    if call.cache_hit is not None:
        attributes["holdfast.cache.hit"] = call.cache_hit
    for evaluation in call.evaluations:
        if evaluation.value is not None:
            attributes["user.feedback.score"] = evaluation.value
            attributes["user.feedback.label"] = evaluation.label


def _model(call: Call, attributes: Attributes) -> None:
    attributes["gen_ai.provider.name"] = call.provider
    attributes["gen_ai.request.model"] = call.request_model
    for name, value in call.parameters.items():
        attributes[f"gen_ai.request.{name}"] = value
    if call.output_type:
        attributes["gen_ai.output.type"] = call.output_type
    if call.output_schema:
        attributes["gen_ai.output.schema"] = call.output_schema
    if call.tool_definitions:
        attributes["gen_ai.tool.definitions"] = orjson.dumps(
            [{"type": "function", "name": n} for n in call.tool_definitions]
        ).decode()
    attributes["holdfast.prompt.version"] = call.dimensions["prompt.version"][0]
    attributes["gen_ai.system_instructions"] = orjson.dumps([{"type": "text", "content": call.system_instructions}]).decode()
    attributes["gen_ai.input.messages"] = _messages(call.input_messages)
    if call.output_messages:
        attributes["gen_ai.output.messages"] = _messages(call.output_messages, call.finish_reasons[0])
        attributes["gen_ai.response.finish_reasons"] = list(call.finish_reasons)
        attributes["gen_ai.response.model"] = call.response_model
        attributes["gen_ai.response.id"] = call.response_id
        attributes["openai.response.system_fingerprint"] = call.system_fingerprint
    if call.usage.input_tokens is not None:
        attributes["gen_ai.usage.input_tokens"] = call.usage.input_tokens
        attributes["gen_ai.usage.output_tokens"] = call.usage.output_tokens or 0
    if call.time_to_first_token_ms is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = round(call.time_to_first_token_ms / 1000, 4)
    if call.cache_hit is not None:
        attributes["holdfast.cache.hit"] = call.cache_hit


def _retrieval(call: Call, attributes: Attributes) -> None:
    attributes["gen_ai.data_source.id"] = "knowledge-base"
    attributes["holdfast.index.version"] = call.dimensions["index.version"][0]
    attributes["gen_ai.retrieval.query.text"] = call.input_text
    attributes["gen_ai.retrieval.top_k"] = 3
    attributes["gen_ai.retrieval.documents"] = orjson.dumps([as_object(d) for d in call.documents]).decode()


def _tool(call: Call, attributes: Attributes) -> None:
    attributes["gen_ai.tool.name"] = call.tool_name
    attributes["gen_ai.tool.type"] = "function"
    attributes["gen_ai.tool.call.arguments"] = call.tool_arguments
    if call.tool_result:
        attributes["gen_ai.tool.call.result"] = call.tool_result


def _guardrail(call: Call, attributes: Attributes) -> None:
    for guardrail in call.guardrails:
        attributes["gen_ai.guardrail.name"] = guardrail.name
        attributes["gen_ai.guardrail.verdict"] = guardrail.verdict
        if guardrail.action:
            attributes["gen_ai.guardrail.action"] = guardrail.action
        if guardrail.score is not None:
            attributes["gen_ai.guardrail.score"] = guardrail.score
    _step(call, attributes)


def _step(call: Call, attributes: Attributes) -> None:
    attributes["gen_ai.task.name"] = call.name
    attributes["gen_ai.task.input"] = call.input_text
    attributes["gen_ai.task.output"] = call.output_text


WRITERS = {
    Kind.LLM: _model,
    Kind.RETRIEVAL: _retrieval,
    Kind.TOOL: _tool,
    Kind.GUARDRAIL: _guardrail,
    Kind.WORKFLOW: _root,
    Kind.AGENT: _root,
}


def _messages(messages: tuple[Message, ...], finish_reason: str = "") -> str:
    found = []
    for message in messages:
        parts: list[dict[str, Any]] = []
        if message.role == "tool":
            parts.append({"type": "tool_call_response", "id": message.tool_call_id, "response": message.content})
        elif message.content:
            parts.append({"type": "text", "content": message.content})
        for call in message.tool_calls:
            parts.append({"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments})
        entry: dict[str, Any] = {"role": message.role, "parts": parts}
        if finish_reason:
            entry["finish_reason"] = finish_reason
        found.append(entry)
    return orjson.dumps(found).decode()
