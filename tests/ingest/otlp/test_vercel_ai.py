import json
from typing import Any

import pytest

from holdfast.core.call import Kind, Message, ToolCall, Usage
from holdfast.core.trace import Trace
from holdfast.ingest.otlp.vercel_ai import KINDS, VERCEL_AI, model_provider, prompt, response
from tests.ingest.otlp.bodies import PARENT, SPAN, call_of, mapped

WEATHER = {"toolCallId": "t0", "toolName": "weather"}
VERSIONS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "4": (
        {**WEATHER, "args": {"city": "Bern"}},
        {**WEATHER, "result": "rain"},
        {"ai.usage.promptTokens": 60, "ai.usage.completionTokens": 4},
    ),
    "5": (
        {**WEATHER, "input": {"city": "Bern"}},
        {**WEATHER, "output": {"type": "text", "value": "rain"}},
        {"ai.usage.inputTokens": 60, "ai.usage.outputTokens": 4},
    ),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_call_gives_every_field(version: str) -> None:
    asked, answered, tokens = VERSIONS[version]
    call = call_of(
        {
            "operation.name": "ai.streamText.doStream support-chat",
            "ai.operationId": "ai.streamText.doStream",
            "ai.model.id": "gpt-4o",
            "ai.model.provider": "openai.chat",
            "ai.settings.temperature": 0.7,
            "ai.settings.maxOutputTokens": 300,
            "ai.prompt.messages": json.dumps(
                [
                    {"role": "system", "content": "Answer from the context."},
                    {"role": "user", "content": [{"type": "text", "text": "Weather in Bern?"}]},
                    {"role": "assistant", "content": [{"type": "tool-call", **asked}]},
                    {"role": "tool", "content": [{"type": "tool-result", **answered}]},
                ]
            ),
            "ai.prompt.tools": [json.dumps({"type": "function", "name": "weather", "inputSchema": {}})],
            "ai.prompt.toolChoice": '{"type": "auto"}',
            "ai.response.text": "It rains.",
            "ai.response.reasoning": "Rain was found.",
            "ai.response.finishReason": "stop",
            "ai.response.id": "r1",
            "ai.response.model": "gpt-4o-2026-08",
            "ai.response.msToFirstChunk": 175.5,
            **tokens,
            "ai.usage.cachedInputTokens": 20,
            "ai.usage.reasoningTokens": 2,
            "gen_ai.system": "openai.chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.request.max_tokens": 250,
            "gen_ai.usage.input_tokens": 60,
        }
    )
    assert (call.kind, call.convention, call.mapper_version) == (Kind.LLM, "vercel_ai", VERCEL_AI.version)
    assert call.input_messages == (
        Message("system", "Answer from the context."),
        Message("user", "Weather in Bern?"),
        Message("assistant", "", (ToolCall("weather", '{"city":"Bern"}', "t0"),)),
        Message("tool", "rain", tool_call_id="t0", name="weather"),
    )
    assert call.output_messages == (Message("assistant", "It rains.", reasoning="Rain was found."),)
    assert (call.finish_reasons, call.tool_definitions) == (("stop",), ("weather",))
    assert (call.provider, call.request_model, call.response_model, call.response_id) == (
        *("openai", "gpt-4o"),
        *("gpt-4o-2026-08", "r1"),
    )
    assert call.usage == Usage(60, 4, 20, None, 2)
    assert call.time_to_first_token_ms == 175.5
    assert call.parameters == {"temperature": 0.7, "max_tokens": 250, "stream": True, "tool_choice": "auto"}


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ({"system": "Be brief.", "prompt": "Hello"}, (Message("system", "Be brief."), Message("user", "Hello"))),
        ({"messages": [{"role": "user", "content": "Hello"}]}, (Message("user", "Hello"),)),
        ({"prompt": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]}, (Message("user", "Hello"),)),
        ({"system": {"role": "system", "content": "Be brief."}, "prompt": ""}, (Message("system", "Be brief."),)),
        ({"prompt": '{"order": 7}'}, (Message("user", '{"order": 7}'),)),
        ({"system": "Be brief."}, (Message("system", "Be brief."),)),
        ({"messages": []}, None),
        ({"prompt": ""}, None),
        ({"system": 5, "prompt": 7, "messages": "no list"}, (Message("user", "no list"),)),
        ({}, None),
    ],
    ids=str,
)
def test_what_a_function_was_given_is_read_in_every_form(value: dict[str, Any], messages: tuple[Message, ...] | None) -> None:
    assert prompt(json.dumps(value)) == messages


