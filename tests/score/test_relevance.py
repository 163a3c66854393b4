import pytest

from holdfast.core.call import Status
from holdfast.score.pieces import Piece
from holdfast.score.relevance import Relevance, covered
from tests.score.build import ANSWER, QUESTION, REFUNDS, exchange, llm, retrieval, scores, trace, value

OTHER = "Our offices in Norway sell blue umbrellas and yellow boots during winter."


def test_an_answer_with_the_words_of_the_question_is_relevant() -> None:
    assert value(Relevance(), exchange(ANSWER), "answer_irrelevance") < 0.1


def test_an_answer_about_something_else_is_not() -> None:
    assert value(Relevance(), exchange(OTHER), "answer_irrelevance") > 0.6


def test_an_answer_that_stands_in_what_was_retrieved_for_the_question_is_relevant() -> None:
    found = value(Relevance(), exchange("Thirty.", QUESTION, "Phone: return, days: thirty"), "answer_irrelevance")
    assert found < value(Relevance(), exchange("Thirty.", QUESTION), "answer_irrelevance")


def test_documents_about_the_question_leave_no_gap_and_others_do() -> None:
    near, far = exchange(ANSWER, QUESTION, REFUNDS), exchange(ANSWER, QUESTION, OTHER)
    assert value(Relevance(), near, "context_gap") < 0.3
    assert value(Relevance(), far, "context_gap") > 0.9


def test_words_that_were_not_found_are_named() -> None:
    assert "phone" in scores(Relevance(), exchange(ANSWER, QUESTION, OTHER))["context_gap"].why


def test_an_empty_retrieval_is_a_whole_gap() -> None:
    assert value(Relevance(), trace(retrieval(), llm()), "context_gap") == 1.0


def test_a_failed_retrieval_tells_nothing() -> None:
    assert "context_gap" not in scores(Relevance(), trace(retrieval(status=Status.ERROR), llm()))


def test_without_a_retrieval_there_is_no_gap() -> None:
    assert "context_gap" not in scores(Relevance(), exchange(ANSWER))


@pytest.mark.parametrize(("question", "answer"), [("", ANSWER), ("and the?", ANSWER), (QUESTION, "")])
def test_without_words_to_compare_it_does_not_apply(question: str, answer: str) -> None:
    assert not scores(Relevance(), exchange(answer, question))


def test_coverage_counts_other_forms_for_less() -> None:
    asked = frozenset({"returning", "phone"})
    assert covered(asked, (Piece("phone returns"),)) == pytest.approx(0.9)
    assert covered(asked, ()) == 0.0
    assert covered(frozenset(), ()) == 1.0


def test_who_explains_at_length_is_not_told_that_the_answer_is_beside_the_point() -> None:
    answer = "You can return your phone within 30 days of delivery."
    story = (
        "My sister gave me a phone for my birthday last month, we opened it together in the garden, the colour is not what she"
        " had ordered and the camera is blurred. Until which day after delivery can I return the phone?"
    )
    assert value(Relevance(), exchange(answer, story), "answer_irrelevance") < 0.3
    assert value(Relevance(), exchange("Our shop in Lisbon sells garden chairs.", story), "answer_irrelevance") > 0.5


def test_a_warm_tone_around_what_the_documents_say_makes_no_answer_less_relevant() -> None:
    document = "The Rope Dancer was painted on poplar in 1628 and measures 71 by 195 centimetres."
    plain, question = "Painted on poplar, 71 by 195 centimetres.", "What about The Rope Dancer?"
    warm = f"Oh, what a lovely choice! {plain} Enjoy every little detail!"
    cold, kind = (value(Relevance(), exchange(answer, question, document), "answer_irrelevance") for answer in (plain, warm))
    assert kind == pytest.approx(cold, abs=0.01)
