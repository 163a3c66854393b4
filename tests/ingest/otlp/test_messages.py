import json
from typing import Any

import pytest

from holdfast.core.call import Message, ToolCall
from holdfast.ingest.otlp.messages import completion_messages, finish_reasons, instructions, prompt_messages

CALL = ToolCall("weather", '{"city":"Bern"}', "t1")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"role": "user", "content": "Hello"}, Message("user", "Hello")),
        ({"role": "user", "parts": [{"type": "text", "content": "Hello"}]}, Message("user", "Hello")),
        (
            {"role": "user", "parts": [{"type": "text", "content": "a"}, {"type": "text", "content": "b"}]},
            Message("user", "a\nb"),
        ),
        ({"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "image_url"}]}, Message("user", "Hello")),
        ({"role": "user", "content": '[{"type": "text", "text": "Hello"}]'}, Message("user", "Hello")),
        ({"role": "assistant", "content": "[1, 2]"}, Message("assistant", "[1, 2]")),
        ({"role": "assistant", "content": '{"a": 1}'}, Message("assistant", '{"a": 1}')),
        ({"role": "model", "parts": [{"text": "Hello"}]}, Message("assistant", "Hello")),
        ({"type": "human", "content": "Hello"}, Message("user", "Hello")),
        ({"lc": 1, "type": "constructor", "id": ["x", "HumanMessage"], "kwargs": {"content": "Hello"}}, Message("user", "Hello")),
        (
            {"lc": 1, "type": "constructor", "id": ["x", "AIMessageChunk"], "kwargs": {"content": "Hi"}},
            Message("assistant", "Hi"),
        ),
        ({"role": "assistant", "content": None, "refusal": "I must not."}, Message("assistant", "I must not.")),
        ({"role": "assistant", "content": "Hi", "reasoning_content": "Hm"}, Message("assistant", "Hi", reasoning="Hm")),
        (
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Hi"}]},
            Message("assistant", "Hi", reasoning="Hm"),
        ),
        (
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "t1", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}],
            },
            Message("assistant", "", (CALL,)),
        ),
        (
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Bern"}}]},
            Message("assistant", "", (CALL,)),
        ),
        (
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"city": "Bern"}}]},
            Message("assistant", "", (CALL,)),
        ),
        (
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Bern"}}}]},
            Message("assistant", "", (ToolCall("weather", '{"city":"Bern"}'),)),
        ),
        ({"role": "tool", "content": "rain", "tool_call_id": "t1"}, Message("tool", "rain", tool_call_id="t1")),
        (
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "result": "rain"}]},
            Message("tool", "rain", tool_call_id="t1"),
        ),
        (
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": {"sky": "rain"}}]},
            Message("tool", '{"sky":"rain"}', tool_call_id="t1"),
        ),
        (
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "rain"}]}],
            },
            Message("tool", "rain", tool_call_id="t1"),
        ),
        ({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}, Message("assistant", "Hi")),
    ],
)
def test_a_message_of_any_shape_is_read(item: dict[str, Any], message: Message) -> None:
    assert completion_messages([item]) == (message,)
    assert completion_messages(json.dumps([item])) == (message,)


def test_several_tool_answers_in_one_message_are_several_messages() -> None:
    parts = [{"type": "tool_call_response", "id": i, "response": i} for i in ("a", "b")]
    found = prompt_messages([{"role": "tool", "parts": parts}])
    assert found is not None
    assert [(m.tool_call_id, m.content) for m in found] == [("a", "a"), ("b", "b")]


def test_plain_text_is_said_by_the_side_that_it_came_from() -> None:
    assert prompt_messages("Hello") == (Message("user", "Hello"),)
    assert completion_messages("Hi") == (Message("assistant", "Hi"),)


def test_a_whole_request_or_response_holds_its_messages() -> None:
    assert prompt_messages({"model": "m", "messages": [{"role": "user", "content": "Hello"}]}) == (Message("user", "Hello"),)
    assert completion_messages({"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}) == (
        Message("assistant", "Hi"),
    )


def test_a_batch_of_prompts_is_one_conversation() -> None:
    assert prompt_messages([[{"role": "user", "content": "a"}], [{"role": "user", "content": "b"}]]) == (
        Message("user", "a"),
        Message("user", "b"),
    )


@pytest.mark.parametrize("value", [None, "", [], 5, [None, 3], {}])
def test_nothing_is_said_where_there_is_nothing(value: object) -> None:
    assert not any(m.content for m in prompt_messages(value) or ())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Be kind.", "Be kind."),
        ('[{"type":"text","content":"Be kind."}]', "Be kind."),
        (["Be", "kind."], "Be\nkind."),
        ("", None),
        (5, None),
    ],
)
def test_instructions_are_text_or_parts(value: object, text: str | None) -> None:
    assert instructions(value) == text


def test_finish_reasons_inside_messages_are_found() -> None:
    assert finish_reasons([{"finish_reason": "stop"}, {}, 3]) == ("stop",)
