"""What was promised, what is left of it, how fast it goes."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from holdfast.access.access import TokenOrder
from holdfast.access.roles import EVERYWHERE, Identity, Role
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.objectives import Promise, Standing
from holdfast.core.signal import Segment, Verdict
from tests.api.conftest import TOKEN
from tests.api.promises import ANSWERS, report, with_objectives
from tests.report.conftest import MINUTE, START

LAST = START + 9 * MINUTE
Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(context: ApiContext) -> Iterator[Ask]:
    with TestClient(create_app(with_objectives(context, LAST))) as client:

        def asked(secret: str = TOKEN, **query: str) -> list[dict[str, Any]]:
            answer = client.get("/api/v1/objectives", params=query, headers={"Authorization": f"Bearer {secret}"})
            assert answer.status_code == 200, answer.text
            found: list[dict[str, Any]] = answer.json()
            return found

        yield asked


def test_without_objectives_there_are_none(client: TestClient) -> None:
    assert client.get("/api/v1/objectives").json() == []


def test_the_worst_comes_first_and_what_was_not_counted_is_not_said_to_be_kept(ask: Ask) -> None:
    assert [(o["name"], o["service"], o["standing"]) for o in ask()] == [
        ("answers", "shop", "burning"),
        ("banking", "bank", "spent"),
        ("fast", "shop", "unseen"),
        ("answers", "bank", "kept"),
    ]


def test_it_says_what_is_left_and_how_fast_each_window_burns(ask: Ask) -> None:
    burning, _, unseen, kept = ask()
    assert (burning["metric"], burning["share"], burning["days"]) == ("error", 0.98, 30)
    assert (burning["budget_left"], burning["known_days"]) == (0.4, 1.5)
    assert burning["days_to_go"] == pytest.approx(0.6)
    assert burning["last_call"].endswith("Z")
    assert [window["alarms"] for window in burning["windows"]] == [True, True, False]
    assert burning["windows"][0] == {
        "rate": 14.4,
        "long_min": 60,
        "short_min": 5,
        "long_burn": 20.0,
        "short_burn": 20.0,
        "alarms": True,
    }
    assert kept["days_to_go"] is None
    assert (unseen["budget_left"], unseen["windows"], unseen["last_call"]) == (None, [], None)
    assert (unseen["bad_from"], unseen["segment"]) == (8_000.0, {"route": "/chat"})


def test_one_application_can_be_asked_for(ask: Ask) -> None:
    assert {o["service"] for o in ask(service="bank")} == {"bank"}
    assert ask(service="nobody") == []


def test_what_belongs_to_an_application_that_one_may_not_see_is_not_there(ask: Ask, context: ApiContext) -> None:
    root = Identity(actor="user:root", grants={EVERYWHERE: Role.ADMIN})
    secret = context.access.issue_token(root, TokenOrder(name="one", grants={"bank": "viewer"})).secret
    assert {(o["name"], o["service"]) for o in ask(secret)} == {("answers", "bank"), ("banking", "bank")}


def test_an_objective_that_is_no_longer_promised_is_not_told(context: ApiContext) -> None:
    changed = msgspec.structs.replace(with_objectives(context, LAST), objectives=())
    with TestClient(create_app(changed), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        assert client.get("/api/v1/objectives").json() == []


@pytest.mark.parametrize(
    ("left", "alarm", "standing"),
    [
        (0.5, None, Standing.KEPT),
        (0.0, None, Standing.SPENT),
        (-1.0, Verdict.FAILURE, Standing.BURNING),
        (0.5, Verdict.FAILURE, Standing.BURNING),
        (0.5, Verdict.ANOMALY, Standing.BURNING_SLOWLY),
    ],
)
def test_how_it_stands_follows_from_the_alarm_and_from_what_is_left(
    left: float, alarm: Verdict | None, standing: Standing
) -> None:
    segment = Segment("shop")
    assert Promise(ANSWERS, segment, report(ANSWERS, segment, 1.0, left, alarm, LAST)).standing is standing
