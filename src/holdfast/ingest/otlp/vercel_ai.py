"""Vercel AI SDK (`ai`, versions 3.3 to 6): `ai.*`, beside `gen_ai.*` on the spans that call a model.

A function of the SDK is a workflow, each of its `doGenerate` and `doStream` a model call, each `ai.toolCall` a tool. Version 7
writes OTel GenAI. The schema of an object is not read: where a list or a choice was asked for, the model is given another one.
Source: the AI SDK's page on telemetry, and its `packages/ai/core` (4) and `packages/ai/src` (5, 6).
"""

from typing import Any

from holdfast.core.call import Kind, Message
from holdfast.ingest.otlp.convert import amount, count, json_text, label, real, scalar, structured, text, tool_names
from holdfast.ingest.otlp.flattened import at
from holdfast.ingest.otlp.messages import instructions, prompt_messages, tool_calls
from holdfast.ingest.otlp.openinference import tree
from holdfast.ingest.otlp.otel_genai import provider
from holdfast.ingest.otlp.step_text import unquoted
from holdfast.ingest.otlp.table import Convention, Rule

KINDS = {
    "ai.generateText": Kind.WORKFLOW,
    "ai.generateText.doGenerate": Kind.LLM,
    "ai.streamText": Kind.WORKFLOW,
    "ai.streamText.doStream": Kind.LLM,
    "ai.generateObject": Kind.WORKFLOW,
    "ai.generateObject.doGenerate": Kind.LLM,
    "ai.streamObject": Kind.WORKFLOW,
    "ai.streamObject.doStream": Kind.LLM,
    "ai.toolCall": Kind.TOOL,
    "ai.embed": Kind.TASK,
    "ai.embed.doEmbed": Kind.EMBEDDING,
    "ai.embedMany": Kind.TASK,
    "ai.embedMany.doEmbed": Kind.EMBEDDING,
    "ai.rerank": Kind.TASK,
    "ai.rerank.doRerank": Kind.RERANK,
}
_OBJECTS = ("ai.generateObject", "ai.streamObject")
_PROVIDERS = {
    "amazon-bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure-openai": "azure.ai.openai",
    "mistral": "mistral_ai",
}
_FAMILIES = {"google.generative-ai": "gcp.gemini", "google.vertex": "gcp.vertex_ai", "vertex.anthropic": "gcp.vertex_ai"}


def operation(value: Any) -> Kind | None:
    """`ai.operationId`, or `operation.name`, which has the application's name of the function behind it → kind."""
    return KINDS.get(str(value).split(" ", 1)[0])


def asked_type(value: Any) -> str | None:
    """`ai.operationId` of what gives objects: the model is asked for JSON."""
    return "json" if str(value).startswith(_OBJECTS) else None


def streamed(value: Any) -> bool | None:
    """`ai.operationId` of what is streamed."""
    return True if str(value).startswith("ai.stream") else None


def model_provider(value: Any) -> str | None:
    """`ai.model.provider`, such as ``openai.chat`` or ``google.vertex.chat``, as OpenTelemetry names it."""
    name = text(value)
    if name is None:
        return None
    family = next((known for prefix, known in _FAMILIES.items() if name.startswith(prefix)), None)
    first = name.split(".", 1)[0]
    return family or _PROVIDERS.get(first) or provider(first)


def prompt(value: Any) -> tuple[Message, ...] | None:
    """`ai.prompt`, what the function was given: ``{"system": …, "prompt": …, "messages": […]}`` in JSON."""
    parsed = structured(value)
    if not isinstance(parsed, dict):
        return prompt_messages(value)
    system, asked = instructions(parsed.get("system")), parsed.get("messages") or parsed.get("prompt")
    said = (Message("user", asked),) if isinstance(asked, str) and asked else prompt_messages(asked) or ()
    return (*((Message("system", system),) if system else ()), *said) or None


def response(node: Any) -> tuple[Message, ...] | None:
    """`ai.response.{text,object,reasoning,toolCalls}` as one message. An object is the JSON that the model wrote."""
    said, made, calls = at(node, "text"), at(node, "object"), tool_calls(at(node, "toolCalls"))
    if said is None and made is None and not calls:
        return None
    reasoning = at(node, "reasoning")
    content = text(said) or text(made) or ""
    return (Message("assistant", content, calls, reasoning=reasoning if isinstance(reasoning, str) else ""),)


