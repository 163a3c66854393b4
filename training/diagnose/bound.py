"""Venn-Abers lower bound of the diagnosis: how often, at the least, diagnoses that were as sure have been right."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from holdfast.core.diagnosis import FAULT_LAYERS
from holdfast.diagnose.calibration import Calibration
from holdfast.diagnose.posterior import Model
from holdfast.diagnose.venn_abers import Steps, lower_bound, lower_steps
from training.diagnose.fit import SURE, weights
from training.diagnose.judged import Judged

FOLDS = 3


class Pair(NamedTuple):
    """How sure a diagnosis was, and whether it named the layer that was truly at fault."""

    confidence: float
    right: bool


def pairs(cases: Sequence[Judged], calibration: Calibration) -> list[Pair]:
    """A pair of each diagnosis. One of an incident that should not be there is never right."""
    model, found = Model(calibration), []
    for case in cases:
        told = case.layers(model)
        top = max(told, key=lambda layer: told[layer])
        found.append(Pair(told[top], top is case.layer and top in FAULT_LAYERS))
    return found


def steps_of(cases: Sequence[Judged], calibration: Calibration) -> Steps:
    """The table, each drill counted once."""
    told = pairs(cases, calibration)
    return lower_steps(np.array([t.confidence for t in told]), np.array([float(t.right) for t in told]), weights(cases))


def report(cases: Sequence[Judged], calibration: Calibration) -> str:
    """What the gate would have let pass, by confidence and by lower bound; tables of two thirds of the drills judge the rest."""
    drills = sorted({case.drill for case in cases})
    places = np.random.default_rng(1).permutation(len(drills)) % FOLDS
    fold = dict(zip(drills, places.tolist(), strict=True))
    plain, bound = list[bool](), list[bool]()
    for held in range(FOLDS):
        table = steps_of([case for case in cases if fold[case.drill] != held], calibration)
        for told in pairs([case for case in cases if fold[case.drill] == held], calibration):
            plain += [told.right] if told.confidence >= SURE else []
            bound += [told.right] if min(lower_bound(table, told.confidence), told.confidence) >= SURE else []
    return "\n".join(
        f"{name} >= {SURE}: {len(passed) / len(cases):.2f} of {len(cases)} diagnoses, "
        + (f"{sum(passed) / len(passed):.3f} right" if passed else "none to be right")
        for name, passed in (("confidence", plain), ("lower bound", bound))
    )
