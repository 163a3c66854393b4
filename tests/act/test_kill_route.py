import math

import pytest

from holdfast.act.kill_route import KillRoute, KillRouteArguments
from holdfast.control.effects import Refuse
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE, ROUTE
from tests.control.examples import lease, snapshot

ACTION = KillRoute()


def test_clients_are_told_when_to_try_again() -> None:
    effect = ACTION.effect(KillRouteArguments(retry_after_s=30), ROUTE, EXAMPLE)
    assert effect == Refuse(retry_after_s=30)
    assert ACTION.does(effect) == "every request is refused, and told to try again after 30 s"


@pytest.mark.parametrize("seconds", [-1.0, 86_401.0, math.nan], ids=str)
def test_a_hint_out_of_range_is_refused(seconds: float) -> None:
    with pytest.raises(InputError, match="retry_after_s"):
        ACTION.effect(KillRouteArguments(retry_after_s=seconds), ROUTE, EXAMPLE)


def test_a_route_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="no route 'gone'"):
        ACTION.effect(KillRouteArguments(), {"route": "gone"}, EXAMPLE)


def test_it_says_whether_the_route_is_stopped_already() -> None:
    assert ACTION.before(Refuse(), {"route": "support"}, EXAMPLE) == "served"
    assert ACTION.before(Refuse(), {"route": "support"}, snapshot(lease(Refuse()))) == "refused by another lease"
