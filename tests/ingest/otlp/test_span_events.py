import pytest

from holdfast.core.call import Evaluation, Guardrail
from holdfast.ingest.otlp.spans import map_span
from tests.ingest.otlp.bodies import event, mapped, raw_span


def test_an_exception_names_the_error_where_the_status_does_not() -> None:
    call = mapped({}, status=2, events=[event("exception", {"exception.type": "TimeoutError", "exception.message": "too slow"})])
    assert (call.error_type, call.error_message) == ("TimeoutError", "too slow")
    told = mapped(
        {"error.type": "timeout"}, status=2, status_message="gave up", events=[event("exception", {"exception.type": "X"})]
    )
    assert (told.error_type, told.error_message) == ("timeout", "gave up")


@pytest.mark.parametrize("name", ["First Token Stream Event", "llm.content.completion.chunk"])
def test_the_first_chunk_tells_the_time_to_the_first_token(name: str) -> None:
    call = mapped({}, events=[event(name, {}, 300_000_000), event(name, {}, 900_000_000)])
    assert call.time_to_first_token_ms == pytest.approx(300)


def test_a_chunk_before_the_span_is_not_believed() -> None:
    assert mapped({}, events=[event("First Token Stream Event", {}, -5)]).time_to_first_token_ms is None


def test_evaluations_feedback_and_verdicts_may_be_events() -> None:
    call = mapped(
        {},
        events=[
            event("gen_ai.evaluation.result", {"gen_ai.evaluation.name": "toxicity", "gen_ai.evaluation.score.value": 0.1}),
            event("user_feedback", {"user.feedback.score": 0, "user.feedback.comment": "wrong"}),
            event("guardrail.result", {"guardrail.name": "pii", "guardrail.verdict": "blocked"}),
            event("gen_ai.guardrail.finding", {"gen_ai.guardrail.name": "toxic", "gen_ai.guardrail.verdict": "warn"}),
        ],
    )
    assert call.evaluations == (Evaluation("toxicity", 0.1), Evaluation("user_feedback", 0.0, "", "wrong"))
    assert call.guardrails == (Guardrail("pii", "deny"), Guardrail("toxic", "warn"))


def test_a_bad_evaluation_event_is_a_fault_of_its_own() -> None:
    call, faults = map_span(raw_span({}, events=[event("gen_ai.evaluation.result", {"gen_ai.evaluation.score.value": 1})]))
    assert call.evaluations == ()
    assert faults == ["event 'gen_ai.evaluation.result': evaluation has no name"]


def test_events_give_way_to_attributes() -> None:
    call = mapped({"gen_ai.prompt": "from the attribute"}, events=[event("gen_ai.user.message", {"content": "from the event"})])
    assert [m.content for m in call.input_messages] == ["from the attribute"]
