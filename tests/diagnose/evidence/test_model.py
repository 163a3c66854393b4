"""The group model sees its own failures and stays calm at others'."""

from holdfast.diagnose.evidence.model import COMPOSITES
from holdfast.diagnose.moves import Step
from tests.diagnose.evidence.scenes import scene
from tests.diagnose.incidents import Shop


def test_its_failure_is_read_and_the_rest_of_the_group_is_flat_or_silent() -> None:
    seen = scene(Shop().break_(["truncation"]))
    steps = {c.name: r.step for c in COMPOSITES if (r := c.read(seen)) is not None}
    assert steps["truncation"] is Step.SURGE
    assert steps["cost"] is Step.FLAT


def test_in_health_nothing_moves() -> None:
    seen = scene(Shop())
    assert {r.step for c in COMPOSITES if (r := c.read(seen)) is not None} == {Step.FLAT}
