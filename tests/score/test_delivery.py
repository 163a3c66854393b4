import pytest

from holdfast.core.call import Kind
from holdfast.score.delivery import Delivery
from tests.score.build import ANSWER, call, exchange, llm, scores, trace, value

WRITTEN = "Your order of 3 phones ships on 14 May. You can return it within 30 days [1]. Write to our support team for help."


def shown(text: str) -> float:
    return value(Delivery(), trace(call(Kind.WORKFLOW, 1, output_text=text), llm(WRITTEN)))


@pytest.mark.parametrize(
    "text",
    [
        WRITTEN,
        f"**{WRITTEN}**",
        WRITTEN.replace(". ", ".\n\n"),
        f"Hello!\n\n{WRITTEN}\n\nBest regards, your support team",
        f'{{"answer": "{WRITTEN}"}}',
    ],
)
def test_layout_and_greetings_are_no_alteration(text: str) -> None:
    assert shown(text) <= 0.1


@pytest.mark.parametrize(
    "text",
    [
        WRITTEN[:40],
        WRITTEN[:80],
        WRITTEN.replace("14 May", "[REDACTED]"),
        WRITTEN.replace("support team", "**** ****"),
        WRITTEN.replace("30 days", "80 days"),
        WRITTEN.replace("[1]", "[2]"),
        "Sorry, this answer was blocked.",
        "Ihre Bestellung wird am vierzehnten verschickt und kann zurückgegeben werden.",
    ],
)
def test_a_missing_tail_masked_words_other_numbers_and_another_text_are(text: str) -> None:
    assert shown(text) >= 0.5


def test_one_changed_word_is_a_small_alteration() -> None:
    assert 0 < shown(WRITTEN.replace("phones", "tablets")) < 0.3


@pytest.mark.parametrize(
    ("cited", "instead"),
    [
        ("(Source: Card limits)", "(Source: Personal loans)"),
        ("Read more under Overdraft.", "Read more under Personal loans."),
        ("[terms](https://shop.example/terms)", "[terms](https://elsewhere.example/login)"),
    ],
)
def test_another_title_or_address_in_an_answer_that_is_else_the_same_is_an_alteration(cited: str, instead: str) -> None:
    steps = trace(call(Kind.WORKFLOW, 1, output_text=f"{WRITTEN} {instead}"), llm(f"{WRITTEN} {cited}"))
    found = scores(Delivery(), steps)["answer_altered"]
    assert found.value >= 0.5
    assert "in place of" in found.why


@pytest.mark.parametrize("instead", ["colour", "the colours", "color and"])
def test_another_spelling_or_small_words_are_not(instead: str) -> None:
    written = f"{WRITTEN} Choose a color of your own, we have many."
    steps = trace(call(Kind.WORKFLOW, 1, output_text=written.replace("color", instead)), llm(written))
    assert value(Delivery(), steps) < 0.3


def test_what_is_wrong_is_told() -> None:
    found = scores(Delivery(), trace(call(Kind.WORKFLOW, 1, output_text=WRITTEN.replace("30", "80")), llm(WRITTEN)))
    assert found["answer_altered"].why == "numbers differ: 30, 80"


def test_where_nothing_can_have_changed_it_does_not_apply() -> None:
    assert not scores(Delivery(), exchange(ANSWER))
    assert not scores(Delivery(), trace(call(Kind.WORKFLOW, 1), llm()))
    assert not scores(Delivery(), trace(call(Kind.WORKFLOW, 1, output_text="x")))


def test_an_agent_under_a_silent_server_span_delivers() -> None:
    agent = call(Kind.AGENT, 2, output_text="Something else entirely was shown to the customer instead of it.")
    assert value(Delivery(), trace(call(Kind.OTHER, 1), agent, llm(WRITTEN))) > 0.5
