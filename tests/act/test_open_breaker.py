import pytest

from holdfast.act.open_breaker import OpenBreakerAction, OpenBreakerArguments
from holdfast.control.effects import OpenBreaker
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE, ROUTE
from tests.control.examples import lease, snapshot

ACTION = OpenBreakerAction()


def test_a_target_of_the_route_is_opened() -> None:
    effect = ACTION.effect(OpenBreakerArguments(target="large", judge="groundedness"), ROUTE, EXAMPLE)
    assert effect == OpenBreaker(target="large", judge="groundedness")
    assert "groundedness has judged" in ACTION.does(effect)
    assert "judged" not in ACTION.does(OpenBreaker(target="large"))


@pytest.mark.parametrize("target", ["spare", "gone", ""], ids=["not-of-the-route", "unknown", "empty"])
def test_a_target_that_serves_nothing_in_scope_is_refused(target: str) -> None:
    with pytest.raises(InputError, match="large, small"):
        ACTION.effect(OpenBreakerArguments(target=target), ROUTE, EXAMPLE)


def test_it_says_whether_the_target_is_kept_open_already() -> None:
    wanted = OpenBreaker(target="large")
    assert ACTION.before(wanted, {"route": "support"}, EXAMPLE) == "large is used as its breakers allow"
    assert "kept open" in ACTION.before(wanted, {"route": "support"}, snapshot(lease(wanted)))
