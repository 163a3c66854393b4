import json
from typing import Any

import pytest

from holdfast.core.call import Message, ToolCall
from holdfast.ingest.otlp.content_events import DETAILS, Content, content_of, listed


@pytest.mark.parametrize(
    ("attributes", "body"),
    [
        ({"content": "Hello"}, None),
        ({"gen_ai.event.content": '{"content": "Hello"}'}, None),
        ({"gen_ai.event.content": "Hello"}, None),
        ({"gen_ai.system": "openai"}, {"content": "Hello", "role": "user"}),
        ({}, '{"content": "Hello"}'),
        ({}, "Hello"),
    ],
)
def test_a_user_message_is_found_in_body_and_attributes(attributes: dict[str, Any], body: Any) -> None:
    assert content_of("gen_ai.user.message", attributes, body).input_messages == (Message("user", "Hello"),)


def test_a_choice_with_tool_calls_is_an_output() -> None:
    calls = [{"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    found = content_of("gen_ai.choice", {}, {"index": 0, "finish_reason": "tool_calls", "message": {"tool_calls": calls}})
    assert found.output_messages == (Message("assistant", "", (ToolCall("f", "{}", "t"),)),)
    assert found.finish_reasons == ("tool_calls",)


def test_a_tool_message_keeps_the_id_of_its_call() -> None:
    assert content_of("gen_ai.tool.message", {}, {"id": "t", "content": "rain"}).input_messages == (
        Message("tool", "rain", tool_call_id="t"),
    )


def test_prompt_and_completion_events_of_the_oldest_generation_are_read() -> None:
    prompt = content_of("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps([{"role": "user", "content": "Hello"}])})
    completion = content_of(
        "gen_ai.content.completion", {"gen_ai.completion": json.dumps([{"role": "assistant", "content": "Hi"}])}
    )
    assert (prompt.input_messages, completion.output_messages) == ((Message("user", "Hello"),), (Message("assistant", "Hi"),))


def test_the_details_event_holds_the_whole_exchange() -> None:
    found = content_of(
        DETAILS,
        {
            "gen_ai.system_instructions": [{"type": "text", "content": "Be kind."}],
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}],
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [{"type": "text", "content": "Hi"}], "finish_reason": "stop"}
            ],
        },
    )
    assert found == Content("Be kind.", (Message("user", "Hello"),), (Message("assistant", "Hi"),), ("stop",))


def test_events_written_as_one_list_are_read_in_order() -> None:
    events = [
        {"event.name": "gen_ai.user.message", "content": "a"},
        {"event.name": "gen_ai.user.message", "content": "b"},
        7,
        {"event.name": 3},
    ]
    assert [m.content for m in listed(json.dumps(events)).input_messages] == ["a", "b"]


def test_other_events_and_other_values_tell_nothing() -> None:
    assert not content_of("something.else", {"content": "Hello"})
    assert not listed("not a list")


def test_the_details_event_tells_the_tools_that_were_offered() -> None:
    tools = [{"type": "function", "name": "track", "parameters": {}}]
    told = content_of(DETAILS, {"gen_ai.tool.definitions": tools})
    assert told.tool_definitions == ("track",)
    assert told
    first = Content(tool_definitions=("lookup",))
    first.add(told)
    assert first.tool_definitions == ("lookup",)
