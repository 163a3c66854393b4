from typing import Any

import msgspec
import pytest

from holdfast.core.call import Call, Kind, Message, ToolCall
from holdfast.core.trace import Trace
from holdfast.score.run import Scoring
from holdfast.score.tool_choice import MAX_ROUTES, MAX_TOOLS, ToolChoice
from tests.score.build import call, llm, scores, tool, trace, value

ORDER = "Where is my order 1182 now?"
CHAT = "Thank you, that was very kind of you!"


def agent(question: str, *tools: str, route: str = "/chat", **fields: Any) -> Trace:
    """A request that calls these tools before it answers."""
    where = {"service.name": ("support",), "route": (route,)}
    steps = [tool("{}", name=name, span=4 + number, dimensions=where) for number, name in enumerate(tools)]
    return trace(
        call(Kind.WORKFLOW, 1, dimensions=where), llm("Your order left on Monday.", question, dimensions=where, **fields), *steps
    )


def whole(*calls: Call) -> Trace:
    """A request of which the root is known."""
    return trace(call(Kind.WORKFLOW, 1), *calls)


def trained(learning: int = 40, memory: int = 4000) -> ToolChoice:
    """One that knows: questions about orders are looked up, courtesies are not."""
    scorer = ToolChoice(learning=learning, memory=memory).fresh()
    for number in range(learning):
        list(scorer.score(agent(ORDER, "get_order")) if number % 2 else scorer.score(agent(CHAT)))
    return scorer


def test_a_question_that_used_to_be_looked_up_and_is_not_misses_its_tool() -> None:
    found = scores(trained(), agent(ORDER))["missing_tool_call"]
    assert found.value > 0.8
    assert "no tool was called" in found.why


def test_a_question_that_never_needed_a_tool_misses_none() -> None:
    assert value(trained(), agent(CHAT), "missing_tool_call") < 0.1


def test_other_questions_are_no_missing_tools() -> None:
    scorer = trained()
    mixed = [value(scorer, agent(CHAT), "missing_tool_call") for _ in range(100)]
    assert max(mixed) < 0.1


def test_a_called_tool_is_not_missing() -> None:
    assert value(trained(), agent(ORDER, "get_order"), "missing_tool_call") == 0.0


def test_a_tool_that_nobody_called_before_is_unexpected() -> None:
    found = scores(trained(), agent(ORDER, "get_order", "delete_order"))["unexpected_tool_call"]
    assert found.value == 1.0
    assert "delete_order" in found.why


def test_a_known_tool_for_a_question_that_never_needed_it_is_unexpected() -> None:
    assert value(trained(), agent(CHAT, "get_order"), "unexpected_tool_call") > 0.3


def test_the_usual_tool_is_expected() -> None:
    assert value(trained(), agent(ORDER, "get_order"), "unexpected_tool_call") == 0.0


def test_a_total_loss_of_tools_is_heard_for_as_many_requests_as_called_them_before() -> None:
    scorer = trained(learning=200)
    assert all(value(scorer, agent(ORDER), "missing_tool_call") > 0.5 for _ in range(90))


def test_what_stays_changed_becomes_normal() -> None:
    scorer = trained(memory=200)
    for _ in range(480):
        list(scorer.score(agent(ORDER)))
    assert value(scorer, agent(ORDER), "missing_tool_call") < 0.1


def test_a_model_that_asks_for_a_tool_called_it_though_its_span_was_lost() -> None:
    asked = (Message("assistant", "", (ToolCall("get_order"),)),)
    first = llm("", ORDER, span=2, output_messages=asked)
    assert value(trained(), whole(first, llm("It left on Monday.", ORDER)), "missing_tool_call") == 0.0


@pytest.mark.parametrize("named", [True, False], ids=["with the call", "with the result alone"])
def test_a_tool_result_in_the_prompt_shows_a_call_too(named: bool) -> None:
    calls = (ToolCall("get_order"),) if named else ()
    steps = (Message("user", ORDER), Message("assistant", "", calls), Message("tool", "shipped"))
    assert value(trained(), whole(llm("It left.", ORDER, input_messages=steps)), "missing_tool_call") == 0.0


