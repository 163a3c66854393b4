from typing import Any

import pytest

from holdfast.core.call import Evaluation, EvaluationRecord, Message
from holdfast.core.errors import InputError
from holdfast.ingest.otlp.logs import map_log
from holdfast.ingest.otlp.raw import RawLog
from holdfast.ingest.record import MessageRecord
from tests.ingest.otlp.bodies import NOW, SPAN, TRACE


def log(name: str = "", attributes: dict[str, Any] | None = None, body: Any = None, *, span: bool = True) -> RawLog:
    return RawLog(
        (0, 0, 0), TRACE if span else "", SPAN if span else "", NOW, name, body, attributes or {}, {"service.name": "support"}
    )


def test_an_evaluation_without_a_span_refers_to_a_response() -> None:
    attributes = {"gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.label": "bad", "gen_ai.response.id": "r1"}
    record = map_log(log("gen_ai.evaluation.result", attributes, span=False))
    assert record == EvaluationRecord(time_ns=NOW, evaluation=Evaluation("x", None, "bad"), response_id="r1", service="support")


@pytest.mark.parametrize(
    ("name", "attributes", "body"),
    [
        ("", {"event.name": "gen_ai.evaluation.result", "gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.value": 1}, None),
        ("", {"gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.value": 1}, None),
        ("gen_ai.evaluation.result", {}, {"gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.value": 1}),
    ],
)
def test_an_evaluation_is_recognised_wherever_it_is_named(name: str, attributes: dict[str, Any], body: Any) -> None:
    record = map_log(log(name, attributes, body))
    assert isinstance(record, EvaluationRecord)
    assert record.evaluation == Evaluation("x", 1.0)


def test_feedback_events_are_evaluations_of_users() -> None:
    record = map_log(log("app.user_feedback", {"feedback.rating": "thumbs_down", "feedback.comment": "wrong"}))
    assert isinstance(record, EvaluationRecord)
    assert record.evaluation == Evaluation("user_feedback", 0.0, "thumbs_down", "wrong")


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("gen_ai.evaluation.result", {}),
        ("gen_ai.evaluation.result", {"gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.value": float("nan")}),
        ("user_feedback", {}),
    ],
)
def test_a_judgement_that_says_nothing_is_refused(name: str, attributes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        map_log(log(name, attributes))


def test_message_events_are_content_of_a_span_that_comes_apart() -> None:
    record = map_log(log("gen_ai.user.message", {"gen_ai.system": "openai"}, {"content": "Hello"}))
    assert record == MessageRecord(
        time_ns=NOW, trace_id=TRACE, span_id=SPAN, service="support", input_messages=(Message("user", "Hello"),)
    )


def test_a_message_event_that_refers_to_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="neither to a span nor to a response"):
        map_log(log("gen_ai.choice", {}, {"message": {"content": "Hi"}}, span=False))


@pytest.mark.parametrize("name", ["", "http.request", "exception"])
def test_other_logs_are_not_ours(name: str) -> None:
    assert map_log(log(name, {"a": 1}, "GET /")) is None
