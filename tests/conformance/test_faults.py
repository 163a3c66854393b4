"""Every fault has one name and one layer, whoever speaks of it: catalogue of the diagnosis and drills."""

import pytest

from holdfast.diagnose.calibration import shipped
from holdfast.diagnose.catalogue.hypothesis import Hypothesis
from holdfast.diagnose.catalogue.registry import FAULTS
from holdfast.diagnose.evidence.composite import Reading
from holdfast.diagnose.evidence.registry import COMPOSITE_NAMES, GROUPS
from holdfast.diagnose.moves import Step
from holdfast.diagnose.posterior import CHANGE_KINDS, COHORT_DIMENSIONS, Model
from holdfast.drills.faults.registry import FAULTS as DRILLS

MODEL = Model(shipped())
STEP = {"++": Step.SURGE, "+": Step.RISE, "--": Step.FALL, "-": Step.DIP, "harm": Step.SURGE}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda h: h.fault)
def test_a_drill_of_the_same_name_has_the_same_layer(fault: Hypothesis) -> None:
    assert DRILLS[fault.fault].layer is fault.layer


def test_the_diagnosis_knows_every_fault_that_can_be_drilled() -> None:
    assert set(DRILLS) == {h.fault for h in FAULTS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda h: h.fault)
def test_cohorts_and_changes_are_named_as_elsewhere(fault: Hypothesis) -> None:
    assert set(fault.cohort_weights) <= set(COHORT_DIMENSIONS)
    assert set(fault.change_weights) <= set(CHANGE_KINDS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda h: h.fault)
def test_its_own_signature_puts_its_layer_first(fault: Hypothesis) -> None:
    readings: dict[str, list[Reading]] = {}
    for group, composites in GROUPS.items():
        for composite in composites:
            step = STEP.get(fault.code(composite.name), Step.FLAT)
            readings.setdefault(group, []).append(Reading(composite.name, step, ""))
    dimension = max(fault.cohort_weights, key=lambda d: fault.cohort_weights[d])
    posterior = MODEL.posterior(readings, {dimension: 1.0}, [])
    assert max(posterior.layers, key=posterior.of_layer) is fault.layer
    assert len(COMPOSITE_NAMES) == sum(len(r) for r in readings.values())
