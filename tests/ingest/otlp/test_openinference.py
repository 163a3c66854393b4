import json

import pytest

from holdfast.core.call import Evaluation, Kind, Message, ToolCall, Usage
from holdfast.ingest.otlp.openinference import KINDS, OPENINFERENCE
from tests.ingest.otlp.bodies import PARENT, call_of, mapped

SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}}


def test_a_model_call_gives_every_field() -> None:
    call = call_of(
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "azure",
            "llm.system": "openai",
            "llm.model_name": "gpt-4o-2026-08",
            "llm.invocation_parameters": json.dumps(
                {
                    "model": "gpt-4o",
                    "temperature": 0.1,
                    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
                    "tools": [{"type": "function", "function": {"name": "refund"}}],
                }
            ),
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "Answer from the context.",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": "Refund order 4",
            "llm.input_messages.1.message.contents.1.message_content.type": "image",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "t1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "refund",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"order": 4}',
            "llm.tools.0.tool.json_schema": json.dumps({"type": "function", "function": {"name": "lookup"}}),
            "llm.finish_reason": "tool_calls",
            "llm.token_count.prompt": 50,
            "llm.token_count.completion": 10,
            "llm.token_count.prompt_details.cache_read": 30,
            "llm.token_count.completion_details.reasoning": 4,
            "llm.cost.total": 0.002,
            "llm.prompt_template.template": "Answer {question}",
            "llm.prompt_template.variables": '{"question": "Refund order 4"}',
            "llm.prompt_template.version": "v3",
            "session.id": "s1",
            "user.id": "u1",
            "metadata": json.dumps(
                {"tenant": "acme", "route": "/refund", "index_version": 12, "language": "de", "region": "eu-1"}
            ),
        }
    )
    assert (call.kind, call.convention, call.mapper_version) == (Kind.LLM, "openinference", OPENINFERENCE.version)
    assert (call.provider, call.request_model, call.response_model) == ("azure", "gpt-4o", "gpt-4o-2026-08")
    assert call.parameters == {"temperature": 0.1}
    assert (call.output_type, json.loads(call.output_schema)) == ("json", SCHEMA)
    assert call.input_messages == (Message("system", "Answer from the context."), Message("user", "Refund order 4"))
    assert call.output_messages == (Message("assistant", "", (ToolCall("refund", '{"order": 4}', "t1"),)),)
    assert call.tool_definitions == ("lookup",)
    assert call.finish_reasons == ("tool_calls",)
    assert call.usage == Usage(50, 10, 30, None, 4)
    assert call.cost_usd == pytest.approx(0.002)
    assert (call.prompt_template, call.prompt_variables) == ("Answer {question}", {"question": "Refund order 4"})
    assert call.conversation_id == "s1"
    assert call.dimensions == {
        "service.name": ("support",),
        "model": ("gpt-4o-2026-08",),
        "user": ("u1",),
        "prompt.version": ("v3",),
        "tenant": ("acme",),
        "route": ("/refund",),
        "index.version": ("12",),
        "language": ("de",),
        "region": ("eu-1",),
    }


def test_the_new_request_and_response_models_come_before_the_old_name() -> None:
    call = mapped(
        {"openinference.span.kind": "LLM", "llm.model_name": "a", "llm.request.model_name": "b", "llm.response.model_name": "c"}
    )
    assert (call.request_model, call.response_model) == ("b", "c")


def test_a_retriever_gives_documents_with_their_sources() -> None:
    call = call_of(
        {
            "openinference.span.kind": "RETRIEVER",
            "input.value": "returns",
            "retrieval.documents.0.document.id": "d1",
            "retrieval.documents.0.document.content": "Returns are free.",
            "retrieval.documents.0.document.score": 0.8,
            "retrieval.documents.0.document.metadata": json.dumps(
                {"source": "handbook", "updated_at": "2026-01-02T03:04:05Z", "tenant": "acme"}
            ),
            "retrieval.documents.1.document.content": "Ask bob@example.com.",
            "retrieval.documents.1.document.metadata": json.dumps({"source": "wiki"}),
            "retrieval.documents.10.document.content": "Last.",
        }
    )
    assert (call.kind, call.input_text) == (Kind.RETRIEVAL, "returns")
    assert [d.content for d in call.documents] == ["Returns are free.", "Ask <EMAIL>.", "Last."]
    assert (call.documents[0].score, call.documents[0].metadata["tenant"]) == (0.8, "acme")
    assert call.documents[0].updated_ns == 1_767_323_045_000_000_000
    assert call.dimensions["document.source"] == ("handbook", "wiki")


def test_a_tool_takes_its_arguments_from_its_input_not_from_its_parameter_definition() -> None:
    call = call_of(
        {
            "openinference.span.kind": "TOOL",
            "tool.name": "refund",
            "tool.parameters": '{"order": "int"}',
            "input.value": '{"order": 4}',
            "output.value": '{"status": "done"}',
        }
    )
    assert (call.kind, call.tool_name, call.tool_arguments, call.tool_result) == (
        Kind.TOOL,
        "refund",
        '{"order": 4}',
        '{"status": "done"}',
    )


def test_a_chain_is_a_workflow_at_the_top_and_a_task_below() -> None:
    attributes = {
        "openinference.span.kind": "CHAIN",
        "input.value": '{"question": "Where?"}',
        "output.value": '{"answer": "There."}',
    }
    assert mapped(attributes).kind is Kind.WORKFLOW
    below = mapped(attributes, parent_span_id=PARENT)
    assert (below.kind, below.input_text, below.output_text) == (Kind.TASK, "Where?", "There.")


