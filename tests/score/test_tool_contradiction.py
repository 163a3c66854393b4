import pytest

from holdfast.core.call import Call, Status
from holdfast.score.tool_contradiction import ToolContradiction
from tests.score.build import exchange, llm, scores, tool, trace, value

RESULT = '{"order": 17, "status": "shipped", "due": "2026-05-14", "total": 129.90}'


def contradicts(answer: str, *tools: Call) -> float:
    return value(ToolContradiction(), trace(llm(answer, "Where is my order 17?"), *(tools or (tool(RESULT),))))


@pytest.mark.parametrize("answer", ["Order 17 was shipped and arrives on 14 May.", "It costs 129.90 euros.", "It is on its way."])
def test_an_answer_that_repeats_the_tool_is_fine(answer: str) -> None:
    assert contradicts(answer) < 0.1


def test_a_number_that_no_tool_gave_is_a_contradiction() -> None:
    assert contradicts("It arrives on 29 June and costs 500 euros.") > 0.7


def test_another_state_is_a_contradiction() -> None:
    assert contradicts("Your order was cancelled.") > 0.7


def test_the_numbers_that_no_tool_gave_are_pointed_out() -> None:
    answer = "It costs 500 euros."
    found = scores(ToolContradiction(), trace(llm(answer), tool(RESULT)))["tool_contradiction"]
    assert [answer[s.start : s.end] for s in found.spans] == ["500"]


def test_a_result_that_was_invented_after_a_failure_is_a_contradiction() -> None:
    assert contradicts("It arrives on 14 May.", tool("", status=Status.ERROR, error_type="Timeout")) > 0.7


def test_to_pass_over_a_failure_is_suspicious_and_to_admit_it_is_fine() -> None:
    failed = tool('{"error": "timeout"}')
    assert 0.3 < contradicts("It arrives soon.", failed) < 0.7
    assert contradicts("Sorry, I could not look that up, please try again.", failed) < 0.1


@pytest.mark.parametrize(
    "answer",
    [
        "Purtroppo il servizio non è raggiungibile, riprovi più tardi.",
        "Niestety nie udało się sprawdzić zamówienia.",
        "К сожалению, сервис сейчас не отвечает.",
        "عذراً، تعذر الوصول إلى الخدمة.",
        "申し訳ありません。現在確認できません。",
    ],
)
def test_a_failure_is_admitted_in_other_languages_too(answer: str) -> None:
    assert contradicts(answer, tool('{"error": "timeout"}')) < 0.1


def test_one_failure_among_successes_is_no_contradiction() -> None:
    assert contradicts("Order 17 was shipped.", tool(RESULT), tool('{"error": "x"}', span=5)) < 0.1


def test_without_a_tool_or_an_answer_it_does_not_apply() -> None:
    assert not scores(ToolContradiction(), exchange("It costs 5."))
    assert not scores(ToolContradiction(), trace(llm(""), tool(RESULT)))
