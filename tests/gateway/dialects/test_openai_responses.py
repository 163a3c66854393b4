"""OpenAI's responses, read and written."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import ToolCall
from holdfast.gateway.dialects.openai_responses import OpenAIResponses
from holdfast.gateway.dialects.protocol import Asked, Event, OwnAnswer
from holdfast.gateway.sse import EventReader
from tests.gateway.dialects.test_openai_chat import JSON

RESPONSES = OpenAIResponses()


def test_what_a_request_asks() -> None:
    asked = RESPONSES.asked(
        {
            "model": "m",
            "instructions": "Be kind.",
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_image", "image_url": "x"}]},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "42"},
            ],
            "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
            "previous_response_id": "resp_1",
            "text": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        }
    )
    assert (asked.system, asked.tools) == ("Be kind.", ("f", "web_search"))
    assert asked.unseen == ("input_image", "previous_response")
    assert [m.role for m in asked.messages] == ["user", "assistant", "tool"]
    assert (asked.output_type, asked.output_schema) == ("json", '{"type":"object"}')
    assert RESPONSES.asked({"input": "plain"}).messages[0].content == "plain"


def test_what_an_answer_says() -> None:
    said = RESPONSES.said(
        {
            "id": "r",
            "status": "completed",
            "output": [
                {"type": "reasoning", "summary": []},
                {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            ],
            "usage": {"input_tokens": 3, "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 1}},
        }
    )
    assert (said.text, said.tool_calls, said.usage.reasoning_tokens) == ("Hello", (ToolCall("f", "{}", "c"),), 1)


def test_own_answers_are_read_by_the_same_reader() -> None:
    own = OwnAnswer("Later.", False, 1)
    assert RESPONSES.said(RESPONSES.answer(Asked(model="m"), own)).text == "Later."
    listener = RESPONSES.listener(Asked())
    frames = b"".join(RESPONSES.answer_stream(Asked(model="m"), own))
    numbers = []
    for event in EventReader().feed(frames):
        listener.hear(event)
        numbers.append(orjson.loads(event.data)["sequence_number"])
    assert (listener.said().text, listener.said().finished) == ("Later.", True)
    assert numbers == list(range(len(numbers)))


def test_the_end_of_a_cut_stream_repeats_nothing_that_was_held_back() -> None:
    listener = RESPONSES.listener(Asked())
    listener.hear(Event("", b'{"type":"response.output_text.delta","delta":"public SECRET"}', b""))
    tail = b"".join(listener.tail("Sorry.", 7))
    assert b"public " in tail
    assert b"SECRET" not in tail


@given(st.dictionaries(st.sampled_from(["input", "output", "usage", "text", "type", "item", "response", "output_index"]), JSON))
def test_no_request_answer_or_event_crashes_the_reader(body: dict[str, object]) -> None:
    RESPONSES.asked(body)
    RESPONSES.said(body)
    RESPONSES.with_text(body, str.upper)
    RESPONSES.without_tools(body, frozenset({"f"}))
    RESPONSES.listener(Asked()).hear(Event("", orjson.dumps(body), b""))
