from collections import Counter

import msgspec
import orjson
import pytest

from holdfast.drills.script import HEALTHY, STAGES, consume, healthy_behaviour, perform
from holdfast.drills.turn import Behaviour, Stage, Turn
from tests.drills.turns import a_turn, nothing


def test_the_hook_is_called_after_every_stage_in_order() -> None:
    seen: list[Stage] = []
    perform(a_turn("/chat"), lambda turn, stage: seen.append(stage))
    assert seen == [stage for stage, _ in STAGES] == list(Stage)


@pytest.mark.parametrize(
    ("route", "documents", "tools", "consumers"),
    [("/chat", True, False, False), ("/orders", False, True, False), ("/tickets", False, False, True)],
)
def test_each_route_does_what_its_shape_says(route: str, documents: bool, tools: bool, consumers: bool) -> None:
    turn = a_turn(route)
    perform(turn, nothing)
    assert (bool(turn.documents), bool(turn.tool_uses), bool(turn.consumer_uses)) == (documents, tools, consumers)
    assert turn.delivered


def test_healthy_behaviour_is_imperfect_at_the_stated_rates() -> None:
    turn = a_turn("/tickets")
    found = Counter(healthy_behaviour(turn) for _ in range(20_000))
    for behaviour, rate in HEALTHY:
        assert found[behaviour] / 20_000 == pytest.approx(rate, abs=0.004)


def test_free_text_has_no_format_to_break() -> None:
    turn = a_turn("/chat")
    assert Behaviour.BROKEN_FORMAT not in {healthy_behaviour(turn) for _ in range(3000)}


def test_the_right_article_comes_first_most_of_the_time() -> None:
    first = []
    for seed in range(40):
        turn = a_turn("/chat", seed=seed)
        perform(turn, nothing)
        first.append(turn.documents[0].id.split(".")[0] == turn.asked[0].id)
    assert sum(first) >= 36


@pytest.mark.parametrize(
    ("delivered", "error"), [('{"category": "a"}', "ValidationError"), ("not JSON", "ValidationError"), ("", "ValidationError")]
)
def test_the_consumer_refuses_what_does_not_follow_the_schema(delivered: str, error: str) -> None:
    turn: Turn = a_turn("/tickets")
    turn.delivered = delivered
    use = consume(turn)
    assert use.error == error
    assert "missing" in orjson.loads(use.result)["error"]


def test_the_consumer_takes_what_follows_the_schema() -> None:
    turn: Turn = a_turn("/tickets")
    turn.delivered = '{"category": "a", "priority": "low", "sentiment": "neutral", "summary": "s"}'
    assert consume(turn).error == ""


def test_a_language_with_few_articles_is_searched_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.drills.script.MISSED_RETRIEVAL_RATE", 1.0)
    turn = a_turn("/chat", "fr")
    few = turn.application.articles["fr"][:2]
    turn.application = msgspec.structs.replace(turn.application, articles={**turn.application.articles, "fr": few})
    perform(turn, nothing)
    assert [d.id for d in turn.documents] == [f"{a.id}.fr" for a in few if a.id != turn.asked[0].id]
