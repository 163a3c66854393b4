import pytest

from holdfast.score.groundedness_features import Support, support_of
from holdfast.score.reading import reading_of
from tests.score.build import QUESTION, REFUNDS, exchange


def support(answer: str, *documents: str, question: str = QUESTION) -> Support:
    return support_of(reading_of(exchange(answer, question, *(documents or (REFUNDS,)))))


@pytest.mark.parametrize(
    "answer", ["Within 30 days.", "Within 30.0 days", "within thirty (30) days", "5 days", "five business days and 30 days"]
)
def test_a_number_of_the_sources_is_supported_however_it_is_written(answer: str) -> None:
    assert support(answer).unknown_numbers == 0


@pytest.mark.parametrize(("answer", "count"), [("Within 60 days.", 1), ("Within 60 days, fee 12.50", 2), ("In 1,000 days", 1)])
def test_a_number_of_nobody_is_not(answer: str, count: int) -> None:
    assert support(answer).unknown_numbers == count


def test_a_number_of_the_question_may_come_back() -> None:
    assert support("Order 4711 is covered.", question="Can I return order 4711?").unknown_numbers == 0


def test_numbers_of_lines_and_citations_are_no_facts() -> None:
    found = support("Do this:\n1. Pack the phone.\n2. Send it [1].")
    assert (found.number_count, found.unknown_numbers) == (0, 0)


def test_a_name_of_nobody_is_told_with_its_place() -> None:
    answer = "You can ask our partner Zorblax about the refund."
    found = support(answer)
    assert found.unknown_names == 1
    assert [answer[s.start : s.end] for s in found.spans if s.why.startswith("name")] == ["Zorblax"]


def test_a_link_of_nobody_is_an_unknown_name() -> None:
    assert support("See https://made.up/returns now.").features["links"] == 1.0
    assert support("See https://a.b/c now.", "More on https://a.b/c").features["links"] == 0.0


def test_a_statement_turned_round_is_seen() -> None:
    assert support("Phones can not be returned within 30 days of delivery.").features["flips"] > 0
    assert support("Phones can be returned within 30 days of delivery.").features["flips"] == 0


def test_an_opposite_is_seen() -> None:
    source = "The fee for express delivery will increase in March."
    assert support("The fee for express delivery will decrease in March.", source).features["flips"] > 0


def test_a_citation_of_a_document_that_is_not_there_is_seen() -> None:
    assert support("Within 30 days [1].").features["citations"] == 0.0
    assert support("Within 30 days [4].").features["citations"] == 1.0


def test_a_sentence_without_support_is_pointed_out() -> None:
    answer = "Phones can be returned within 30 days. Umbrellas glow purple whenever dragons whistle nearby."
    (span,) = [s for s in support(answer).spans if s.why.startswith("sentence")]
    assert answer[span.start : span.end].startswith("Umbrellas")
