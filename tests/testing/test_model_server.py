import json
from typing import Any

import anthropic
import httpx
import openai
import pytest

from holdfast.core.call import ToolCall
from holdfast.testing.model_server import Reply, ScriptedModelServer

MESSAGES: Any = [{"role": "user", "content": "Where is parcel 77?"}]
CALL = ToolCall("track", '{"parcel": 77}', "call_1")


def openai_client(server: ScriptedModelServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="not-a-key", max_retries=0)


def anthropic_client(server: ScriptedModelServer) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=server.url, api_key="not-a-key", max_retries=0)


def test_replies_come_in_order_and_the_last_one_again_and_again() -> None:
    with ScriptedModelServer([Reply(text="one"), Reply(text="two")]) as server, openai_client(server) as client:
        said = [client.chat.completions.create(model="m", messages=MESSAGES).choices[0].message.content for _ in range(3)]
    assert said == ["one", "two", "two"]


def test_what_was_asked_is_noted() -> None:
    with ScriptedModelServer([Reply(text="one")]) as server, openai_client(server) as client:
        client.chat.completions.create(model="m", messages=MESSAGES, temperature=0.5)
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {"model": "m", "messages": MESSAGES, "temperature": 0.5}


def test_openai_gets_text_tokens_and_the_model_that_answered() -> None:
    reply = Reply(text="In Lyon.", model="m-2026", id="r1", input_tokens=10, output_tokens=3, cached_tokens=4, reasoning_tokens=1)
    with ScriptedModelServer([reply]) as server, openai_client(server) as client:
        answer = client.chat.completions.create(model="m", messages=MESSAGES)
    assert (answer.id, answer.model, answer.choices[0].finish_reason) == ("r1", "m-2026", "stop")
    usage = answer.usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 3, 13)
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 4


def test_log_probabilities_are_given_to_who_asks_for_them() -> None:
    with ScriptedModelServer([Reply(text="In Lyon.", logprobs=(-0.1, -0.3))]) as server, openai_client(server) as client:
        with_them = client.chat.completions.create(model="m", messages=MESSAGES, logprobs=True).choices[0].logprobs
        without = client.chat.completions.create(model="m", messages=MESSAGES).choices[0].logprobs
    assert with_them is not None
    assert [(t.token, t.logprob) for t in with_them.content or []] == [("In", -0.1), (" Lyon.", -0.3)]
    assert without is None


def test_openai_gets_tool_calls_in_one_piece_and_in_a_stream() -> None:
    with ScriptedModelServer([Reply(tool_calls=(CALL,), finish_reason="tool_calls")]) as server, openai_client(server) as client:
        whole: Any = client.chat.completions.create(model="m", messages=MESSAGES).choices[0].message.tool_calls
        chunks = list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    assert [(c.id, c.function.name, c.function.arguments) for c in whole] == [("call_1", "track", '{"parcel": 77}')]
    parts: list[Any] = [part for chunk in chunks for part in chunk.choices[0].delta.tool_calls or []]
    assert "".join(p.function.arguments for p in parts) == '{"parcel": 77}'
    assert (parts[0].id, parts[0].function.name) == ("call_1", "track")
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_a_stream_of_openai_ends_with_the_tokens_when_asked() -> None:
    reply = Reply(text="It arrives on Tuesday.", finish_reason="length", input_tokens=10, output_tokens=5)
    with ScriptedModelServer([reply]) as server, openai_client(server) as client:
        chunks = list(
            client.chat.completions.create(model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True})
        )
        plain = list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "It arrives on Tuesday."
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 5
    assert all(chunk.usage is None for chunk in plain)


def test_embeddings_come_one_for_each_text() -> None:
    with ScriptedModelServer([Reply(embedding=(0.5, -1.0), input_tokens=4)]) as server, openai_client(server) as client:
        answer = client.embeddings.create(model="e", input=["a", "b"], encoding_format="float")
    assert [e.embedding for e in answer.data] == [[0.5, -1.0]] * 2
    assert answer.usage.prompt_tokens == 4


def test_anthropic_gets_thoughts_text_and_tool_use_with_its_own_reasons() -> None:
    reply = Reply(
        reasoning="Look it up.",
        text="One moment.",
        tool_calls=(CALL,),
        finish_reason="tool_calls",
        input_tokens=10,
        cached_tokens=4,
        output_tokens=7,
    )
    with ScriptedModelServer([reply]) as server, anthropic_client(server) as client:
        answer = client.messages.create(model="m", max_tokens=100, messages=MESSAGES)
    assert [block.type for block in answer.content] == ["thinking", "text", "tool_use"]
    assert answer.content[2].model_dump()["input"] == {"parcel": 77}
    assert answer.stop_reason == "tool_use"
    assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens, answer.usage.output_tokens) == (6, 4, 7)


def test_a_stream_of_anthropic_adds_up_to_the_same_message() -> None:
    reply = Reply(
        reasoning="Hm.", text="It is in Lyon.", tool_calls=(CALL,), finish_reason="tool_calls", output_tokens=9, input_tokens=3
    )
    with ScriptedModelServer([reply]) as server, anthropic_client(server) as client:
        whole = client.messages.create(model="m", max_tokens=100, messages=MESSAGES)
        with client.messages.stream(model="m", max_tokens=100, messages=MESSAGES) as stream:
            added_up = stream.get_final_message()
    assert [b.model_dump(exclude={"parsed_output"}) for b in added_up.content] == [b.model_dump() for b in whole.content]
    assert (added_up.stop_reason, added_up.usage.output_tokens) == (whole.stop_reason, whole.usage.output_tokens)


@pytest.mark.parametrize(
    ("status", "kind"), [(429, openai.RateLimitError), (401, openai.AuthenticationError), (500, openai.InternalServerError)]
)
def test_a_scripted_failure_is_openais_error(status: int, kind: type[Exception]) -> None:
    with (
        ScriptedModelServer([Reply(status=status, text="no")]) as server,
        openai_client(server) as client,
        pytest.raises(kind, match="no"),
    ):
        client.chat.completions.create(model="m", messages=MESSAGES)


def test_a_scripted_failure_is_anthropics_error() -> None:
    with (
        ScriptedModelServer([Reply(status=429, text="slow down")]) as server,
        anthropic_client(server) as client,
        pytest.raises(anthropic.RateLimitError, match="slow down"),
    ):
        client.messages.create(model="m", max_tokens=100, messages=MESSAGES)


def test_a_path_that_no_model_has_is_not_found_and_takes_no_reply() -> None:
    with ScriptedModelServer([Reply()]) as server:
        answer = httpx.post(f"{server.url}/v1/secrets", json={})
    assert answer.status_code == 404
    assert not server.asked


def test_a_body_that_is_no_json_is_a_bad_request() -> None:
    with ScriptedModelServer([Reply()]) as server:
        answer = httpx.post(f"{server.url}/v1/messages", content=b"{")
    assert answer.status_code == 400
    assert json.loads(answer.content)["error"]["type"] == "invalid_request_error"


def test_a_server_without_replies_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ScriptedModelServer([])
