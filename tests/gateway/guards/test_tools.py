"""The tool allow-list."""

from holdfast.core.call import ToolCall
from holdfast.gateway.dialects.protocol import Asked, Said
from holdfast.gateway.guards.protocol import Judgement, Seen
from holdfast.gateway.guards.tools import tool_allow_list

JUDGE = tool_allow_list({"tools": ["search"]})


def test_of_a_request_the_offers_and_of_an_answer_the_calls_are_judged() -> None:
    assert JUDGE.judge(Seen(Asked(tools=("search",)))) == Judgement(0.0)
    found = JUDGE.judge(Seen(Asked(tools=("search", "delete"))))
    assert found is not None
    assert (found.score, "delete" in found.why) == (1.0, True)
    called = JUDGE.judge(Seen(Asked(tools=("search",)), Said(tool_calls=(ToolCall("delete"),))))
    assert called is not None
    assert called.score == 1.0


def test_without_tools_there_is_nothing_to_judge() -> None:
    assert JUDGE.judge(Seen(Asked())) is None
    assert JUDGE.judge(Seen(Asked(tools=("delete",)), Said(text="hi"))) is None


def test_an_empty_list_allows_nothing() -> None:
    found = tool_allow_list({}).judge(Seen(Asked(tools=("search",))))
    assert found is not None
    assert found.score == 1.0
