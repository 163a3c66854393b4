import pytest

from holdfast.core.call import Kind
from tests.ingest.otlp.bodies import PARENT, mapped


@pytest.mark.parametrize(
    ("attributes", "name", "kind"),
    [
        ({"http.route": "/chat", "http.request.method": "POST"}, "POST /chat", Kind.OTHER),
        ({"db.system": "postgresql", "db.operation": "query"}, "SELECT", Kind.OTHER),
        ({"db.system": "qdrant"}, "qdrant.search", Kind.RETRIEVAL),
        ({"db.system": "qdrant", "db.operation": "upsert"}, "qdrant.upsert", Kind.OTHER),
        ({"db.vector.query.top_k": 3}, "x", Kind.RETRIEVAL),
        ({"gen_ai.tool.name": "weather"}, "x", Kind.TOOL),
        ({"gen_ai.request.model": "m"}, "x", Kind.LLM),
        ({"input.value": "a"}, "step", Kind.TASK),
        ({"guardrail.verdict": "pass"}, "check", Kind.GUARDRAIL),
        ({"traceloop.span.kind": "task"}, "moderation", Kind.GUARDRAIL),
        ({"traceloop.span.kind": "task"}, "summarise", Kind.TASK),
        ({"traceloop.span.kind": "task", "traceloop.entity.output": '[{"text": "a", "score": 1}]'}, "rerank", Kind.RERANK),
        ({"traceloop.span.kind": "workflow", "traceloop.entity.output": '[{"text": "a", "score": 1}]'}, "rag", Kind.WORKFLOW),
    ],
)
def test_the_kind_is_told_by_what_the_span_has(attributes: dict[str, object], name: str, kind: Kind) -> None:
    assert mapped(attributes, name=name, parent_span_id=PARENT).kind is kind


def test_a_tool_that_gives_documents_stays_a_tool_and_has_them() -> None:
    call = mapped(
        {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "search",
            "traceloop.entity.output": '[{"text": "a", "score": 1, "source": "s"}]',
        }
    )
    assert (call.kind, [d.content for d in call.documents]) == (Kind.TOOL, ["a"])
    assert call.dimensions["document.source"] == ("s",)


def test_a_verdict_on_a_model_call_leaves_it_a_model_call() -> None:
    call = mapped(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.guardrail.verdict": "deny",
            "gen_ai.guardrail.name": "pii",
            "gen_ai.guardrail.action": "log",
        }
    )
    assert call.kind is Kind.LLM
    assert [(g.name, g.verdict, g.action) for g in call.guardrails] == [("pii", "deny", "log")]


def test_a_guardrail_with_a_verdict_attribute_is_not_judged_twice() -> None:
    call = mapped({"openinference.span.kind": "GUARDRAIL", "guardrail.verdict": "warn", "input.value": "a", "output.value": "b"})
    assert [g.verdict for g in call.guardrails] == ["warn"]


def test_a_guardrail_that_broke_is_an_error_even_with_other_attributes() -> None:
    call = mapped({"openinference.span.kind": "GUARDRAIL", "guardrail.name": "pii"}, status=2, name="g")
    assert [(g.name, g.verdict) for g in call.guardrails] == [("pii", "error")]


def test_an_agent_that_tells_messages_tells_what_it_was_asked() -> None:
    asked = '[{"role":"user","content":"first"},{"role":"assistant","content":"x"},{"role":"user","content":"Where is it?"}]'
    call = mapped({"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": asked, "gen_ai.output.messages": "There."})
    assert (call.kind, call.input_text, call.answer) == (Kind.AGENT, "Where is it?", "There.")
