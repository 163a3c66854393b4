import pytest

from holdfast.act.shift_traffic import ShiftTrafficAction, ShiftTrafficArguments
from holdfast.control.effects import ShiftTraffic
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE

ACTION = ShiftTrafficAction()
SEARCH = {"route": "search"}


def test_a_target_that_is_not_named_gets_nothing() -> None:
    effect = ACTION.effect(ShiftTrafficArguments(weights={"small": 2.0}), SEARCH, EXAMPLE)
    assert effect == ShiftTraffic(weights={"large": 0.0, "small": 2.0})
    assert ACTION.does(effect) == "the targets share the requests as large 0, small 2"
    assert ACTION.before(effect, SEARCH, EXAMPLE) == "search: large 3, small 1"


@pytest.mark.parametrize(
    "weights",
    [{"spare": 1.0}, {"small": -1.0}, {"small": float("nan")}, {"small": 0.0}, {}],
    ids=["not-of-the-route", "negative", "nan", "zero", "empty"],
)
def test_weights_that_make_no_sense_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"arguments\.weights"):
        ACTION.effect(ShiftTrafficArguments(weights=weights), SEARCH, EXAMPLE)


def test_a_route_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="route"):
        ACTION.effect(ShiftTrafficArguments(weights={"small": 1.0}), {"route": "gone"}, EXAMPLE)
