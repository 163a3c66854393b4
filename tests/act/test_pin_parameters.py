import pytest

from holdfast.act.pin_parameters import PinParametersAction, PinParametersArguments
from holdfast.control.effects import PinParameters
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE, ROUTE
from tests.control.examples import lease, snapshot

ACTION = PinParametersAction()


def test_parameters_are_set_as_given() -> None:
    effect = ACTION.effect(PinParametersArguments(parameters={"temperature": 0, "stop": ["\n"]}), ROUTE, EXAMPLE)
    assert effect == PinParameters(parameters={"temperature": 0, "stop": ["\n"]})
    assert ACTION.does(effect) == r'every request is sent with temperature=0, stop=["\n"]'


def test_nothing_to_set_is_refused() -> None:
    with pytest.raises(InputError, match="is empty"):
        ACTION.effect(PinParametersArguments(parameters={}), ROUTE, EXAMPLE)


def test_what_other_leases_set_is_what_undoing_brings_back() -> None:
    wanted = PinParameters(parameters={"temperature": 0.2})
    assert ACTION.before(wanted, {"route": "support"}, EXAMPLE) == "as each request says"
    standing = snapshot(lease(PinParameters(parameters={"temperature": 1, "seed": 3})))
    assert ACTION.before(wanted, {"route": "support"}, standing) == "temperature=1 by other leases, the rest as requested"
