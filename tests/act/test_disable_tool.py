import pytest

from holdfast.act.disable_tool import DisableToolAction, DisableToolArguments
from holdfast.control.effects import DisableTool
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE, ROUTE
from tests.control.examples import lease, snapshot

ACTION = DisableToolAction()


def test_the_tool_is_named_as_the_application_offers_it() -> None:
    effect = ACTION.effect(DisableToolArguments(tool="refund"), ROUTE, EXAMPLE)
    assert effect == DisableTool(tool="refund")
    assert "refund" in ACTION.does(effect)


def test_no_tool_is_refused() -> None:
    with pytest.raises(InputError, match=r"arguments\.tool"):
        ACTION.effect(DisableToolArguments(tool=" "), ROUTE, EXAMPLE)


def test_it_says_whether_the_tool_is_disabled_already() -> None:
    wanted = DisableTool(tool="refund")
    assert ACTION.before(wanted, {"route": "support"}, EXAMPLE) == "refund may be called"
    assert "disabled" in ACTION.before(wanted, {"route": "support"}, snapshot(lease(wanted)))
