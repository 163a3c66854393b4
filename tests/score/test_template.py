import pytest

from holdfast.core.call import Kind
from holdfast.score.template import Template, slot_in
from tests.score.build import ANSWER, QUESTION, SYSTEM, call, exchange, llm, scores, trace, value


@pytest.mark.parametrize(
    "slot",
    [
        "{{customer_name}}",
        "{{ context }}",
        "${user}",
        "%(city)s",
        "{order_id}",
        "[[NAME]]",
        "<CUSTOMER_NAME>",
        "[INSERT DATE]",
        "{% if x %}",
    ],
)
def test_a_slot_in_the_system_prompt_is_seen(slot: str) -> None:
    assert value(Template(), exchange(ANSWER, system=f"{SYSTEM} The customer is {slot}.")) >= 0.6


@pytest.mark.parametrize(
    "text",
    ["Dear None, your parcel is late.", "Order number: null", "The price is $undefined.", "Total: NaN", "Hi [object Object]!"],
)
def test_an_empty_value_is_seen(text: str) -> None:
    assert value(Template(), exchange(text)) > 0.7


@pytest.mark.parametrize(
    "text",
    [
        'Reply as {"answer": "..."}.',
        "Use `{name}` in your template.",
        "```js\nconst x = `${y}`;\n```",
        "<context>\nfacts\n</context>",
        "See [1] and [[2]].",
        "None of the phones is sold out.",
        "The result is null and void.",
        "Mail <EMAIL_ADDRESS:1a2b3c4d> about it.",
        "snake_case_names are fine",
        "f(x) = {x | x > 0}",
        "",
    ],
)
def test_braces_with_a_meaning_are_not(text: str) -> None:
    assert slot_in(text)[1] < 0.3


def test_what_the_user_typed_is_the_business_of_the_user() -> None:
    assert value(Template(), exchange(ANSWER, "What does {{name}} mean in my letter?")) < 0.4


def test_the_slot_and_its_place_are_named() -> None:
    assert (
        scores(Template(), exchange(ANSWER, QUESTION, system="Hello {{customer}}"))["unsubstituted_template"].why
        == "prompt: {{customer}}"
    )


def test_without_any_text_it_does_not_apply() -> None:
    assert not scores(Template(), trace(call(Kind.EMBEDDING)))
    assert scores(Template(), trace(llm("")))


def test_values_that_stand_for_nothing_in_a_sentence_are_seen_from_the_second_on() -> None:
    profile = "Customer profile: segment None, contract null, discount class None."
    assert value(Template(), exchange(ANSWER, system=f"{SYSTEM} {profile}")) > 0.7
    assert slot_in("There is none, and the function returns null.") == ("", 0.0)
    assert slot_in("None of them, of which none. Nothing is null and void.") == ("", 0.0)


@pytest.mark.parametrize(
    "text", ["My policy number is null.", "The total is null EUR, please pay it.", "Delivery date: None, at noon."]
)
def test_a_field_that_a_form_filled_in_with_nothing_is_seen_in_a_question_too(text: str) -> None:
    assert value(Template(), exchange(ANSWER, text)) >= 0.7


@pytest.mark.parametrize(
    "text", ["What is null in SQL?", "Why is my value undefined behaviour?", "None of the codes work.", "Is null an id?"]
)
def test_a_question_about_nothing_is_a_question(text: str) -> None:
    assert value(Template(), exchange(ANSWER, text)) < 0.3
