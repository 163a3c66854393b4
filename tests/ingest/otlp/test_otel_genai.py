import json

import pytest

from holdfast.core.call import Kind, Message, ToolCall, Usage
from holdfast.ingest.otlp.otel_genai import OPERATIONS, OTEL_GENAI
from tests.ingest.otlp.bodies import call_of, event, mapped

WEATHER = {"type": "function", "name": "weather", "description": "tells the weather", "parameters": {"type": "object"}}


def test_a_chat_of_the_attribute_generation_gives_every_field() -> None:
    call = call_of(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.max_tokens": 300,
            "gen_ai.request.stream": True,
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.response.model": "gpt-4o-2026-08",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.finish_reasons": ["tool_call"],
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.usage.input_tokens": 120,
            "gen_ai.usage.output_tokens": 30,
            "gen_ai.usage.cache_read.input_tokens": 100,
            "gen_ai.usage.cache_write.input_tokens": 5,
            "gen_ai.usage.reasoning.output_tokens": 12,
            "gen_ai.usage.cost": 0.0031,
            "gen_ai.conversation.id": "c1",
            "gen_ai.output.type": "json",
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Answer from the context."}]),
            "gen_ai.input.messages": json.dumps(
                [
                    {
                        "role": "user",
                        "parts": [{"type": "text", "content": "Weather in Bern?"}, {"type": "blob", "mime_type": "image/png"}],
                    }
                ]
            ),
            "gen_ai.output.messages": json.dumps(
                [
                    {
                        "role": "assistant",
                        "parts": [
                            {"type": "reasoning", "content": "I need a tool."},
                            {"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"city": "Bern"}},
                        ],
                        "finish_reason": "tool_call",
                    }
                ]
            ),
            "gen_ai.tool.definitions": json.dumps([WEATHER]),
        },
        kind=3,
        parentSpanId="00f067aa0ba902b7",
    )
    assert call.kind is Kind.LLM
    assert call.convention == "otel_genai"
    assert call.mapper_version == OTEL_GENAI.version
    assert (call.provider, call.request_model, call.response_model, call.response_id) == (
        "openai",
        "gpt-4o",
        "gpt-4o-2026-08",
        "chatcmpl-1",
    )
    assert call.parameters == {"temperature": 0.2, "max_tokens": 300, "stream": True, "stop_sequences": '["END"]'}
    assert call.usage == Usage(120, 30, 100, 5, 12)
    assert call.cost_usd == pytest.approx(0.0031)
    assert call.time_to_first_token_ms == pytest.approx(250)
    assert call.system_instructions == "Answer from the context."
    assert call.input_messages == (Message("user", "Weather in Bern?"),)
    assert call.output_messages == (
        Message("assistant", "", (ToolCall("weather", '{"city":"Bern"}', "t1"),), reasoning="I need a tool."),
    )
    assert call.finish_reasons == ("tool_call",)
    assert call.tool_definitions == ("weather",)
    assert (call.conversation_id, call.output_type, call.parent_span_id) == ("c1", "json", "00f067aa0ba902b7")
    assert call.dimensions == {"service.name": ("support",), "model": ("gpt-4o-2026-08",)}
    assert call.attributes["gen_ai.request.stop_sequences"] == ["END"]


def test_structured_message_attributes_read_like_json_ones() -> None:
    call = call_of(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}],
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [{"type": "text", "content": "Hi"}], "finish_reason": "stop"}
            ],
        }
    )
    assert call.input_messages == (Message("user", "Hello"),)
    assert call.answer == "Hi"
    assert call.finish_reasons == ("stop",)


def test_the_oldest_generation_is_read() -> None:
    call = call_of(
        {
            "gen_ai.system": "az.ai.openai",
            "gen_ai.request.model": "gpt-35",
            "gen_ai.prompt": json.dumps([{"role": "user", "content": "Hello"}]),
            "gen_ai.completion": json.dumps([{"role": "assistant", "content": "Hi"}]),
            "gen_ai.usage.prompt_tokens": 3,
            "gen_ai.usage.completion_tokens": 1,
            "gen_ai.openai.request.response_format": "json_object",
            "gen_ai.openai.request.seed": 7,
            "gen_ai.openai.response.system_fingerprint": "fp_1",
        }
    )
    assert call.kind is Kind.LLM
    assert call.provider == "azure.ai.openai"
    assert call.usage == Usage(3, 1)
    assert (call.input_messages[0].content, call.answer) == ("Hello", "Hi")
    assert (call.output_type, call.parameters["seed"], call.system_fingerprint) == ("json", 7, "fp_1")