def test_a_prompt_that_is_no_json_is_what_the_user_said() -> None:
    assert prompt("Hello {name}") == (Message("user", "Hello {name}"),)
    assert prompt(None) is None


def test_the_function_is_a_workflow_with_what_came_in_and_went_out() -> None:
    call = mapped(
        {
            "ai.operationId": "ai.streamText",
            "ai.prompt": json.dumps({"messages": [{"role": "user", "content": "One?"}, {"role": "user", "content": "Two?"}]}),
            "ai.response.text": "Both.",
            "ai.telemetry.functionId": "support-chat",
        }
    )
    assert (call.kind, call.input_text, call.answer) == (Kind.WORKFLOW, "Two?", "Both.")


def test_the_user_was_shown_what_the_function_gave_not_what_the_model_wrote() -> None:
    outer = mapped({"ai.operationId": "ai.generateText", "ai.prompt": '{"prompt": "Hello"}', "ai.response.text": "Bonjour"})
    inner = mapped(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.prompt.messages": '[{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]',
            "ai.response.text": "Good day",
        },
        span_id=PARENT,
        parent_span_id=SPAN,
    )
    trace = Trace(outer.trace_id, (outer, inner))
    assert (trace.question, trace.model_answer, trace.delivered_answer) == ("Hello", "Good day", "Bonjour")


def test_an_object_is_the_json_that_the_model_was_asked_for() -> None:
    written = '[{"type": "text", "text": "a list is no list of parts"}]'
    call = mapped({"ai.operationId": "ai.generateObject.doGenerate", "ai.response.object": written})
    assert (call.answer, call.output_type) == (written, "json")


def test_tool_calls_without_text_are_an_answer_to_no_one() -> None:
    calls = json.dumps([{"toolCallType": "function", "toolCallId": "t0", "toolName": "weather", "args": '{"city": "Bern"}'}])
    call = mapped(
        {"ai.operationId": "ai.generateText.doGenerate", "ai.response.toolCalls": calls, "ai.response.finishReason": "tool-calls"}
    )
    assert call.output_messages == (Message("assistant", "", (ToolCall("weather", '{"city": "Bern"}', "t0"),)),)
    assert (call.answer, call.finish_reasons) == ("", ("tool_calls",))


def test_a_filtered_answer_is_told_in_the_word_that_scorers_know() -> None:
    call = mapped(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.response.finishReason": "content-filter",
            "gen_ai.response.finish_reasons": ["content-filter"],
        }
    )
    assert call.finish_reasons == ("content_filter",)


def test_an_empty_answer_is_an_answer_and_none_is_none() -> None:
    attributes = {"ai.operationId": "ai.generateText.doGenerate", "ai.response.finishReason": "stop"}
    assert mapped({**attributes, "ai.response.text": ""}).output_messages == (Message("assistant", ""),)
    assert mapped(attributes).output_messages == ()


def test_a_tool_has_its_name_arguments_and_result() -> None:
    call = mapped(
        {
            "ai.operationId": "ai.toolCall",
            "ai.toolCall.name": "weather",
            "ai.toolCall.id": "t0",
            "ai.toolCall.args": '{"city": "Bern"}',
            "ai.toolCall.result": '{"sky": "rain"}',
            "ai.telemetry.functionId": "support-chat",
        }
    )
    assert (call.kind, call.tool_name, call.tool_arguments) == (Kind.TOOL, "weather", '{"city": "Bern"}')
    assert call.tool_result == '{"sky": "rain"}'
    assert call.dimensions["tool"] == ("weather",)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"type": "json", "value": {"sky": "rain"}}, '{"sky":"rain"}'),
        ({"type": "error-text", "value": "no such city"}, "no such city"),
        ({"type": "content", "value": [{"type": "text", "text": "rain"}]}, "rain"),
        ({"type": "json", "value": None}, "null"),
        ("rain", "rain"),
        ({"sky": "rain"}, '{"sky":"rain"}'),
    ],
    ids=str,
)
def test_a_result_of_a_tool_is_read_in_every_form(output: Any, said: str) -> None:
    messages = [{"role": "tool", "content": [{"type": "tool-result", **WEATHER, "output": output}]}]
    call = mapped({"ai.operationId": "ai.generateText.doGenerate", "ai.prompt.messages": json.dumps(messages)})
    assert call.input_messages == (Message("tool", said, tool_call_id="t0", name="weather"),)


