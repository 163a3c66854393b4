"""The clients that applications use work against the gateway by their base URL only."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import msgspec
import openai
import pytest

from holdfast.control.effects import UseTemplate
from holdfast.control.snapshot import Dialect, GuardPlace, Route, Snapshot, Target, WeightedTarget
from holdfast.core.call import ToolCall
from holdfast.testing.gateway import KEY, GatewayProcess, lease, simple
from holdfast.testing.model_server import Reply
from holdfast.testing.upstream import Behaviour, UpstreamProcess
from tests.gateway.world import guard

TEXT = "Your refund was sent on Monday."
PLAIN = Behaviour(reply=Reply(text=TEXT, input_tokens=20, output_tokens=8))
CALLING = Behaviour(
    reply=Reply(tool_calls=(ToolCall("look_up", '{"order": 7}', "call_1"),), finish_reason="tool_calls", output_tokens=5)
)
TOOLS: Any = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}]
MESSAGES: Any = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Where is my refund?"}]


@pytest.fixture(scope="module")
def upstream() -> Iterator[UpstreamProcess]:
    with UpstreamProcess(PLAIN) as one:
        yield one


@pytest.fixture(scope="module")
def gateway(upstream: UpstreamProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    targets = (
        Target(name="o", base_url=upstream.url),
        Target(name="a", base_url=upstream.url, dialect=Dialect.ANTHROPIC),
    )
    routes = (Route(name="chat", targets=(WeightedTarget(target="o"), WeightedTarget(target="a")), template="sorry"),)
    guards = tuple(guard(k, k, GuardPlace.OUTPUT) for k in ("sensitive_output", "canary_leak"))
    directory: Path = tmp_path_factory.mktemp("clients")
    with GatewayProcess(directory, simple(targets=targets, routes=routes, guards=guards)) as one:
        yield one


@pytest.fixture
def client(gateway: GatewayProcess, upstream: UpstreamProcess) -> Iterator[openai.OpenAI]:
    upstream.behave(PLAIN)
    upstream.asked()
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as one:
        yield one


@pytest.fixture
def claude(gateway: GatewayProcess, upstream: UpstreamProcess) -> Iterator[anthropic.Anthropic]:
    upstream.behave(PLAIN)
    upstream.asked()
    with anthropic.Anthropic(base_url=gateway.url, api_key=KEY, max_retries=0) as one:
        yield one


def test_openai_chats(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=MESSAGES)
    told = raw.parse()
    assert told.choices[0].message.content == TEXT
    assert told.usage is not None
    assert told.usage.total_tokens == 28
    assert raw.headers["x-holdfast-route"] == "chat"


def test_openai_streams_with_usage_and_json_mode_and_images(client: openai.OpenAI, upstream: UpstreamProcess) -> None:
    content: Any = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
    ]
    stream = client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": content}],
        stream=True,
        stream_options={"include_usage": True},
        response_format={"type": "json_object"},
        extra_body={"unknown_field": {"kept": True}},
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    assert chunks[-1].usage is not None
    body = upstream.asked()[0][0].body
    assert body["unknown_field"] == {"kept": True}
    assert body["messages"][0]["content"] == content


@pytest.mark.parametrize("stream", [False, True])
def test_openai_calls_tools(client: openai.OpenAI, upstream: UpstreamProcess, stream: bool) -> None:
    upstream.behave(CALLING)
    if stream:
        with client.chat.completions.stream(model="m", messages=MESSAGES, tools=TOOLS) as events:
            calls: Any = events.get_final_completion().choices[0].message.tool_calls
    else:
        calls = client.chat.completions.create(model="m", messages=MESSAGES, tools=TOOLS).choices[0].message.tool_calls
    assert calls
    assert (calls[0].function.name, calls[0].function.arguments) == ("look_up", '{"order": 7}')


def test_openai_responses_whole_and_streamed(client: openai.OpenAI) -> None:
    assert client.responses.create(model="m", input="Where is it?").output_text == TEXT
    with client.responses.stream(model="m", input="Where is it?") as events:
        kinds = [event.type for event in events]
        assert events.get_final_response().output_text == TEXT
    assert kinds[-1] == "response.completed"


def test_openai_embeddings_and_unknown_endpoints(client: openai.OpenAI) -> None:
    assert len(client.embeddings.create(model="e", input=["a", "b"], encoding_format="float").data) == 2
    told = client.post("/some/new/endpoint", cast_to=object, body={"x": 1})
    assert told == {"path": "/v1/some/new/endpoint", "echo": {"x": 1}}


def test_openai_errors_are_openais(client: openai.OpenAI, gateway: GatewayProcess, upstream: UpstreamProcess) -> None:
    stranger = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="wrong", max_retries=0)
    with stranger, pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model="m", messages=MESSAGES)
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="m", messages=MESSAGES, extra_headers={"x-holdfast-route": "nowhere"})
    assert refused.value.code == "model_not_found"
    upstream.behave(Behaviour(kind="cut", after=3, reply=PLAIN.reply))
    with pytest.raises(openai.APIError, match="broke off"):
        list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))


def test_anthropic_messages_whole_streamed_and_with_tools(claude: anthropic.Anthropic, upstream: UpstreamProcess) -> None:
    asked: Any = {"model": "claude", "max_tokens": 50, "messages": [{"role": "user", "content": "Where is it?"}]}
    told: Any = claude.messages.create(**asked)
    assert told.content[0].text == TEXT
    with claude.messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == TEXT
    assert upstream.asked()[0][1]["anthropic-version"]
    upstream.behave(CALLING)
    tools: Any = [{"name": "look_up", "input_schema": {"type": "object"}}]
    with claude.messages.stream(**asked, tools=tools) as stream:
        final: Any = stream.get_final_message()
    assert (final.content[0].name, final.content[0].input) == ("look_up", {"order": 7})


def test_anthropic_errors_are_anthropics(gateway: GatewayProcess) -> None:
    stranger = anthropic.Anthropic(base_url=gateway.url, api_key="wrong", max_retries=0)
    with stranger, pytest.raises(anthropic.AuthenticationError):
        stranger.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "x"}])


def test_a_template_is_an_answer_that_every_client_reads(
    client: openai.OpenAI, claude: anthropic.Anthropic, gateway: GatewayProcess
) -> None:
    state = msgspec.json.decode((gateway.directory / "snapshot.json").read_bytes(), type=Snapshot).desired
    gateway.apply(state, lease(1, UseTemplate(template="sorry"), {"tenant": "acme"}))
    try:
        sorry = "We will come back to you."
        assert client.chat.completions.create(model="m", messages=MESSAGES).choices[0].message.content == sorry
        chunks = list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == sorry
        assert client.responses.create(model="m", input="x").output_text == sorry
        with client.responses.stream(model="m", input="x") as events:
            assert events.get_final_response().output_text == sorry
        asked: Any = {"model": "claude", "max_tokens": 50, "messages": [{"role": "user", "content": "x"}]}
        answer: Any = claude.messages.create(**asked)
        assert answer.content[0].text == sorry
        with claude.messages.stream(**asked) as stream:
            assert stream.get_final_text() == sorry
    finally:
        gateway.apply(state)


def test_langchain(gateway: GatewayProcess, upstream: UpstreamProcess) -> None:
    langchain_openai = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    upstream.behave(PLAIN)
    with openai.DefaultHttpxClient() as http:
        chat = langchain_openai.ChatOpenAI(
            model="gpt-4o-mini", base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0, http_client=http
        )
        assert chat.invoke("Where is my refund?").content == TEXT
        assert "".join(chunk.content for chunk in chat.stream("Where is my refund?")) == TEXT


def test_pydantic_ai(gateway: GatewayProcess, upstream: UpstreamProcess) -> None:
    pytest.importorskip("pydantic_ai", reason="pydantic-ai is not installed")
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    upstream.behave(PLAIN)

    async def ask() -> str:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as client:
            model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=client))
            return str((await Agent(model).run("Where is my refund?")).output)

    assert asyncio.run(ask()) == TEXT
