import json

import pytest

from holdfast.core.call import Kind, Message, ToolCall, Usage
from holdfast.ingest.otlp.openllmetry import KINDS, OPENLLMETRY, REQUEST_TYPES
from tests.ingest.otlp.bodies import PARENT, call_of, event, mapped


def test_a_model_call_gives_every_field() -> None:
    call = call_of(
        {
            "llm.request.type": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.request.temperature": 0.7,
            "gen_ai.response.model": "gpt-4o-2026-08",
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "Answer from the context.",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": json.dumps([{"type": "text", "text": "Weather in Bern?"}]),
            "gen_ai.prompt.2.role": "assistant",
            "gen_ai.prompt.2.tool_calls.0.id": "t0",
            "gen_ai.prompt.2.tool_calls.0.name": "weather",
            "gen_ai.prompt.2.tool_calls.0.arguments": '{"city": "Bern"}',
            "gen_ai.prompt.3.role": "tool",
            "gen_ai.prompt.3.content": "rain",
            "gen_ai.prompt.3.tool_call_id": "t0",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "It rains.",
            "gen_ai.completion.0.finish_reason": "stop",
            "llm.request.functions.0.name": "weather",
            "gen_ai.usage.prompt_tokens": 60,
            "gen_ai.usage.completion_tokens": 4,
            "gen_ai.usage.cache_read_input_tokens": 20,
            "gen_ai.usage.reasoning_tokens": 2,
            "llm.usage.total_tokens": 64,
            "llm.is_streaming": True,
            "traceloop.prompt.key": "answer",
            "traceloop.prompt.version": 5,
            "traceloop.prompt.template": "Answer {{q}}",
            "traceloop.prompt.template_variables": '{"q": "Weather in Bern?"}',
            "traceloop.association.properties.tenant": "acme",
            "traceloop.association.properties.user_id": "u1",
            "traceloop.association.properties.session_id": "s1",
        }
    )
    assert (call.kind, call.convention, call.mapper_version) == (Kind.LLM, "openllmetry", OPENLLMETRY.version)
    assert call.input_messages == (
        Message("system", "Answer from the context."),
        Message("user", "Weather in Bern?"),
        Message("assistant", "", (ToolCall("weather", '{"city": "Bern"}', "t0"),)),
        Message("tool", "rain", tool_call_id="t0"),
    )
    assert (call.answer, call.finish_reasons, call.tool_definitions) == ("It rains.", ("stop",), ("weather",))
    assert call.usage == Usage(60, 4, 20, None, 2)
    assert call.parameters == {"temperature": 0.7, "stream": True}
    assert (call.prompt_template, call.prompt_variables) == ("Answer {{q}}", {"q": "Weather in Bern?"})
    assert call.conversation_id == "s1"
    assert call.dimensions == {
        "service.name": ("support",),
        "model": ("gpt-4o-2026-08",),
        "prompt.version": ("5",),
        "tenant": ("acme",),
        "user": ("u1",),
    }
    assert call.attributes["llm.usage.total_tokens"] == 64


def test_message_attributes_of_newer_instrumentors_are_read_too() -> None:
    call = mapped(
        {
            "traceloop.workflow.name": "support",
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]),
            "gen_ai.usage.cache_creation_input_tokens": 3,
        }
    )
    assert (call.convention, call.kind, call.input_messages) == ("openllmetry", Kind.LLM, (Message("user", "Hello"),))
    assert call.usage.cache_write_tokens == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('{"args": ["Where is it?"], "kwargs": {}}', "Where is it?"),
        ('{"args": [], "kwargs": {"question": "Where is it?", "top_k": 3}}', "Where is it?"),
        ('{"inputs": {"input": "Where is it?"}, "tags": [], "metadata": {}}', "Where is it?"),
        ('{"messages": [{"role": "user", "content": "Where is it?"}]}', "Where is it?"),
        ('"Where is it?"', "Where is it?"),
        ("Where is it?", "Where is it?"),
    ],
)
def test_the_question_is_found_inside_what_decorators_write(value: str, text: str) -> None:
    call = mapped({"traceloop.span.kind": "workflow", "traceloop.entity.name": "support", "traceloop.entity.input": value})
    assert (call.kind, call.input_text) == (Kind.WORKFLOW, text)


@pytest.mark.parametrize(
    "value", ['"There."', '{"answer": "There.", "sources": []}', '{"outputs": {"output": "There."}}', "There."]
)
def test_the_answer_is_found_inside_what_decorators_write(value: str) -> None:
    assert mapped({"traceloop.span.kind": "workflow", "traceloop.entity.output": value}).answer == "There."