def test_embeddings_are_counted_where_the_model_was_called() -> None:
    outer = mapped({"ai.operationId": "ai.embedMany", "ai.values": ['"one"', '"two"'], "ai.usage.tokens": 4})
    inner = mapped({"ai.operationId": "ai.embedMany.doEmbed", "ai.values": ['"one"', '"two"'], "ai.usage.tokens": 4})
    assert (outer.kind, inner.kind) == (Kind.TASK, Kind.EMBEDDING)
    assert inner.usage == Usage(4)
    assert inner.input_text == "one\ntwo"
    assert mapped({"ai.operationId": "ai.embed.doEmbed", "ai.value": '"one"'}).input_text == "one"


def test_metadata_gives_dimensions_and_the_conversation() -> None:
    call = mapped(
        {
            "ai.operationId": "ai.generateText",
            "ai.telemetry.metadata.userId": "u1",
            "ai.telemetry.metadata.sessionId": "s1",
            "ai.telemetry.metadata.tenantId": "acme",
            "ai.telemetry.metadata.promptVersion": 7,
            "ai.telemetry.metadata.language": "de",
            "ai.telemetry.metadata.tags": ["a", "b"],
        }
    )
    assert call.conversation_id == "s1"
    assert {name: call.dimensions[name] for name in ("user", "tenant", "prompt.version", "language")} == {
        "user": ("u1",),
        "tenant": ("acme",),
        "prompt.version": ("7",),
        "language": ("de",),
    }


@pytest.mark.parametrize(("name", "kind"), KINDS.items(), ids=str)
def test_the_first_versions_named_an_operation_only_in_one_place(name: str, kind: Kind) -> None:
    call = mapped({"operation.name": f"{name} support-chat", "ai.model.id": "gpt-4o", "resource.name": "support-chat"})
    assert (call.kind, call.convention) == (kind, "vercel_ai")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("openai.responses", "openai"),
        ("anthropic.messages", "anthropic"),
        ("google.generative-ai", "gcp.gemini"),
        ("google.vertex.chat", "gcp.vertex_ai"),
        ("azure-openai.chat", "azure.ai.openai"),
        ("amazon-bedrock", "aws.bedrock"),
        ("mistral.chat", "mistral_ai"),
        ("xai.chat", "x_ai"),
        ("my-own", "my-own"),
        ("", None),
    ],
)
def test_a_provider_has_the_name_that_everybody_gives_it(value: str, name: str | None) -> None:
    assert model_provider(value) == name


def test_the_own_attributes_of_a_span_win_over_those_of_another_convention_and_gaps_are_filled_by_it() -> None:
    call = mapped(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.response.text": "own",
            "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "other"}]}]',
            "gen_ai.usage.output_tokens": 9,
        }
    )
    assert call.usage.output_tokens == 9
    assert call.convention == "vercel_ai"


@pytest.mark.parametrize(
    "attributes",
    [
        {"ai.prompt.messages": "[{"},
        {"ai.prompt.messages": '[1, null, {"role": 5, "content": {"type": 3}}]'},
        {"ai.prompt.messages": '[{"role": "tool", "content": [{"type": "tool-result", "output": {"type": [], "value": 1}}]}]'},
        {"ai.response.toolCalls": '[{"toolName": 7}, null, "x"]'},
        {"ai.response.toolCalls": '{"0": {"toolName": "a", "args": null}}'},
        {"ai.response.text": ["not", "text"], "ai.response.reasoning": {"a": 1}},
        {"ai.response.object": 7, "ai.response.finishReason": ["stop"]},
        {"ai.usage.promptTokens": "NaN", "ai.usage.completionTokens": -1, "ai.usage.tokens": float("nan")},
        {"ai.settings.temperature": "hot", "ai.settings.maxTokens": 1.5, "ai.prompt.toolChoice": "[]"},
        {"ai.values": [1, None, {"a": 2}], "ai.prompt.tools": "no list"},
        {"ai.telemetry.metadata": "flat", "ai.telemetry.metadata.userId": {"a": 1}},
        {"ai.operationId": 7, "operation.name": ["ai.toolCall"]},
        {"ai.response": "flat", "ai.response.text": "branch"},
    ],
    ids=str,
)
def test_no_malformed_attribute_costs_the_call(attributes: dict[str, Any]) -> None:
    call = mapped({"ai.operationId": "ai.generateText.doGenerate", **attributes})
    assert call.convention == "vercel_ai"
    assert call.attributes.items() >= attributes.items() or "ai.usage.tokens" in attributes
    assert call.usage == Usage()


def test_a_response_of_nothing_known_is_none() -> None:
    assert response({"timestamp": "2026-01-01", "providerMetadata": "{}"}) is None
    assert response("text") is None
