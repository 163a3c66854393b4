import pytest

from holdfast.score.groundedness import Groundedness
from tests.score.build import QUESTION, REFUNDS, exchange, llm, scores, tool, trace, value

GOOD = "Phones can be returned within 30 days of delivery, and the refund is paid within 5 business days."
BAD = "Phones can be returned within 90 days at any Zorblax store for a fee of 12.50 euros, according to section 8."


def test_an_answer_from_its_sources_is_grounded() -> None:
    assert value(Groundedness(), exchange(GOOD, QUESTION, REFUNDS), "ungrounded_answer") < 0.15


def test_an_answer_with_invented_facts_is_not() -> None:
    found = scores(Groundedness(), exchange(BAD, QUESTION, REFUNDS))
    assert found["ungrounded_answer"].value > 0.9
    assert found["unsupported_numbers"].value == 1.0
    assert found["unsupported_entities"].value > 0.5


def test_evidence_is_graded() -> None:
    slightly = GOOD.replace("5 business", "7 business")
    values = [value(Groundedness(), exchange(a, QUESTION, REFUNDS), "ungrounded_answer") for a in (GOOD, slightly, BAD)]
    assert values == sorted(values)
    assert len(set(values)) == 3


def test_what_is_unsupported_is_pointed_out_in_the_answer() -> None:
    found = scores(Groundedness(), exchange(BAD, QUESTION, REFUNDS))["unsupported_numbers"]
    assert {BAD[s.start : s.end] for s in found.spans} == {"90", "12.50", "8"}
    assert found.why == "3 of 3 numbers"


def test_a_tool_result_is_a_source() -> None:
    subject = trace(llm("Your order is due on 14 May."), tool('{"order": 17, "due": "2026-05-14"}'))
    assert value(Groundedness(), subject, "unsupported_numbers") == 0.0


def test_a_context_inside_the_prompt_is_a_source() -> None:
    prompt = f"Answer from the context only.\nContext:\n{REFUNDS} {REFUNDS}"
    assert value(Groundedness(), exchange(GOOD, system=prompt), "ungrounded_answer") < 0.15
    assert value(Groundedness(), exchange(BAD, system=prompt), "ungrounded_answer") > 0.9


@pytest.mark.parametrize("answer", ["", "I don't know.", "I'm sorry, I cannot help with that.", "..."])
def test_an_answer_that_claims_nothing_is_not_judged(answer: str) -> None:
    assert not scores(Groundedness(), exchange(answer, QUESTION, REFUNDS))


def test_without_sources_it_does_not_apply() -> None:
    assert not scores(Groundedness(), exchange(BAD))


def test_shares_need_something_to_count() -> None:
    assert set(scores(Groundedness(), exchange("it can be returned soon", QUESTION, REFUNDS))) == {"ungrounded_answer"}


FLIGHTS = '{"options": [{"flight": "NO337", "price": 322}, {"flight": "NO422", "price": 113}, {"flight": "NO270", "price": 418}]}'


@pytest.mark.parametrize(("number", "unsupported"), [("3", 0.0), ("4", 1.0)])
def test_how_many_a_tool_lists_is_no_invented_number(number: str, unsupported: float) -> None:
    steps = trace(llm(f"There are {number} flights on that day."), tool(FLIGHTS))
    assert value(Groundedness(), steps, "unsupported_numbers") == unsupported
