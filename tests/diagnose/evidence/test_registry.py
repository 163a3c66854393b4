"""Composites have one name each, and those that cannot say are left out."""

from holdfast.diagnose.evidence.registry import COMPOSITE_NAMES, GROUPS, read_all
from tests.diagnose.evidence.scenes import scene
from tests.diagnose.incidents import Shop


def test_names_are_unique_over_all_groups() -> None:
    assert len(set(COMPOSITE_NAMES)) == len(COMPOSITE_NAMES)


def test_every_reading_belongs_to_its_group_and_absent_metrics_yield_none() -> None:
    found = read_all(scene(Shop()))
    for group, readings in found.items():
        assert {r.name for r in readings} <= {c.name for c in GROUPS[group]}
    assert "prompt_leak" not in {r.name for r in found["prompt"]}
