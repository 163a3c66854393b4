"""Anthropic's messages, read and written."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import ToolCall
from holdfast.gateway.dialects.anthropic_messages import AnthropicMessages
from holdfast.gateway.dialects.protocol import Asked, Event, OwnAnswer
from holdfast.gateway.sse import EventReader
from tests.gateway.dialects.test_openai_chat import JSON

MESSAGES = AnthropicMessages()


def events(frames: bytes) -> list[Event]:
    return EventReader().feed(frames)


def test_what_a_request_asks() -> None:
    asked = MESSAGES.asked(
        {
            "model": "claude",
            "system": [{"type": "text", "text": "Be kind."}],
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]},
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "t", "content": "42"}, {"type": "text", "text": "so?"}],
                },
                {"role": "user", "content": [{"type": "image", "source": {}}]},
            ],
            "tools": [{"name": "f"}],
            "metadata": {"user_id": "u"},
            "max_tokens": 5,
        }
    )
    assert (asked.system, asked.tools, asked.user, asked.unseen) == ("Be kind.", ("f",), "u", ("image",))
    assert [(m.role, m.content) for m in asked.messages] == [
        ("user", "Hi"),
        ("assistant", ""),
        ("tool", "42"),
        ("user", "so?"),
        ("user", ""),
    ]
    assert asked.messages[1].tool_calls == (ToolCall("f", '{"a":1}', "t"),)


def test_cached_tokens_are_part_of_the_input() -> None:
    said = MESSAGES.said({"usage": {"input_tokens": 5, "cache_read_input_tokens": 100, "output_tokens": 2}})
    assert (said.usage.input_tokens, said.usage.cache_read_tokens) == (105, 100)


def test_own_answers_are_read_by_the_same_reader() -> None:
    own = OwnAnswer("Later.", True)
    assert MESSAGES.said(MESSAGES.answer(Asked(model="m"), own)).finish_reasons == ("refusal",)
    listener = MESSAGES.listener(Asked())
    for event in events(b"".join(MESSAGES.answer_stream(Asked(model="m"), own))):
        listener.hear(event)
    assert (listener.said().text, listener.said().finished) == ("Later.", True)


def test_a_stream_cut_inside_a_tool_call_closes_it_and_says_the_tail_in_a_block_of_its_own() -> None:
    listener = MESSAGES.listener(Asked())
    for value in (
        {"type": "message_start", "message": {"id": "m", "model": "claude", "usage": {"input_tokens": 3}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "f"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{"}},
    ):
        listener.hear(Event("", orjson.dumps(value), b""))
    tail = [(e.name, orjson.loads(e.data)) for e in events(b"".join(listener.tail("Sorry.")))]
    assert [name for name, _ in tail] == [
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert (tail[0][1]["index"], tail[1][1]["index"]) == (0, 1)


@given(
    st.dictionaries(st.sampled_from(["messages", "content", "usage", "system", "type", "delta", "content_block", "index"]), JSON)
)
def test_no_request_answer_or_event_crashes_the_reader(body: dict[str, object]) -> None:
    MESSAGES.asked(body)
    MESSAGES.said(body)
    MESSAGES.with_text(body, str.upper)
    MESSAGES.without_tools(body, frozenset({"f"}))
    MESSAGES.listener(Asked()).hear(Event("", orjson.dumps(body), b""))
