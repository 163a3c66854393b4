"""OpenLLMetry (Traceloop): `traceloop.*` entities with JSON input and output, content flattened into `gen_ai.prompt.N.*`."""

from typing import Any

import orjson

from holdfast.core.call import Call, Kind, Message
from holdfast.drills.encode.documents import as_object
from holdfast.drills.encode.otlp import Attributes, SpanText

KINDS = {
    Kind.RETRIEVAL: "task",
    Kind.TOOL: "tool",
    Kind.AGENT: "agent",
    Kind.WORKFLOW: "workflow",
    Kind.TASK: "task",
    Kind.GUARDRAIL: "task",
}
PROPERTIES = {
    "tenant": "tenant",
    "route": "route",
    "index_version": "index.version",
    "language": "language",
    "region": "region",
    "user_id": "user",
}
CLIENT, INTERNAL = 3, 1
SCOPE = "opentelemetry.instrumentation.drills"


def encode(call: Call) -> SpanText:
    """A call as a span of OpenLLMetry."""
    attributes: Attributes = {}
    for key, name in PROPERTIES.items():
        if name in call.dimensions:
            attributes[f"traceloop.association.properties.{key}"] = call.dimensions[name][0]
    if call.conversation_id:
        attributes["traceloop.association.properties.session_id"] = call.conversation_id
    if call.error_type:
        attributes["error.type"] = call.error_type
    if call.cache_hit is not None:
        attributes["cache_hit"] = call.cache_hit
    if call.kind is Kind.LLM:
        _model(call, attributes)
        return SpanText("openai.chat", CLIENT, attributes)
    kind = KINDS[call.kind]
    name = call.tool_name or call.name
    attributes["traceloop.span.kind"] = kind
    attributes["traceloop.entity.name"] = name
    given, made = _exchange(call)
    attributes["traceloop.entity.input"] = orjson.dumps({"args": [], "kwargs": given}).decode()
    if made is not None:
        attributes["traceloop.entity.output"] = orjson.dumps(made).decode()
    for evaluation in call.evaluations:
        if evaluation.value is not None:
            attributes["traceloop.association.properties.user_feedback_score"] = evaluation.value
    return SpanText(f"{name}.{kind}", INTERNAL, attributes)


def _exchange(call: Call) -> tuple[Any, Any]:
    """Input and output of an entity, as its decorator serialises them."""
    if call.kind is Kind.RETRIEVAL:
        return {"query": call.input_text}, {"documents": [as_object(document) for document in call.documents]}
    if call.kind is Kind.TOOL:
        return _json_or_text(call.tool_arguments), _json_or_text(call.tool_result)
    if call.kind is Kind.GUARDRAIL:
        verdict = call.guardrails[0]
        if verdict.verdict == "error":
            return {"text": call.input_text}, None
        return {"text": call.input_text}, {
            "guardrail": verdict.name,
            "verdict": verdict.verdict,
            "score": verdict.score,
            "action": verdict.action,
        }
    key = "text" if call.kind is Kind.TASK else "question"
    return {key: call.input_text}, call.output_text or None


def _json_or_text(text: str) -> Any:
    """JSON as it is, anything else as a string: what a model writes as arguments need not be JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _model(call: Call, attributes: Attributes) -> None:
    attributes["llm.request.type"] = "chat"
    attributes["gen_ai.system"] = call.provider
    attributes["gen_ai.request.model"] = call.request_model
    attributes["traceloop.prompt.version"] = call.dimensions["prompt.version"][0]
    attributes["traceloop.prompt.template"] = call.prompt_template
    attributes["traceloop.prompt.template_variables"] = orjson.dumps(call.prompt_variables).decode()
    for name, value in call.parameters.items():
        attributes[f"gen_ai.request.{name}"] = value
    if call.output_schema:
        attributes["gen_ai.request.structured_output_schema"] = call.output_schema
    for i, name in enumerate(call.tool_definitions):
        attributes[f"llm.request.functions.{i}.name"] = name
    attributes["gen_ai.prompt.0.role"] = "system"
    attributes["gen_ai.prompt.0.content"] = call.system_instructions
    for i, message in enumerate(call.input_messages, start=1):
        _message(attributes, f"gen_ai.prompt.{i}.", message)
    for i, message in enumerate(call.output_messages):
        _message(attributes, f"gen_ai.completion.{i}.", message)
        attributes[f"gen_ai.completion.{i}.finish_reason"] = call.finish_reasons[0]
    if call.output_messages:
        attributes["gen_ai.response.model"] = call.response_model
        attributes["gen_ai.response.id"] = call.response_id
        attributes["gen_ai.openai.system_fingerprint"] = call.system_fingerprint
    if call.usage.input_tokens is not None and call.usage.output_tokens is not None:
        attributes["gen_ai.usage.prompt_tokens"] = call.usage.input_tokens
        attributes["gen_ai.usage.completion_tokens"] = call.usage.output_tokens
        attributes["llm.usage.total_tokens"] = call.usage.input_tokens + call.usage.output_tokens


def _message(attributes: Attributes, prefix: str, message: Message) -> None:
    attributes[f"{prefix}role"] = message.role
    if message.content:
        attributes[f"{prefix}content"] = message.content
    if message.tool_call_id:
        attributes[f"{prefix}tool_call_id"] = message.tool_call_id
    for i, request in enumerate(message.tool_calls):
        attributes[f"{prefix}tool_calls.{i}.id"] = request.id
        attributes[f"{prefix}tool_calls.{i}.name"] = request.name
        attributes[f"{prefix}tool_calls.{i}.arguments"] = request.arguments
