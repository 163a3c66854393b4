"""All conventions carry the same content: what Holdfast reads back from each is what was encoded."""

from functools import cache

import orjson
import pytest

from holdfast.context.entities import RedactionPolicy, Treatment
from holdfast.context.redact import Redactor
from holdfast.core.call import Call, Kind
from holdfast.drills.encode.otlp import json_line, json_span, proto_request, resource_attributes
from holdfast.drills.encode.registry import CONVENTIONS
from holdfast.drills.scenario import Scenario, generate
from holdfast.ingest.otlp import Encoding, decode_traces

KEEP = Redactor(RedactionPolicy(default=Treatment.KEEP), b"k" * 32)


@cache
def sent() -> tuple[Call, ...]:
    """Calls of all kinds, some of them damaged."""
    scenario = Scenario(fault="tool_schema_change", second="wrong_tenant_documents", calls=120, fault_at=0.2)
    return tuple(call for steps in generate(scenario) for call in steps.calls)


@cache
def arrived(convention: str, encoding: Encoding) -> dict[tuple[str, str], Call]:
    """The same calls as ingest reads them."""
    encode, scope = CONVENTIONS[convention]
    found: dict[tuple[str, str], Call] = {}
    for call in sent():
        resource = resource_attributes(call, "r-a", convention)
        if encoding is Encoding.JSON:
            body = json_line(resource, scope, [json_span(call, encode(call))])
        else:
            body = proto_request(resource, scope, [(call, encode(call))]).SerializeToString()
        decoded = decode_traces(body, encoding, KEEP)
        assert not decoded.rejected
        for record in decoded.records:
            assert isinstance(record, Call)
            found[record.key] = record
    return found


def parsed(text: str) -> object:
    """JSON by its meaning, anything else as it is."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


ALL = [(name, encoding) for name in CONVENTIONS for encoding in Encoding]


@pytest.mark.parametrize(("convention", "encoding"), ALL)
def test_every_call_arrives_with_identity_time_kind_and_status(convention: str, encoding: Encoding) -> None:
    for call in sent():
        read = arrived(convention, encoding)[call.key]
        for field in ("parent_span_id", "start_ns", "end_ns", "kind", "status", "error_type", "convention"):
            wanted = convention if field == "convention" and call.kind not in (Kind.TASK,) else getattr(call, field)
            if field != "convention" or call.kind is Kind.LLM:
                assert getattr(read, field) == wanted, field


@pytest.mark.parametrize(("convention", "encoding"), ALL)
def test_a_model_call_keeps_models_messages_parameters_and_tokens(convention: str, encoding: Encoding) -> None:
    for call in (c for c in sent() if c.kind is Kind.LLM):
        read = arrived(convention, encoding)[call.key]
        for field in (
            "request_model",
            "response_model",
            "provider",
            "parameters",
            "finish_reasons",
            "output_messages",
            "output_schema",
        ):
            assert getattr(read, field) == getattr(call, field), field
        assert (read.usage.input_tokens, read.usage.output_tokens) == (call.usage.input_tokens, call.usage.output_tokens)
        assert read.tool_definitions == call.tool_definitions
        system = read.system_instructions or "\n".join(m.content for m in read.input_messages if m.role == "system")
        assert system == call.system_instructions
        spoken = [(m.role, m.content, m.tool_calls) for m in read.input_messages if m.role != "system"]
        assert spoken == [(m.role, m.content, m.tool_calls) for m in call.input_messages]


@pytest.mark.parametrize(("convention", "encoding"), ALL)
def test_a_retrieval_keeps_its_query_and_documents_with_source_score_tenant_and_age(convention: str, encoding: Encoding) -> None:
    for call in (c for c in sent() if c.kind is Kind.RETRIEVAL):
        read = arrived(convention, encoding)[call.key]
        assert read.input_text == call.input_text
        assert [(d.id, d.content, d.source, d.score, d.metadata["tenant"]) for d in read.documents] == [
            (d.id, d.content, d.source, d.score, d.metadata["tenant"]) for d in call.documents
        ]
        for ours, theirs in zip(call.documents, read.documents, strict=True):
            assert ours.updated_ns is not None
            assert theirs.updated_ns is not None
            assert abs(theirs.updated_ns - ours.updated_ns) < 10**9


@pytest.mark.parametrize(("convention", "encoding"), ALL)
def test_a_tool_call_keeps_arguments_and_result(convention: str, encoding: Encoding) -> None:
    for call in (c for c in sent() if c.kind is Kind.TOOL):
        read = arrived(convention, encoding)[call.key]
        assert read.tool_name == call.tool_name
        assert parsed(read.tool_arguments) == parsed(call.tool_arguments)
        assert parsed(read.tool_result) == parsed(call.tool_result)


@pytest.mark.parametrize(("convention", "encoding"), ALL)
def test_a_guardrail_keeps_its_verdict(convention: str, encoding: Encoding) -> None:
    for call in (c for c in sent() if c.kind is Kind.GUARDRAIL):
        (verdict,) = arrived(convention, encoding)[call.key].guardrails
        assert (verdict.name, verdict.verdict) == (call.guardrails[0].name, call.guardrails[0].verdict)


@pytest.mark.parametrize(("convention", "encoding"), ALL)
def test_the_root_keeps_question_answer_feedback_and_dimensions(convention: str, encoding: Encoding) -> None:
    for call in (c for c in sent() if not c.parent_span_id):
        read = arrived(convention, encoding)[call.key]
        question = read.input_text or read.input_messages[-1].content
        assert (question, read.answer) == (call.input_text, call.output_text)
        assert [e.value for e in read.evaluations] == [e.value for e in call.evaluations]
        for dimension in ("service.name", "route", "tenant", "region", "user", "language"):
            assert read.dimensions[dimension] == call.dimensions[dimension], dimension


@pytest.mark.parametrize(("convention", "encoding"), ALL)
def test_the_versions_of_prompt_and_index_stand_where_they_were_used(convention: str, encoding: Encoding) -> None:
    for call in sent():
        read = arrived(convention, encoding)[call.key]
        if call.kind is Kind.LLM:
            assert read.dimensions["prompt.version"] == call.dimensions["prompt.version"]
        elif call.kind is Kind.RETRIEVAL:
            assert read.dimensions["index.version"] == call.dimensions["index.version"]