def finish_reason(value: Any) -> tuple[str, ...] | None:
    """`ai.response.finishReason`, such as ``tool-calls``, spelt as other conventions spell it."""
    reason = label(value)
    return (reason.replace("-", "_"),) if reason else None


def tool_choice(value: Any) -> str | None:
    """`ai.prompt.toolChoice`, ``{"type": "auto"}`` in JSON → the word."""
    parsed = structured(value)
    return text(parsed.get("type")) if isinstance(parsed, dict) else label(value)


def embedded(value: Any) -> str | None:
    """`ai.value` and `ai.values`, each a text as JSON → the texts, one per line."""
    return "\n".join(unquoted(one) for one in (value if isinstance(value, list) else [value])) or None


VERCEL_AI = Convention(
    name="vercel_ai",
    version="vercel_ai/1",
    rules=(
        Rule("ai.operationId", "kind", operation),
        Rule("operation.name", "kind", operation),
        Rule("ai.operationId", "output_type", asked_type),
        Rule("ai.operationId", "parameters.stream", streamed),
        Rule("ai.model.provider", "provider", model_provider),
        Rule("ai.model.id", "request_model", text),
        Rule("ai.response.model", "response_model", text),
        Rule("ai.response.id", "response_id", text),
        # content
        Rule("ai.prompt.messages", "input_messages", prompt_messages),
        Rule("ai.prompt", "input_messages", prompt),
        Rule("ai.prompt.tools", "tool_definitions", tool_names),
        Rule("ai.prompt.toolChoice", "parameters.tool_choice", tool_choice),
        Rule("ai.response.finishReason", "finish_reasons", finish_reason),
        Rule("ai.value", "~input", embedded),
        Rule("ai.values", "~input", embedded),
        # tools
        Rule("ai.toolCall.name", "tool_name", text),
        Rule("ai.toolCall.args", "tool_arguments", json_text),
        Rule("ai.toolCall.input", "tool_arguments", json_text),
        Rule("ai.toolCall.result", "tool_result", json_text),
        Rule("ai.toolCall.output", "tool_result", json_text),
        Rule("ai.toolCall.id", "~tool_id", text),
        # usage
        Rule("ai.usage.inputTokens", "usage.input_tokens", count),
        Rule("ai.usage.promptTokens", "usage.input_tokens", count),
        Rule("ai.usage.tokens", "usage.input_tokens", count),
        Rule("ai.usage.outputTokens", "usage.output_tokens", count),
        Rule("ai.usage.completionTokens", "usage.output_tokens", count),
        Rule("ai.usage.inputTokenDetails.cacheReadTokens", "usage.cache_read_tokens", count),
        Rule("ai.usage.cachedInputTokens", "usage.cache_read_tokens", count),
        Rule("ai.usage.inputTokenDetails.cacheWriteTokens", "usage.cache_write_tokens", count),
        Rule("ai.usage.outputTokenDetails.reasoningTokens", "usage.reasoning_tokens", count),
        Rule("ai.usage.reasoningTokens", "usage.reasoning_tokens", count),
        Rule("ai.response.msToFirstChunk", "time_to_first_token_ms", amount),
        Rule("ai.stream.msToFirstChunk", "time_to_first_token_ms", amount),
        # settings
        Rule("ai.settings.temperature", "parameters.temperature", real),
        Rule("ai.settings.maxOutputTokens", "parameters.max_tokens", count),
        Rule("ai.settings.maxTokens", "parameters.max_tokens", count),
        Rule("ai.settings.topP", "parameters.top_p", real),
        Rule("ai.settings.topK", "parameters.top_k", count),
        Rule("ai.settings.seed", "parameters.seed", count),
        Rule("ai.settings.frequencyPenalty", "parameters.frequency_penalty", real),
        Rule("ai.settings.presencePenalty", "parameters.presence_penalty", real),
        Rule("ai.settings.stopSequences", "parameters.stop_sequences", scalar),
    ),
    lists=(
        Rule("ai.response", "output_messages", response),
        Rule("ai.telemetry.metadata", "~metadata", tree),
    ),
)

EVIDENCE = ("ai.operationId", "ai.model.", "ai.prompt.", "ai.response.", "ai.toolCall.", "ai.telemetry.", "ai.settings.")
"""Prefixes of attributes that only this convention writes."""
