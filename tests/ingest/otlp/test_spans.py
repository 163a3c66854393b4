import pytest

from holdfast.core.call import Status
from holdfast.ingest.otlp.spans import map_span
from tests.ingest.otlp.bodies import mapped, raw_span


def test_attributes_that_nobody_knows_are_kept() -> None:
    call = mapped({"my.own": {"deep": [1, None]}, "gen_ai.brand.new": 1})
    assert call.attributes == {"my.own": {"deep": [1, None]}, "gen_ai.brand.new": 1}


def test_a_span_of_no_convention_says_so() -> None:
    call = mapped({"http.route": "/chat"})
    assert (call.convention, call.mapper_version) == ("unknown", "unknown/1")


@pytest.mark.parametrize(
    ("code", "status"), [(0, Status.UNSET), (1, Status.OK), (2, Status.ERROR), (9, Status.UNSET), (-1, Status.UNSET)]
)
def test_the_status_is_opentelemetrys(code: int, status: Status) -> None:
    assert mapped({}, status=code).status is status


def test_a_bad_judgement_costs_only_itself() -> None:
    call, faults = map_span(raw_span({"user.feedback.score": float("nan"), "gen_ai.evaluation.name": "x", "http.route": "/a"}))
    assert call.evaluations == ()
    assert call.dimensions["route"] == ("/a",)
    assert len(faults) == 1


def test_invocation_parameters_never_replace_what_the_span_says_itself() -> None:
    call = mapped(
        {
            "gen_ai.request.temperature": 0.1,
            "gen_ai.request.model": "a",
            "llm.invocation_parameters": '{"temperature": 0.9, "model": "b"}',
        }
    )
    assert (call.parameters["temperature"], call.request_model) == (0.1, "a")


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.response.logprobs": '{"content": [{"logprob": -1.0}, {"logprob": -3.0}]}'},
        {"gen_ai.completion.0.logprobs": "[-1.0, -3.0]"},
        {"gen_ai.response.mean_logprob": -2.0},
    ],
)
def test_confidence_is_the_mean_logprob_where_there_is_one(attributes: dict[str, object]) -> None:
    assert mapped(attributes).mean_logprob == pytest.approx(-2)


def test_confidence_is_unknown_without_logprobs() -> None:
    assert mapped({"gen_ai.operation.name": "chat"}).mean_logprob is None


def test_whoever_asks_for_a_schema_asks_for_json() -> None:
    call = mapped({"gen_ai.operation.name": "chat", "gen_ai.request.structured_output_schema": '{"type": "object"}'})
    assert (call.output_type, call.output_schema) == ("json", '{"type":"object"}')
