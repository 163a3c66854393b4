import pytest

from holdfast.core.call import DIMENSIONS
from holdfast.core.errors import NotFoundError
from holdfast.drills.script import perform, prompt
from tests.drills.turns import a_turn, nothing


def test_dimensions_have_the_names_that_everybody_uses() -> None:
    turn = a_turn("/chat")
    perform(turn, nothing)
    assert set(turn.dimensions) <= set(DIMENSIONS)
    assert all(turn.dimensions.values())


def test_a_turn_matches_a_cohort_only_when_all_conditions_hold() -> None:
    turn = a_turn("/chat")
    tenant = turn.request.user.tenant
    assert turn.matches({})
    assert turn.matches({"route": "/chat", "tenant": tenant})
    assert not turn.matches({"route": "/orders", "tenant": tenant})


def test_sources_and_tools_are_unknown_before_they_were_used() -> None:
    assert not a_turn("/chat").matches({"document.source": "returns"})
    assert not a_turn("/orders").matches({"tool": "get_order"})


def test_the_system_prompt_has_its_variables_filled_in() -> None:
    turn = a_turn("/chat")
    perform(turn, nothing)
    assert "{" not in turn.system_prompt
    assert turn.documents[0].content in turn.system_prompt


def test_a_forced_system_prompt_wins_over_the_template() -> None:
    turn = a_turn("/chat")
    prompt(turn)
    turn.rendered_system = "something else"
    assert turn.system_prompt == "something else"


def test_a_question_for_a_tool_has_no_article() -> None:
    turn = a_turn("/orders")
    perform(turn, nothing)
    with pytest.raises(NotFoundError):
        _ = turn.asked
