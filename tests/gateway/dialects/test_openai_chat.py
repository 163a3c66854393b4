"""OpenAI's chat completions, read and written."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import Message, ToolCall
from holdfast.gateway.dialects.openai_chat import OpenAIChat, json_object
from holdfast.gateway.dialects.protocol import Asked, Event, OwnAnswer
from holdfast.gateway.sse import EventReader

CHAT = OpenAIChat()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "tools", "function", "name", "choices", "delta"]), inner
        )
    ),
    max_leaves=12,
)


def heard(frames: bytes) -> str:
    listener = CHAT.listener(Asked(model="m"))
    return "".join(listener.hear(e).text for e in EventReader().feed(frames))


def test_what_a_request_asks() -> None:
    asked = CHAT.asked(
        {
            "model": "m",
            "stream": True,
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {}}]},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": "42"},
            ],
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "temperature": 0.5,
            "max_completion_tokens": 7,
            "safety_identifier": "u1",
            "user": "u2",
            "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}},
        }
    )
    assert (asked.model, asked.stream, asked.system, asked.tools, asked.user) == ("m", True, "Be kind.", ("f",), "u1")
    assert asked.unseen == ("image_url",)
    assert asked.messages[2] == Message("assistant", "", (ToolCall("f", "{}", "c"),))
    assert asked.parameters == {"temperature": 0.5, "max_tokens": 7}
    assert (asked.output_type, asked.output_schema) == ("json", '{"type":"object"}')


def test_a_stream_says_what_the_whole_answer_says() -> None:
    chunks = [
        {"id": "1", "model": "m2", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "He"}}]},
        {"choices": [{"index": 0, "delta": {"content": "llo"}}]},
        {
            "choices": [
                {"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a"'}}]}}
            ]
        },
        {
            "choices": [
                {"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}, "finish_reason": "stop"}
            ]
        },
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}}},
    ]
    listener = CHAT.listener(Asked())
    found = [listener.hear(Event("", orjson.dumps(c), b"")) for c in chunks]
    listener.hear(Event("", b"[DONE]", b""))
    said = listener.said()
    assert (said.text, said.model, said.finish_reasons, said.finished) == ("Hello", "m2", ("stop",), True)
    assert said.tool_calls == (ToolCall("f", '{"a":1}', "c"),)
    assert (said.usage.input_tokens, said.usage.cache_read_tokens) == (3, 1)
    assert [h.tool for h in found] == ["", "", "f", "", ""]


def test_own_answers_are_read_by_the_same_reader() -> None:
    own = OwnAnswer("Later.", True, 1)
    assert CHAT.said(CHAT.answer(Asked(model="m"), own)).text == "Later."
    assert CHAT.said(CHAT.answer(Asked(model="m"), own)).finish_reasons == ("content_filter",)
    assert heard(b"".join(CHAT.answer_stream(Asked(model="m"), own))) == "Later."


def test_without_its_last_tool_a_request_asks_for_none() -> None:
    body = {"tools": [{"function": {"name": "f"}}], "tool_choice": "required", "parallel_tool_calls": True, "x": 1}
    assert CHAT.without_tools(body, frozenset({"f"})) == {"x": 1}


@given(st.dictionaries(st.sampled_from(["messages", "tools", "choices", "usage", "model", "response_format"]), JSON))
def test_no_request_or_answer_crashes_the_reader(body: dict[str, object]) -> None:
    CHAT.asked(body)
    CHAT.said(body)
    CHAT.with_text(body, str.upper)
    CHAT.with_system(body, "x")
    CHAT.without_tools(body, frozenset({"f"}))
    CHAT.listener(Asked()).hear(Event("", orjson.dumps(body), b""))


@given(st.binary(max_size=60))
def test_what_is_no_object_is_an_empty_one(data: bytes) -> None:
    assert isinstance(json_object(data), dict)
