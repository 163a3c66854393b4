import math

import msgspec
import pytest

from holdfast.act.throttle_user import ThrottleUser, ThrottleUserArguments
from holdfast.control.effects import Throttle
from holdfast.control.snapshot import RateLimit
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE, USER
from tests.control.examples import lease, snapshot

ACTION = ThrottleUser()
replace = msgspec.structs.replace


def test_the_rate_is_as_given() -> None:
    effect = ACTION.effect(ThrottleUserArguments(requests_per_s=0.5), USER, EXAMPLE)
    assert effect == Throttle(requests_per_s=0.5)
    assert ACTION.does(effect) == "the user is limited to 0.5 requests a second"


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf], ids=str)
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match="requests_per_s"):
        ACTION.effect(ThrottleUserArguments(requests_per_s=rate), USER, EXAMPLE)


def test_what_limits_the_user_now_is_said() -> None:
    wanted = Throttle(requests_per_s=0.5)
    assert ACTION.before(wanted, USER, EXAMPLE) == "not limited"
    limited = replace(EXAMPLE, desired=replace(EXAMPLE.desired, user_limit=RateLimit(requests_per_s=5)))
    assert ACTION.before(wanted, USER, limited) == "limited to 5 requests a second as every user"
    assert "by another lease" in ACTION.before(wanted, USER, snapshot(lease(Throttle(requests_per_s=1), scope=USER)))