@pytest.mark.parametrize(
    "output",
    [
        '[{"text": "Returns are free.", "score": 0.8, "metadata": {"source": "handbook"}}]',
        '[{"page_content": "Returns are free.", "metadata": {"source": "handbook"}, "score": 0.8}]',
        '{"documents": [{"content": "Returns are free.", "similarity": 0.8, "metadata": {"source": "handbook"}}]}',
        '[[{"page_content": "Returns are free.", "metadata": {"source": "handbook"}}, 0.8]]',
        '{"ids": [["d1"]], "documents": [["Returns are free."]], "metadatas": [[{"source": "handbook"}]], "distances": [[0.2]]}',
        '[{"node": {"text": "Returns are free.", "metadata": {"source": "handbook"}}, "score": 0.8}]',
    ],
)
def test_a_task_that_gives_documents_is_a_retrieval(output: str) -> None:
    attributes = {
        "traceloop.span.kind": "task",
        "traceloop.entity.name": "retrieve",
        "traceloop.entity.input": '{"args": ["returns"], "kwargs": {}}',
        "traceloop.entity.output": output,
    }
    call = mapped(attributes, parent_span_id=PARENT)
    assert (call.kind, call.input_text) == (Kind.RETRIEVAL, "returns")
    assert [(d.content, d.source, d.score) for d in call.documents] == [("Returns are free.", "handbook", 0.8)]
    assert call.dimensions["document.source"] == ("handbook",)


def test_a_retrieval_that_found_nothing_is_still_a_retrieval() -> None:
    call = mapped({"traceloop.span.kind": "task", "traceloop.entity.name": "retrieve_docs", "traceloop.entity.output": "[]"})
    assert (call.kind, call.documents) == (Kind.RETRIEVAL, ())


def test_texts_alone_are_documents_only_where_the_name_says_retrieval() -> None:
    def kind(name: str) -> Kind:
        return mapped(
            {"traceloop.span.kind": "task", "traceloop.entity.name": name, "traceloop.entity.output": '["a", "b"]'}
        ).kind

    assert (kind("search_knowledge"), kind("split_sentences")) == (Kind.RETRIEVAL, Kind.TASK)


def test_a_task_that_guards_compares_what_went_in_with_what_came_out() -> None:
    def verdict(after: str) -> list[tuple[str, str]]:
        attributes = {
            "traceloop.span.kind": "task",
            "traceloop.entity.name": "output_filter",
            "traceloop.entity.input": '{"args": ["You fool."], "kwargs": {}}',
            "traceloop.entity.output": after,
        }
        call = mapped(attributes, parent_span_id=PARENT)
        assert call.kind is Kind.GUARDRAIL
        return [(g.name, g.verdict) for g in call.guardrails]

    assert verdict('"You fool."') == [("output_filter", "allow")]
    assert verdict('"You [removed]."') == [("output_filter", "modify")]
    assert verdict('{"verdict": "block"}') == [("output_filter", "deny")]


def test_a_tool_has_its_arguments_without_the_decorators_wrapping() -> None:
    call = mapped(
        {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "refund",
            "traceloop.entity.input": '{"args": [], "kwargs": {"order": 4}}',
            "traceloop.entity.output": '{"status": "done"}',
        },
        name="refund.tool",
    )
    assert (call.kind, call.tool_name, call.tool_arguments, call.tool_result) == (
        Kind.TOOL,
        "refund",
        '{"order":4}',
        '{"status": "done"}',
    )


def test_a_vector_store_query_gives_documents_from_its_events() -> None:
    call = mapped(
        {"db.system": "chroma", "db.operation": "query", "db.vector.query.top_k": 2},
        name="chroma.query",
        events=[
            event(
                "db.query.result",
                {
                    "db.query.result.id": "d1",
                    "db.query.result.distance": 0.25,
                    "db.query.result.document": "Returns are free.",
                    "db.query.result.metadata": '{"source": "handbook"}',
                },
            ),
            event(
                "db.search.result",
                {"db.search.result.id": "d2", "db.search.result.score": 0.5, "db.search.result.entity": '{"text": "b"}'},
            ),
        ],
    )
    assert call.kind is Kind.RETRIEVAL
    assert [(d.id, d.content, d.source, d.score) for d in call.documents] == [
        ("d1", "Returns are free.", "handbook", 0.75),
        ("d2", "b", "", 0.5),
    ]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_span_kind_is_known(kind: str) -> None:
    assert mapped({"traceloop.span.kind": kind}).kind is KINDS[kind]


@pytest.mark.parametrize("kind", sorted(REQUEST_TYPES))
def test_every_request_type_is_known(kind: str) -> None:
    assert mapped({"llm.request.type": kind}).kind is REQUEST_TYPES[kind]
