import pytest

from holdfast.score.refusal import Refusal
from tests.score.build import exchange, llm, scores, trace, value

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I cannot assist with that request.",
    "Unfortunately, I am unable to provide this information.",
    "As an AI language model, I cannot give medical advice.",
    "I must respectfully decline.",
    "Your request was blocked because it violates our usage policy.",
    "Es tut mir leid, dabei kann ich Ihnen nicht helfen.",
    "Leider kann ich diese Frage nicht beantworten.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "Lo siento, no puedo ayudarte con eso.",
    "Mi dispiace, non posso aiutarti.",
    "Desculpe, não posso ajudar com isso.",
    "Het spijt me, daar kan ik u niet mee helpen.",
    "申し訳ありませんが、お答えできません。",
    "对不起，我无法提供帮助。",
    "Извините, но я не могу помочь.",
]
UNKNOWNS = [
    "I don't know.",
    "I could not find any information about that.",
    "The context does not mention the price.",
    "This is not mentioned in the provided documents.",
    "Dazu habe ich keine Informationen.",
    "No hay información sobre eso.",
]
HELPFUL = [
    "You can return your phone within 30 days.",
    "Sorry for the delay! Your parcel arrives tomorrow.",
    "You cannot return opened software, but phones can be returned within 30 days.",
    "If you can't find the bill, we will help you to get a copy.",
    "Sie können das Telefon nicht im Laden, aber per Post zurückgeben.",
    "Je ne vois aucun problème : vous pouvez renvoyer le téléphone.",
    "No, the warranty does not cover water damage.",
    "Unfortunately the item is sold out; the blue one is in stock.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_seen_in_any_of_its_languages(text: str) -> None:
    assert value(Refusal(), exchange(text)) > 0.9


@pytest.mark.parametrize("text", UNKNOWNS)
def test_not_to_know_does_not_help_the_user_either(text: str) -> None:
    assert value(Refusal(), exchange(text)) > 0.7


@pytest.mark.parametrize("text", HELPFUL)
def test_a_helpful_answer_with_such_words_is_no_refusal(text: str) -> None:
    assert value(Refusal(), exchange(text)) < 0.1


def test_a_caveat_behind_a_long_answer_weighs_little() -> None:
    text = "You can return it within 30 days. " * 12 + "I cannot provide the exact hour."
    assert value(Refusal(), exchange(text)) < 0.5


def test_the_filter_of_the_provider_is_a_refusal() -> None:
    assert value(Refusal(), trace(llm("", finish_reasons=("content_filter",)))) > 0.9


def test_without_an_answer_it_does_not_apply() -> None:
    assert not scores(Refusal(), trace(llm("")))