def test_a_model_call_without_messages_has_its_input_and_output_as_such() -> None:
    call = mapped(
        {
            "openinference.span.kind": "LLM",
            "input.value": '{"messages": [{"role": "user", "content": "Hello"}]}',
            "output.value": "Hi",
        }
    )
    assert call.input_messages == (Message("user", "Hello"),)
    assert call.output_messages == (Message("assistant", "Hi"),)


def test_reranker_and_embedding_spans_are_read() -> None:
    reranked = mapped(
        {
            "openinference.span.kind": "RERANKER",
            "reranker.query": "returns",
            "reranker.model_name": "r1",
            "reranker.input_documents.0.document.content": "a",
            "reranker.output_documents.0.document.content": "b",
            "reranker.output_documents.0.document.score": 0.3,
        }
    )
    assert (reranked.kind, reranked.model, reranked.input_text) == (Kind.RERANK, "r1", "returns")
    assert [(d.content, d.score) for d in reranked.documents] == [("b", 0.3)]
    embedded = mapped(
        {"openinference.span.kind": "EMBEDDING", "embedding.model_name": "e1", "embedding.embeddings.0.embedding.text": "returns"}
    )
    assert (embedded.kind, embedded.model, embedded.input_text) == (Kind.EMBEDDING, "e1", "returns")


def test_evaluations_annotations_and_feedback_become_evaluations() -> None:
    call = mapped(
        {
            "openinference.span.kind": "LLM",
            "evaluations.0.evaluation.name": "faithfulness",
            "evaluations.0.evaluation.score": 0.2,
            "evaluations.0.evaluation.label": "unfaithful",
            "evaluations.0.evaluation.explanation": "No source says so.",
            "evaluations.0.evaluation.annotator_kind": "LLM",
            "annotations.0.annotation.name": "user feedback",
            "annotations.0.annotation.label": "thumbs-down",
            "trace.evaluations.0.evaluation.name": "solved",
            "trace.evaluations.0.evaluation.label": "no",
        }
    )
    assert call.evaluations == (
        Evaluation("faithfulness", 0.2, "unfaithful", "No source says so.", "LLM"),
        Evaluation("user_feedback", 0.0, "thumbs-down"),
        Evaluation("solved", None, "no"),
    )


@pytest.mark.parametrize(
    ("output", "verdict"),
    [
        ("pass", "allow"),
        ("BLOCKED", "deny"),
        ("true", "allow"),
        ("false", "deny"),
        ('{"blocked": true, "score": 0.93}', "deny"),
        ('{"flagged": false}', "allow"),
        ('{"verdict": "escalate"}', "escalate"),
        ("Where is my parcel?", "allow"),
        ("Where is <REDACTED>?", "modify"),
        ("", "deny"),
    ],
)
def test_a_guardrail_span_has_a_verdict_whatever_it_writes(output: str, verdict: str) -> None:
    call = mapped(
        {"openinference.span.kind": "GUARDRAIL", "input.value": "Where is my parcel?", "output.value": output}, name="toxicity"
    )
    assert [(g.name, g.verdict) for g in call.guardrails] == [("toxicity", verdict)]


def test_a_guardrail_that_failed_is_never_an_allowance() -> None:
    call = mapped({"openinference.span.kind": "GUARDRAIL", "input.value": "x", "output.value": "pass"}, name="toxicity", status=2)
    assert [g.verdict for g in call.guardrails] == ["error"]


def test_a_guardrail_that_says_nothing_has_no_verdict() -> None:
    assert mapped({"openinference.span.kind": "GUARDRAIL"}).guardrails == ()


def test_genai_attributes_on_such_a_span_fill_what_it_leaves_open() -> None:
    call = mapped(
        {
            "openinference.span.kind": "LLM",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 9,
            "llm.token_count.prompt": 8,
        }
    )
    assert (call.convention, call.request_model, call.usage.input_tokens) == ("openinference", "gpt-4o", 8)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_span_kind_is_known(kind: str) -> None:
    assert mapped({"openinference.span.kind": kind}, name="step").kind is KINDS[kind]


def test_an_unknown_span_kind_is_told_by_the_other_attributes() -> None:
    assert mapped({"openinference.span.kind": "UNKNOWN", "llm.input_messages.0.message.content": "Hello"}).kind is Kind.LLM


def test_the_raw_reply_tells_its_id_and_log_probabilities() -> None:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "Yes"},
        "logprobs": {"content": [{"token": "Yes", "logprob": -0.5}]},
    }
    reply = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice]}
    call = call_of({"openinference.span.kind": "LLM", "output.value": json.dumps(reply)})
    assert (call.response_id, call.mean_logprob) == ("chatcmpl-1", -0.5)


@pytest.mark.parametrize(
    "output",
    [
        '{"id": "order-7", "choices": [{"logprobs": {"content": [{"logprob": -1}]}}]}',
        '{"id": "chatcmpl-1", "object": "chat.completion"',
        '[{"id": "x", "object": "chat.completion"}]',
        "chat.completion",
    ],
)
def test_an_output_that_is_no_whole_reply_has_no_response_id(output: str) -> None:
    call = call_of({"openinference.span.kind": "LLM", "output.value": output})
    assert (call.response_id, call.mean_logprob) == ("", None)
