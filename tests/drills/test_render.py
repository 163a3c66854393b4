import pytest

from holdfast.core.call import Call, Kind, Status, Usage
from holdfast.core.trace import Trace
from holdfast.drills.render import Render, cost
from holdfast.drills.script import perform
from holdfast.drills.turn import Turn
from tests.drills.turns import a_turn, nothing


def rendered(route: str) -> tuple[Turn, tuple[Call, ...]]:
    turn = a_turn(route)
    perform(turn, nothing)
    return turn, Render(turn).calls()


@pytest.mark.parametrize("route", ["/chat", "/orders", "/tickets"])
def test_a_trace_has_one_root_that_spans_all_its_calls(route: str) -> None:
    _, calls = rendered(route)
    root = calls[0]
    assert [c for c in calls if not c.parent_span_id] == [root]
    assert {c.trace_id for c in calls} == {root.trace_id}
    assert len({c.span_id for c in calls}) == len(calls)
    assert all(root.start_ns <= c.start_ns < c.end_ns <= root.end_ns for c in calls)


@pytest.mark.parametrize("route", ["/chat", "/orders", "/tickets"])
def test_what_the_user_asked_and_saw_can_be_read_off_the_trace(route: str) -> None:
    turn, calls = rendered(route)
    trace = Trace(calls[0].trace_id, calls)
    assert trace.question == turn.question
    assert trace.model_answer == turn.answer
    assert trace.delivered_answer == turn.delivered
    assert trace.system_prompt == turn.system_prompt


def test_a_tool_call_stands_between_two_model_calls() -> None:
    _, calls = rendered("/orders")
    kinds = [c.kind for c in calls if c.kind in (Kind.LLM, Kind.TOOL)]
    assert kinds[0] is Kind.LLM
    assert kinds[1] is Kind.TOOL
    assert kinds[-1] is Kind.LLM
    answering = next(c for c in reversed(calls) if c.kind is Kind.LLM)
    assert [m.role for m in answering.input_messages][-2:] == ["assistant", "tool"]


def test_a_failed_request_has_an_error_and_no_answer() -> None:
    turn = a_turn("/chat")
    perform(turn, nothing)
    turn.error, turn.answer, turn.model_failures = "APITimeoutError", "", ["APITimeoutError"]
    calls = Render(turn).calls()
    assert calls[0].status is Status.ERROR
    assert calls[0].output_text == ""
    assert [c.error_type for c in calls if c.kind is Kind.LLM] == ["APITimeoutError"]


def test_feedback_becomes_an_evaluation_of_the_root() -> None:
    turn = a_turn("/chat")
    perform(turn, nothing)
    turn.feedback = 0.0
    assert Render(turn).calls()[0].evaluations[0].label == "thumbs_down"


def test_a_cached_answer_is_fast() -> None:
    turn = a_turn("/chat")
    perform(turn, nothing)
    turn.cache_hit = True
    model = next(c for c in Render(turn).calls() if c.kind is Kind.LLM)
    assert model.duration_ms < 20


def test_cost_is_known_only_for_models_with_a_price() -> None:
    assert cost("gpt-4.1", Usage(1000, 100)) == pytest.approx(0.0028)
    assert cost("unheard-of", Usage(1000, 100)) is None
    assert cost("gpt-4.1", Usage()) is None
