import pytest

from holdfast.score.repetition import Repetition
from tests.score.build import ANSWER, exchange, llm, scores, trace, value


@pytest.mark.parametrize("text", ["You can return it today. " * 8, "the the " * 30, "return it and " * 12, "请 退 货 再 来 " * 9])
def test_a_loop_is_seen(text: str) -> None:
    assert value(Repetition(), exchange(text)) > 0.9


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        "Yes yes yes",
        "- Monday: 9 to 17\n- Tuesday: 9 to 17\n- Wednesday: 9 to 17\n- Thursday: 9 to 18\n- Friday: 9 to 15",
        "You can return your phone within 30 days. You can return your tablet within 14 days when the seal is not broken.",
    ],
)
def test_normal_text_is_no_loop(text: str) -> None:
    assert value(Repetition(), exchange(text)) < 0.2


def test_the_phrase_that_repeats_is_named() -> None:
    assert "return it" in scores(Repetition(), exchange("You can return it today. " * 8))["repetition"].why


def test_without_words_it_does_not_apply() -> None:
    assert not scores(Repetition(), trace(llm("")))
    assert not scores(Repetition(), exchange("!!!"))
