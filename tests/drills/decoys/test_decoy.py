import pytest

from holdfast.drills.application import load_application
from holdfast.drills.decoys.decoy import Decoy, Delivery, no_changes
from holdfast.drills.decoys.registry import DECOYS


@pytest.mark.parametrize("decoy", DECOYS.values(), ids=lambda d: d.name)
def test_a_decoy_differs_from_healthy_traffic_in_something(decoy: Decoy) -> None:
    plain = Decoy(name=decoy.name, title=decoy.title)
    assert decoy != plain
    assert decoy.title


def test_a_plain_decoy_changes_nothing() -> None:
    assert no_changes(load_application("support"), 1) == ()
    assert Delivery() == Delivery(late=0, duplicate=0, missing=0)
