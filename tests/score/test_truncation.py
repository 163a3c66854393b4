import pytest

from holdfast.score.truncation import Truncation
from tests.score.build import exchange, llm, scores, trace, value

LONG = "You can return your phone within 30 days. Please keep the box and the bill"


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "max_output_tokens"])
def test_an_answer_that_hit_the_token_limit_is_truncated(reason: str) -> None:
    assert value(Truncation(), trace(llm("It ends.", finish_reasons=(reason,)))) > 0.9


def test_the_token_limit_counts_even_when_nothing_was_written() -> None:
    assert value(Truncation(), trace(llm("", finish_reasons=("length",)))) > 0.9


@pytest.mark.parametrize(
    "text",
    [
        LONG + " and the",
        LONG + ",",
        LONG + " of your",
        LONG + " until the parcel arri",
        '{"answer": "You can ret',
        "Run this:\n```python\nprint(1)",
        "Sie können das Telefon zurückgeben. Bitte behalten Sie die Rechnung und",
    ],
)
def test_a_text_that_stops_in_the_middle_is_probably_truncated(text: str) -> None:
    assert value(Truncation(), exchange(text)) >= 0.6


@pytest.mark.parametrize(
    "text",
    [
        LONG + ".",
        LONG + "!)",
        "Yes",
        "42",
        "- box\n- bill\n- charger",
        '{"answer": "ok"}',
        "できます。",
        "Have a nice day 😊",
        "See https://shop.example/returns.",
        "Best regards,\nYour support team",
        "```\nx = 1\n```",
    ],
)
def test_a_text_that_ends_is_not(text: str) -> None:
    assert value(Truncation(), exchange(text)) < 0.1


def test_no_full_stop_anywhere_is_weak_evidence() -> None:
    assert 0.1 < value(Truncation(), exchange("You can return your phone within thirty days after it was delivered")) < 0.5


def test_without_an_answer_it_does_not_apply() -> None:
    assert not scores(Truncation(), trace(llm("")))
    assert not scores(Truncation(), exchange("  \n "))
