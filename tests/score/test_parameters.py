from typing import Any

import pytest

from holdfast.core.call import Kind, Status
from holdfast.core.score import Direction
from holdfast.score.parameters import DAY_NS, NS_PER_HOUR, Parameters
from tests.score.build import START, call, llm, retrieval, scores, tool, trace


def root(**fields: Any) -> Any:
    return call(Kind.WORKFLOW, 1, **fields)


def failed(**fields: Any) -> dict[str, Any]:
    return {"status": Status.ERROR, **fields}


def test_nothing_that_it_says_raises_an_alarm() -> None:
    assert {m.direction for m in Parameters().metrics} == {Direction.INFORMATION}


def test_what_a_model_call_asked_for_is_told() -> None:
    found = scores(Parameters(), trace(llm(parameters={"temperature": 1.3, "max_completion_tokens": 64})))
    assert found["temperature"].value == 1.3
    assert found["max_tokens"].value == 64


@pytest.mark.parametrize("odd", [True, "hot", -1.0, float("nan"), float("inf")])
def test_a_parameter_that_is_no_amount_is_left_out(odd: Any) -> None:
    found = scores(Parameters(), trace(llm(parameters={"temperature": odd, "max_tokens": odd})))
    assert not {"temperature", "max_tokens"} & found.keys()


def test_forbidden_tools_count_as_none_offered() -> None:
    assert scores(Parameters(), trace(llm(tool_definitions=("a", "b"))))["tools_offered"].value == 2
    forbidden = llm(tool_definitions=("a", "b"), parameters={"tool_choice": "none"})
    assert scores(Parameters(), trace(forbidden))["tools_offered"].value == 0
    assert "tools_offered" not in scores(Parameters(), trace(llm()))


@pytest.mark.parametrize(
    ("error_type", "message", "metric"),
    [
        ("TimeoutError", "", "timeout"),
        ("504", "", "timeout"),
        ("APIError", "deadline exceeded", "timeout"),
        ("429", "", "rate_limited"),
        ("RateLimitError", "", "rate_limited"),
        ("APIError", "Too many requests, slow down", "rate_limited"),
    ],
)
def test_the_class_of_an_error_is_read_from_its_type_or_message(error_type: str, message: str, metric: str) -> None:
    found = scores(Parameters(), trace(root(), tool(**failed(error_type=error_type, error_message=message))))
    told = {"timeout", "rate_limited"} - {metric}
    assert found[metric].value == 1.0
    assert found[told.pop()].value == 0.0


def test_an_error_that_says_nothing_is_of_no_class() -> None:
    found = scores(Parameters(), trace(root(), tool(**failed(error_message="broken 4290 times"))))
    assert found["timeout"].value == found["rate_limited"].value == 0.0


def test_a_request_that_fails_after_all_its_calls_went_well_failed_by_itself() -> None:
    assert scores(Parameters(), trace(root(**failed()), llm(), retrieval("x")))["own_error"].value == 1.0
    for step in (llm(**failed()), tool(**failed()), retrieval(**failed())):
        assert scores(Parameters(), trace(root(**failed()), step))["own_error"].value == 0.0
    assert scores(Parameters(), trace(root(), llm()))["own_error"].value == 0.0


def test_a_model_call_that_failed_is_told_apart_from_other_errors() -> None:
    assert scores(Parameters(), trace(root(**failed()), llm(**failed())))["model_error"].value == 1.0
    assert scores(Parameters(), trace(root(**failed()), llm()))["model_error"].value == 0.0


def at(time_ns: int, fingerprint: str, model: str = "m") -> Any:
    return trace(llm(start_ns=time_ns, end_ns=time_ns + 1, response_model=model, system_fingerprint=fingerprint))


def test_a_backend_is_new_for_a_day_unless_its_model_is_new_too() -> None:
    scorer = Parameters().fresh()

    def new(time_ns: int, *which: str) -> float:
        return scores(scorer, at(time_ns, *which))["new_fingerprint"].value

    assert new(START, "a") == 0.0
    assert new(START + NS_PER_HOUR // 2, "b") == 0.0
    assert new(START + 2 * NS_PER_HOUR, "c") == 1.0
    assert new(START + 2 * NS_PER_HOUR, "c", "other") == 0.0
    assert new(START + 3 * NS_PER_HOUR, "a") == 0.0
    assert new(START + 3 * NS_PER_HOUR + DAY_NS, "c") == 0.0


def test_two_runners_share_no_memory() -> None:
    first = Parameters().fresh()
    scores(first, at(START, "a"))
    assert scores(first, at(START + 2 * NS_PER_HOUR, "b"))["new_fingerprint"].value == 1.0
    assert scores(first.fresh(), at(START + 2 * NS_PER_HOUR, "b"))["new_fingerprint"].value == 0.0


def test_without_a_fingerprint_nothing_is_said_of_it() -> None:
    assert "new_fingerprint" not in scores(Parameters(), trace(llm()))
