import json

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


TRIAGE = (
    '{"category": "transfer_missing", "reference": "TX7655145", "amount": 30.78, "summary": "A transfer of 30.78 EUR is late."}'
)


def processed(written: str, shown: str, kind: Kind = Kind.TASK) -> float:
    """What the scorer says where a step after the model turns one text into another, and nothing else tells."""
    step = call(kind, 4, input_text=written, output_text=shown)
    return value(Delivery(), trace(call(Kind.OTHER, 1), llm(written), step))


@pytest.mark.parametrize("kind", [Kind.TASK, Kind.OTHER, Kind.GUARDRAIL, Kind.WORKFLOW])
def test_a_step_behind_the_model_delivers_what_it_makes_of_the_answer(kind: Kind) -> None:
    assert processed(WRITTEN, WRITTEN.replace("30 days", "80 days"), kind) >= 0.7
    assert processed(WRITTEN, WRITTEN, kind) == 0.0


@pytest.mark.parametrize(
    "shown",
    [
        TRIAGE.replace("TX7655145", "TX76"),
        TRIAGE.replace(" 30.78,", " 3078,"),
        TRIAGE.replace(" 30.78,", " null,"),
        TRIAGE.replace('"reference": "TX7655145", ', ""),
        TRIAGE.replace("transfer_missing", "card_dispute"),
    ],
    ids=["a cut reference", "a lost point", "an emptied value", "a missing name", "another category"],
)
def test_json_in_which_a_value_is_another_one_is_altered(shown: str) -> None:
    assert processed(TRIAGE, shown) >= 0.7


@pytest.mark.parametrize(
    "shown",
    [
        json.dumps(json.loads(TRIAGE), indent=2),
        json.dumps(dict(reversed(json.loads(TRIAGE).items()))),
        json.dumps(json.loads(TRIAGE) | {"id": 12, "received": "2026-10-05"}),
        json.dumps({"ok": True, "data": json.loads(TRIAGE)}),
        TRIAGE.replace("30.78,", "30.780,"),
        f"```json\n{TRIAGE}\n```",
    ],
    ids=["indented", "in another order", "with additions", "wrapped", "another spelling of a number", "fenced"],
)
def test_json_that_was_only_written_anew_is_not(shown: str) -> None:
    assert processed(TRIAGE, shown) == 0.0


def test_one_of_the_texts_that_the_model_wrote_as_json_may_be_shown_alone() -> None:
    written = json.dumps({"answer": WRITTEN, "sources": ["terms"]})
    assert value(Delivery(), trace(call(Kind.WORKFLOW, 1, output_text=WRITTEN), llm(written))) == 0.0
    other = WRITTEN.replace("30 days", "80 days")
    assert value(Delivery(), trace(call(Kind.WORKFLOW, 1, output_text=other), llm(written))) >= 0.7


def test_an_agent_under_a_silent_server_span_delivers() -> None:
    agent = call(Kind.AGENT, 2, output_text="Something else entirely was shown to the customer instead of it.")
    assert value(Delivery(), trace(call(Kind.OTHER, 1), agent, llm(WRITTEN))) > 0.5
