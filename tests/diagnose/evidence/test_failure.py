"""Whether what raised the alarm is there at all."""

from dataclasses import replace

from holdfast.diagnose.evidence.composite import Reading
from holdfast.diagnose.evidence.failure import COMPOSITES
from holdfast.diagnose.moves import Step
from tests.diagnose.evidence.scenes import scene
from tests.diagnose.incidents import Shop


def read(shop: Shop, *failing: str) -> Reading | None:
    return COMPOSITES[0].read(replace(scene(shop), failing=failing))


def test_a_plain_failure_is_a_surge_and_an_alarm_without_one_is_flat() -> None:
    broken, calm = read(Shop().break_(["refusal"]), "refusal"), read(Shop(), "refusal")
    assert broken is not None
    assert broken.step is Step.SURGE
    assert calm is not None
    assert calm.step is Step.FLAT
    assert "chance" in calm.text


def test_one_of_several_failing_metrics_is_enough() -> None:
    found = read(Shop().break_(["truncation"]), "refusal", "truncation")
    assert found is not None
    assert found.step is Step.SURGE
    assert "truncation" in found.text


def test_without_the_failing_metric_nothing_is_said() -> None:
    assert read(Shop()) is None
    assert read(Shop(), "no_such_metric") is None
