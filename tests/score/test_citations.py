import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import Document
from holdfast.score.citations import Citations
from tests.score.build import QUESTION, exchange, llm, retrieval, scores, trace, value

RETURNS = "Phones can be returned within 30 days of delivery when the seal of the box is not broken."
SHIPPING = "Parcels are shipped by courier every weekday before noon and arrive after two days."
WARRANTY = "The warranty covers faults of the battery for 24 months, but no broken glass."
DOCUMENTS = (RETURNS, SHIPPING, WARRANTY)


def cited(answer: str) -> float:
    return value(Citations(), exchange(answer, QUESTION, *DOCUMENTS))


@pytest.mark.parametrize(
    "answer",
    [
        "You can return phones within 30 days of delivery [2].",
        "You can return phones within 30 days of delivery. [3]",
        "Faults of the battery are covered by the warranty for 24 months [Doc 1]. Parcels arrive after two days by courier [2].",
        "Parcels are shipped by courier every weekday before noon 【1†source】.",
    ],
)
def test_a_citation_of_another_document_than_the_one_that_holds_it_is_misplaced(answer: str) -> None:
    assert cited(answer) > 0.5


@pytest.mark.parametrize(
    "answer",
    [
        "You can return phones within 30 days of delivery [1].",
        "You can return phones within 30 days of delivery. [1] Parcels arrive by courier after two days. [2]",
        "You can return phones within 30 days of delivery, and parcels arrive by courier after two days [1][2].",
        "You can return phones within 30 days of delivery [0]. The warranty covers faults of the battery for 24 months [2].",
        "We are glad that you asked [2].",
        "Our staff in Lisbon speaks seven languages on weekends [2].",
    ],
)
def test_right_citations_vague_ones_and_those_of_what_no_document_holds_are_not(answer: str) -> None:
    assert cited(answer) < 0.2


@pytest.mark.parametrize(
    "answer",
    [
        "You can return phones within 30 days.",
        "You can return phones within 30 days [9].",
        "See the [terms](https://shop.example/terms).",
        "[REDACTED] can be returned",
        "",
    ],
)
def test_without_a_citation_of_a_document_it_does_not_apply(answer: str) -> None:
    assert not scores(Citations(), exchange(answer, QUESTION, *DOCUMENTS))


def test_one_document_cannot_be_confused() -> None:
    assert not scores(Citations(), exchange("Parcels arrive by courier after two days [1].", QUESTION, RETURNS))


@pytest.mark.parametrize(("mark", "wrong"), [("kb-7", True), ("KB-3", False), ("returns.md", False), ("shared.md", None)])
def test_documents_are_cited_by_id_or_by_a_source_of_their_own(mark: str, wrong: bool | None) -> None:
    documents = (
        Document(content=RETURNS, id="kb-3", source="returns.md"),
        Document(content=SHIPPING, id="kb-7", source="shared.md"),
        Document(content=WARRANTY, id="kb-9", source="shared.md"),
    )
    steps = trace(retrieval(documents=documents), llm(f"You can return phones within 30 days of delivery [{mark}]."))
    found = scores(Citations(), steps)
    assert (found["misplaced_citation"].value > 0.5 if found else None) is wrong


def test_the_sentence_and_the_better_document_are_told() -> None:
    answer = "Hello. You can return phones within 30 days of delivery [2]."
    score = scores(Citations(), exchange(answer, QUESTION, *DOCUMENTS))["misplaced_citation"]
    assert score.why.startswith("document 1 holds more of it: You can return")
    assert answer[score.spans[0].start : score.spans[0].end].startswith("You can return")


@given(st.text(alphabet="ab 1[]【】.†#\n", max_size=200))
def test_any_text_is_read(answer: str) -> None:
    assert all(0 <= score.value <= 1 for score in Citations().score(exchange(answer, QUESTION, *DOCUMENTS)))
