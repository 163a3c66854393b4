import pytest

from holdfast.act.quarantine_source import QuarantineSourceAction, QuarantineSourceArguments
from holdfast.control.effects import QuarantineSource
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE, ROUTE
from tests.control.examples import lease, snapshot

ACTION = QuarantineSourceAction()


def test_a_source_is_named_as_the_dimension_has_it() -> None:
    effect = ACTION.effect(QuarantineSourceArguments(source="wiki/FAQ ü"), ROUTE, EXAMPLE)
    assert effect == QuarantineSource(source="wiki/FAQ ü")
    assert "wiki/FAQ ü" in ACTION.does(effect)


@pytest.mark.parametrize("source", ["", "  "], ids=["empty", "blank"])
def test_no_source_is_refused(source: str) -> None:
    with pytest.raises(InputError, match=r"arguments\.source"):
        ACTION.effect(QuarantineSourceArguments(source=source), ROUTE, EXAMPLE)


def test_it_says_whether_the_source_is_in_quarantine_already() -> None:
    wanted = QuarantineSource(source="wiki")
    assert ACTION.before(wanted, {"route": "support"}, EXAMPLE) == "wiki may be retrieved from"
    assert "in quarantine" in ACTION.before(wanted, {"route": "support"}, snapshot(lease(wanted)))
