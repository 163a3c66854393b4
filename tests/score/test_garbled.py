import pytest

from holdfast.score.garbled import Garbled, garbled_probability
from tests.score.build import ANSWER, REFUNDS, exchange, llm, scores, trace


@pytest.mark.parametrize(
    "text",
    [
        "Die Lieferung fÃ¼r KÃ¶ln dauert drei Tage und kostet fÃ¼nf Euro.",
        "Itâ€™s the customerâ€™s choice to return the phone.",
        "The pri\ufffde is \ufffd\ufffd euros for \ufffdou.",
        "Your\x00 parcel\x01 is\x02 late\x03.",
        "\ue000\ue001\ue002 text from a private area",
        "ðŸ˜€ Hello",
    ],
)
def test_broken_text_is_seen(text: str) -> None:
    assert garbled_probability(text)[0] > 0.3


@pytest.mark.parametrize(
    "text",
    [
        REFUNDS,
        "Für Köln dauert es fünf Tage – das ist »normal«.",
        "L’été, ça va être très chaud à Orléans… Êtes-vous prêts ?",
        "東京までの配達は三日かかります。",
        "Доставка занимает три дня.",
        "العربية نص عادي",
        "```python\nx = {'a': [1, 2], 'b': x[3:4] | y}\n```",
        "| plan | price |\n|---|---|\n| A | $5 |",
        "See https://shop.example/a?b=c&d=e%20f#g",
        "Great! 👍🏽 You're all set 😊",
        "",
    ],
)
def test_normal_text_of_any_script_is_not(text: str) -> None:
    assert garbled_probability(text)[0] < 0.1


def test_more_damage_is_more_certain() -> None:
    assert garbled_probability("fÃ¼r " * 20)[0] > garbled_probability("fÃ¼r " + "normal words " * 30)[0]


def test_answer_and_documents_are_two_metrics_so_that_healthy_documents_do_not_hide_garbled_answers() -> None:
    found = list(Garbled().score(exchange(ANSWER, "q?", "KÃ¶ln fÃ¼r fÃ¼nf")))
    assert [(s.metric, s.span_id[-1], s.value > 0.3) for s in found] == [
        ("garbled_text", "3", False),
        ("garbled_document", "2", True),
    ]


def test_without_any_text_it_does_not_apply() -> None:
    assert not scores(Garbled(), trace(llm("")))
