from random import Random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drills import compose
from holdfast.drills.script import perform, prompt, receive, retrieve, use_tools
from holdfast.drills.turn import Behaviour, Turn
from tests.drills.turns import a_turn, nothing


def prepared(route: str, behaviour: Behaviour, seed: int = 1) -> Turn:
    turn = a_turn(route, seed=seed)
    for step in (receive, retrieve, prompt, use_tools):
        step(turn)
    turn.behaviour = behaviour
    return turn


def test_a_grounded_answer_says_the_fact() -> None:
    turn = prepared("/chat", Behaviour.GROUNDED)
    assert turn.asked[1].answer in compose.answer(turn)


@pytest.mark.parametrize("seed", range(6))
def test_an_invented_answer_does_not_say_the_fact_alone(seed: int) -> None:
    turn = prepared("/chat", Behaviour.INVENTED, seed)
    article, fact = turn.asked
    answer = compose.answer(turn)
    assert article.title not in answer
    assert answer.replace(fact.answer, "").strip()


def test_a_grounded_tool_answer_repeats_what_the_tool_returned() -> None:
    turn = prepared("/orders", Behaviour.GROUNDED)
    answer = compose.answer(turn)
    assert sum(value in answer for value in turn.values.values()) >= 3


def test_an_invented_tool_answer_keeps_what_the_user_said_but_not_what_the_tool_said() -> None:
    turn = prepared("/orders", Behaviour.INVENTED)
    answer = compose.answer(turn)
    assert turn.tool is not None
    assert next(turn.values[name] for name in turn.tool.arguments) in answer
    assert compose.answer(prepared("/orders", Behaviour.GROUNDED)) != answer


def test_an_answer_off_the_topic_is_about_another_article() -> None:
    turn = prepared("/chat", Behaviour.OFF_TOPIC)
    assert turn.asked[1].answer not in compose.answer(turn)


def test_structured_output_is_json_with_every_key() -> None:
    turn = prepared("/tickets", Behaviour.GROUNDED)
    value = orjson.loads(compose.answer(turn))
    assert set(value) == {"category", "priority", "sentiment", "summary"}
    assert value["category"] in turn.application.sources


@pytest.mark.parametrize("seed", range(9))
def test_a_broken_format_is_no_valid_object(seed: int) -> None:
    text = compose.broken_format({"category": "a", "priority": "low", "sentiment": "neutral", "summary": "s"}, Random(seed))
    try:
        assert len(orjson.loads(text)) < 4
    except orjson.JSONDecodeError:
        assert "{" not in text


def test_a_cut_answer_is_the_beginning_of_the_whole_one() -> None:
    text = "The first part of a sentence that goes on for quite a while."
    assert text.startswith(compose.cut(text, Random(1)))
    assert len(compose.cut(text, Random(1))) < len(text)


@given(st.text(), st.integers(0, 2**32 - 1))
def test_altering_numbers_leaves_everything_else_alone(text: str, salt: int) -> None:
    altered = compose.alter_alike(text, salt)
    assert compose.NUMBER.sub("#", altered).count("#") >= text.count("#")
    if not compose.NUMBER.search(text):
        assert altered == text


def test_the_same_number_is_altered_alike_in_two_texts() -> None:
    one, other = compose.alter_alike("within 30 days", 7), compose.alter_alike("You have 30 days", 7)
    assert one.split()[1] == other.split()[2] != "30"


def test_numbers_that_the_user_gave_are_kept() -> None:
    assert "4711" in compose.alter_numbers("order 4711 costs 20 euros", Random(1), keep="where is 4711?")


@pytest.mark.parametrize("specification", ["@int:1:9", "@money:5:90", "@id:JP-:6", "@choice:a,b", "$known"])
def test_a_value_follows_its_specification(specification: str) -> None:
    value = compose.draw(specification, Random(1), {"known": "k"})
    checks = {
        "@int:1:9": lambda: 1 <= int(value) <= 9,
        "@money:5:90": lambda: 5 <= float(value) <= 90,
        "@id:JP-:6": lambda: value.startswith("JP-") and len(value) == 9,
        "@choice:a,b": lambda: value in "ab",
        "$known": lambda: value == "k",
    }
    assert checks[specification]()


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_other_languages_are_answered_in_their_own(language: str) -> None:
    turn = a_turn("/chat", language)
    perform(turn, nothing)
    assert turn.documents
    assert all(document.id.endswith(f".{language}") for document in turn.documents)
