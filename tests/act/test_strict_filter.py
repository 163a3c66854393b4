import msgspec
import pytest

from holdfast.act.strict_filter import StrictFilter, StrictFilterArguments
from holdfast.control.effects import EnforceGuards
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE, ROUTE
from tests.control.examples import lease, snapshot

ACTION = StrictFilter()
replace = msgspec.structs.replace


def test_without_names_it_is_every_guard_in_scope_that_only_watches() -> None:
    effect = ACTION.effect(StrictFilterArguments(), ROUTE, EXAMPLE)
    assert effect == EnforceGuards(guards=("injection",))
    assert ACTION.does(effect) == "the guards injection are enforced at their own thresholds"


def test_an_enforced_guard_may_be_named_to_make_it_stricter() -> None:
    effect = ACTION.effect(StrictFilterArguments(guards=("pii",), threshold=0.2), ROUTE, EXAMPLE)
    assert effect == EnforceGuards(guards=("pii",), threshold=0.2)
    assert "0.2" in ACTION.does(effect)
    assert ACTION.before(effect, {"route": "support"}, EXAMPLE) == "pii enforce at 0.7"
    standing = snapshot(lease(EnforceGuards(guards=("pii",), threshold=0.5)))
    assert ACTION.before(effect, {"route": "support"}, standing) == "pii enforced at 0.5 by a lease"


@pytest.mark.parametrize(
    "arguments",
    [
        StrictFilterArguments(guards=("gone",)),
        StrictFilterArguments(guards=("pii",), threshold=1.5),
        StrictFilterArguments(guards=("pii",), threshold=-0.1),
    ],
    ids=["unknown", "above", "below"],
)
def test_what_makes_no_sense_is_refused(arguments: StrictFilterArguments) -> None:
    with pytest.raises(InputError, match=r"arguments\."):
        ACTION.effect(arguments, ROUTE, EXAMPLE)


def test_nothing_left_to_enforce_is_told() -> None:
    only_enforced = replace(EXAMPLE, desired=replace(EXAMPLE.desired, guards=EXAMPLE.desired.guards[1:]))
    with pytest.raises(InputError, match="enforced already"):
        ACTION.effect(StrictFilterArguments(), ROUTE, only_enforced)