def test_a_tool_of_an_earlier_turn_is_none_of_this_one() -> None:
    earlier = (Message("user", ORDER), Message("assistant", "", (ToolCall("get_order"),)), Message("tool", "shipped"))
    turn = whole(llm("It left.", ORDER, input_messages=(*earlier, Message("user", ORDER))))
    assert value(trained(), turn, "missing_tool_call") > 0.8


def test_a_part_of_a_request_that_came_late_misses_no_tool() -> None:
    assert not scores(trained(), trace(llm("It left on Monday.", ORDER)))


def test_routes_do_not_know_of_each_other() -> None:
    assert not scores(trained(), agent(ORDER, route="/new"))


def test_nothing_is_said_while_a_route_is_new() -> None:
    scorer = ToolChoice(learning=10).fresh()
    told = [bool(scores(scorer, agent(ORDER, "get_order"))) for _ in range(12)]
    assert told == [False] * 10 + [True] * 2


def without_tools(**fields: Any) -> ToolChoice:
    """One that saw a route without tools."""
    scorer = ToolChoice(learning=10).fresh()
    for _ in range(10):
        list(scorer.score(agent(CHAT, **fields)))
    return scorer


def test_an_application_without_tools_is_left_alone() -> None:
    assert not scores(without_tools(), agent(CHAT))


def test_tools_that_are_offered_and_never_called_are_watched() -> None:
    offered: dict[str, Any] = {"tool_definitions": ("get_order",)}
    assert value(without_tools(**offered), agent(CHAT, **offered), "unexpected_tool_call") == 0.0


def test_the_first_tool_call_of_an_application_is_unexpected() -> None:
    assert value(without_tools(), agent(CHAT, "get_order"), "unexpected_tool_call") == 1.0


@pytest.mark.parametrize(
    "odd",
    [
        trace(tool("{}")),
        trace(llm("", ORDER)),
        trace(llm("An answer.", "")),
        agent(ORDER, cache_hit=True),
    ],
    ids=["no model", "no answer", "no question", "answered from a cache"],
)
def test_requests_that_could_call_nothing_say_nothing(odd: Trace) -> None:
    assert not scores(trained(), odd)


def test_more_tools_than_are_told_apart_count_as_one() -> None:
    scorer = ToolChoice(learning=10).fresh()
    for number in range(40):
        list(scorer.score(agent(ORDER, f"tool_{number}")))
    assert value(scorer, agent(ORDER, "tool_99"), "unexpected_tool_call") == 0.0
    (habit,) = scorer._habits.values()
    assert len(habit.tools) == MAX_TOOLS


def test_only_so_many_routes_are_remembered() -> None:
    scorer = ToolChoice().fresh()
    for number in range(MAX_ROUTES + 5):
        list(scorer.score(agent(ORDER, "get_order", route=f"/{number}")))
    assert len(scorer._habits) == MAX_ROUTES
    assert ("support", "/0", True) not in scorer._habits


def test_memories_survive_a_restart() -> None:
    before, after = trained(), ToolChoice(learning=40).fresh()
    after.restore(before.snapshot())
    for request in (agent(ORDER), agent(CHAT), agent(ORDER, "other"), agent(ORDER)):
        assert list(after.score(request)) == list(before.score(request))


def test_memories_of_another_form_are_refused() -> None:
    broken = msgspec.msgpack.encode([["support", "/chat", True, [], [0], b""]])
    with pytest.raises(msgspec.ValidationError):
        ToolChoice().fresh().restore(broken)


def test_two_runners_share_no_memory() -> None:
    scorer = ToolChoice(learning=1)
    first, second = Scoring([scorer]), Scoring([scorer])
    first.score([agent(ORDER, "get_order")] * 3)
    (alone,) = second.score([agent(ORDER, "get_order")])
    assert not alone.scores


def test_numbers_of_orders_are_one_word() -> None:
    scorer = trained()
    other = agent("Where is my order 9004411 now?")
    assert value(scorer, other, "missing_tool_call") == pytest.approx(value(trained(), agent(ORDER), "missing_tool_call"))


def test_an_answer_without_known_words_gets_the_share_of_the_route() -> None:
    assert 0.2 < value(trained(), agent("Schließfach Öffnungszeiten Bahnhof?"), "missing_tool_call") < 0.8


def test_a_call_without_a_name_is_a_call() -> None:
    unnamed = whole(llm("It left.", ORDER), tool("{}", name=""))
    assert value(trained(), unnamed, "missing_tool_call") == 0.0
