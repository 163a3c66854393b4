import pytest

from holdfast.score.language import Language, language_of
from holdfast.score.pieces import Piece
from tests.score.build import ANSWER, QUESTION, exchange, scores, value

GERMAN = "Sie können Ihr Telefon innerhalb von dreißig Tagen nach der Lieferung zurückgeben, wenn die Verpackung vollständig ist."
GERMAN_QUESTION = "Wie viele Tage habe ich Zeit, um mein Telefon zurückzugeben?"
JAPANESE = "お届けから三十日以内であれば、電話を返品することができます。"


@pytest.mark.parametrize(
    ("question", "answer"), [(GERMAN_QUESTION, ANSWER * 3), (QUESTION, GERMAN), (QUESTION, JAPANESE), (GERMAN_QUESTION, JAPANESE)]
)
def test_an_answer_in_another_language_is_seen(question: str, answer: str) -> None:
    assert value(Language(), exchange(answer, question)) > 0.6


@pytest.mark.parametrize(("question", "answer"), [(QUESTION, ANSWER * 3), (GERMAN_QUESTION, GERMAN)])
def test_an_answer_in_the_language_of_the_question_is_fine(question: str, answer: str) -> None:
    assert value(Language(), exchange(answer, question)) < 0.05


def test_a_translation_that_was_asked_for_is_fine() -> None:
    assert (
        value(Language(), exchange(GERMAN, "Please translate into German: you can return your phone within thirty days.")) < 0.1
    )


@pytest.mark.parametrize(
    ("question", "answer"),
    [("Hi", GERMAN), (QUESTION, "OK"), ("", GERMAN), (QUESTION, ""), (QUESTION, "12345 67890 12345 67890")],
)
def test_what_shows_no_language_is_skipped(question: str, answer: str) -> None:
    assert not scores(Language(), exchange(answer, question))


def test_english_is_told_by_its_small_words() -> None:
    assert language_of(Piece("this is what you have to do with the old one")) == ("en", 0.95)
    assert language_of(Piece("")) == ("", 0.0)
