import pytest

from holdfast.act.downgrade_model import DowngradeModel, DowngradeModelArguments
from holdfast.control.effects import UseModel
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE, ROUTE

ACTION = DowngradeModel()


def test_any_target_may_serve_also_one_that_the_route_does_not_have() -> None:
    effect = ACTION.effect(DowngradeModelArguments(target="spare"), ROUTE, EXAMPLE)
    assert effect == UseModel(target="spare")
    assert ACTION.does(effect) == "every request goes to spare"
    assert ACTION.before(effect, ROUTE, EXAMPLE) == "support: large 1, small 1"


def test_a_target_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match=r"arguments\.target.*large, small, spare"):
        ACTION.effect(DowngradeModelArguments(target="gone"), ROUTE, EXAMPLE)