def test_the_newer_name_of_a_figure_comes_before_the_older_one() -> None:
    call = mapped({"gen_ai.usage.prompt_tokens": 3, "gen_ai.usage.input_tokens": 4})
    assert call.usage.input_tokens == 4


def test_the_generation_of_events_is_read_from_the_span() -> None:
    call = mapped(
        {"gen_ai.operation.name": "chat", "gen_ai.system": "openai"},
        events=[
            event("gen_ai.system.message", {"gen_ai.system": "openai", "content": "Be kind."}),
            event("gen_ai.user.message", {"gen_ai.event.content": json.dumps({"content": "Hello"})}),
            event(
                "gen_ai.choice",
                {"index": 0, "finish_reason": "stop", "message": json.dumps({"role": "assistant", "content": "Hi"})},
            ),
        ],
    )
    assert call.system_instructions == "Be kind."
    assert call.input_messages == (Message("user", "Hello"),)
    assert (call.answer, call.finish_reasons) == ("Hi", ("stop",))


def test_a_tool_span_has_arguments_and_result() -> None:
    call = call_of(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.call.id": "t1",
            "gen_ai.tool.call.arguments": {"city": "Bern"},
            "gen_ai.tool.call.result": "rain",
            "error.type": "timeout",
        },
        status={"code": 2, "message": "no answer"},
    )
    assert (call.kind, call.tool_name, call.tool_arguments, call.tool_result) == (Kind.TOOL, "weather", '{"city":"Bern"}', "rain")
    assert (call.error_type, call.error_message) == ("timeout", "no answer")
    assert call.dimensions["tool"] == ("weather",)


def test_a_retrieval_span_has_query_and_documents() -> None:
    call = call_of(
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.data_source.id": "handbook",
            "gen_ai.retrieval.query.text": "returns",
            "gen_ai.retrieval.documents": json.dumps([{"id": "d1", "score": 0.9}, {"id": "d2", "score": 0.4}]),
        }
    )
    assert (call.kind, call.input_text) == (Kind.RETRIEVAL, "returns")
    assert [(d.id, d.score) for d in call.documents] == [("d1", 0.9), ("d2", 0.4)]


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"mcp.method.name": "tools/call", "gen_ai.tool.name": "weather"}, Kind.TOOL),
        ({"mcp.method.name": "tools/list"}, Kind.OTHER),
    ],
)
def test_mcp_spans_are_tools_only_when_a_tool_is_called(attributes: dict[str, str], kind: Kind) -> None:
    assert call_of(attributes, name="tools/call weather").kind is kind


def test_an_mcp_tool_call_without_genai_attributes_is_named_by_its_span() -> None:
    call = call_of(
        {"mcp.method.name": "tools/call", "mcp.request.argument": '{"city":"Bern"}', "mcp.response.value": "rain"},
        name="tools/call weather",
    )
    assert (call.tool_name, call.tool_arguments, call.tool_result) == ("weather", '{"city":"Bern"}', "rain")


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_operation_has_its_kind(operation: str) -> None:
    assert mapped({"gen_ai.operation.name": operation}).kind is OPERATIONS[operation]


def test_an_operation_nobody_knows_is_told_by_the_other_attributes() -> None:
    assert mapped({"gen_ai.operation.name": "divine", "gen_ai.request.model": "m"}).kind is Kind.LLM


def test_messages_that_were_cut_off_are_kept_as_text() -> None:
    cut = '[{"role":"user","parts":[{"type":"text","content":"Where is my par'
    call = mapped({"gen_ai.operation.name": "chat", "gen_ai.input.messages": cut})
    assert call.input_messages == (Message("user", cut),)


def test_nonsense_figures_are_not_taken_but_kept() -> None:
    call = mapped(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": "many",
            "gen_ai.usage.output_tokens": -4,
            "gen_ai.usage.cost": "NaN",
        }
    )
    assert call.usage == Usage()
    assert call.cost_usd is None
    assert call.attributes["gen_ai.usage.input_tokens"] == "many"
