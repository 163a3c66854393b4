import pytest

from holdfast.score.truncation import MAX_HABITS, Truncation
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


WHOLE = "Tumia Spinosad kwa nyanya, mililita 15."
CUT_SHORT = "Tumia Spinosad kwa"


def habitual(*answers: str, times: int = 40) -> Truncation:
    """One that saw these answers so often."""
    scorer = Truncation(learning=40).fresh()
    for _ in range(times):
        for answer in answers:
            list(scorer.score(exchange(answer)))
    return scorer


def test_where_all_answers_end_with_a_mark_one_without_it_was_cut_in_any_language() -> None:
    found = scores(habitual(WHOLE), exchange(CUT_SHORT))["truncation"]
    assert found.value > 0.8
    assert "Spinosad" in found.why


@pytest.mark.parametrize(
    "answer",
    [WHOLE, "Asante!", "Sawa", "42", "Chaguzi:\n- moja\n- mbili", '{"jibu": "ndiyo"}', "Siku njema 😊"],
    ids=["a mark", "another mark", "one word", "a number", "a list", "JSON", "a picture"],
)
def test_answers_that_are_whole_without_a_mark_are_none(answer: str) -> None:
    assert value(habitual(WHOLE), exchange(answer)) < 0.1


def test_where_answers_often_end_without_a_mark_nothing_is_missed() -> None:
    assert value(habitual(WHOLE, "Sawa rafiki yangu"), exchange(CUT_SHORT)) < 0.1


def test_a_habit_is_known_only_after_some_answers() -> None:
    assert value(habitual(WHOLE, times=39), exchange(CUT_SHORT)) < 0.1


def test_the_habit_of_one_route_and_language_is_no_other_ones() -> None:
    other = {"service.name": ("support",), "route": ("/sms",)}
    assert value(habitual(WHOLE), trace(llm(CUT_SHORT, dimensions=other))) < 0.1
    assert value(habitual(WHOLE), trace(llm(CUT_SHORT, dimensions={**other, "route": ("/chat",), "language": ("th",)}))) < 0.1


def test_a_new_habit_is_learnt() -> None:
    scorer = Truncation(learning=40, memory=100).fresh()
    for answer in (*[WHOLE] * 60, *[CUT_SHORT] * 60):
        list(scorer.score(exchange(answer)))
    assert value(scorer, exchange(CUT_SHORT)) < 0.1


def test_habits_survive_a_restart() -> None:
    after = Truncation(learning=40).fresh()
    after.restore(habitual(WHOLE).snapshot())
    assert value(after, exchange(CUT_SHORT)) > 0.8


def test_only_so_many_habits_are_remembered() -> None:
    scorer = Truncation().fresh()
    for number in range(MAX_HABITS + 5):
        list(scorer.score(trace(llm(WHOLE, dimensions={"service.name": (f"application {number}",)}))))
    assert len(scorer._habits) == MAX_HABITS
