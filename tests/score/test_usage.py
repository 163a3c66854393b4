from typing import Any

import pytest

from holdfast.core.call import Call, Kind
from holdfast.core.call import Usage as Tokens
from holdfast.score.usage import Usage
from tests.score.build import ANSWER, call, llm, retrieval, scores, tool, trace


def found(*calls: Call) -> dict[str, float]:
    return {m: s.value for m, s in scores(Usage(), trace(*calls)).items()}


def test_tokens_and_cost_of_a_request_are_those_of_all_its_model_calls() -> None:
    calls = (llm(usage=Tokens(100, 10), cost_usd=0.5), llm(span=5, usage=Tokens(200, 20), cost_usd=0.25))
    told = found(*calls)
    assert (told["tokens"], told["cost"], told["steps"]) == (330, 0.75, 2)


def test_a_cost_that_is_known_in_part_only_is_unknown() -> None:
    assert "cost" not in found(llm(usage=Tokens(1, 1), cost_usd=0.5), llm(span=5, usage=Tokens(1, 1), request_model="mine"))
    assert "cost" not in found(llm(cost_usd=float("nan")))


def test_a_cost_that_was_not_reported_comes_from_the_price_list() -> None:
    assert found(llm(usage=Tokens(1_000_000, 0), request_model="gpt-4o"))["cost"] == pytest.approx(2.5)


def test_each_model_call_has_tokens_of_its_own() -> None:
    told = [
        (s.metric, s.span_id[-1], s.value)
        for s in Usage().score(trace(llm(usage=Tokens(7, 3)), llm(span=5, usage=Tokens(9, None))))
    ]
    assert ("input_tokens", "3", 7) in told
    assert ("input_tokens", "5", 9) in told
    assert ("output_tokens", "3", 3) in told


def test_nothing_is_guessed_where_nothing_was_reported() -> None:
    assert set(found(llm())) == {"answer_length", "steps"}
    assert "tokens" not in found(llm(usage=Tokens(-5, None)))


@pytest.mark.parametrize(
    ("fields", "hit"),
    [
        ({"cache_hit": True}, 1.0),
        ({"cache_hit": False}, 0.0),
        ({"usage": Tokens(100, 5, 80)}, 0.8),
        ({"usage": Tokens(100, 5, 300)}, 1.0),
    ],
)
def test_a_cache_hit_is_told_or_the_cached_share_of_the_input(fields: dict[str, Any], hit: float) -> None:
    assert found(llm(**fields))["cache_hit"] == pytest.approx(hit)


def test_steps_are_model_and_tool_calls() -> None:
    assert found(retrieval("x"), llm(), tool(), tool(span=5))["steps"] == 3


def test_length_is_counted_in_words() -> None:
    assert found(llm())["answer_length"] == len(ANSWER.split())


def test_a_trace_without_model_or_tool_has_nothing_to_count() -> None:
    assert found(call(Kind.EMBEDDING)) == {}
