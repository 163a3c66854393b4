"""Venn-Abers lower bound of the diagnosis: how often, at the least, diagnoses that were as sure have been right."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from holdfast.core.diagnosis import FAULT_LAYERS
from holdfast.diagnose.calibration import Calibration
from holdfast.diagnose.posterior import Model
from holdfast.diagnose.venn_abers import Steps, lower_bound, lower_steps
from training.diagnose.fit import SURE, fit, weights
from training.diagnose.judged import Judged

JUDGED_IN = 3
FITTED_IN = 2
"""Parts that the drills are dealt into: to judge tables on drills that they were not made of, and calibrations likewise."""


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


def crossed(cases: Sequence[Judged]) -> list[Pair]:
    """As `pairs`, each under a calibration that was fitted on the other half of the drills."""
    part = _parts(cases, FITTED_IN)
    found: dict[int, Pair] = {}
    for held in range(FITTED_IN):
        calibration = fit([case for case, at in zip(cases, part, strict=True) if at != held])
        own = [number for number, at in enumerate(part) if at == held]
        found |= dict(zip(own, pairs([cases[number] for number in own], calibration), strict=True))
    return [found[number] for number in range(len(cases))]


def steps_of(told: Sequence[Pair], cases: Sequence[Judged]) -> Steps:
    """The table of these cases with what was `told` of each; each drill counts once."""
    return lower_steps(np.array([t.confidence for t in told]), np.array([float(t.right) for t in told]), weights(cases))


def report(told: Sequence[Pair], cases: Sequence[Judged]) -> str:
    """What the gate would have let pass, by confidence and by lower bound; tables of two thirds of the drills judge the rest."""
    part = _parts(cases, JUDGED_IN)
    plain, bound = list[bool](), list[bool]()
    for held in range(JUDGED_IN):
        others = [number for number, at in enumerate(part) if at != held]
        table = steps_of([told[number] for number in others], [cases[number] for number in others])
        for pair, at in zip(told, part, strict=True):
            if at == held:
                plain += [pair.right] if pair.confidence >= SURE else []
                bound += [pair.right] if min(lower_bound(table, pair.confidence), pair.confidence) >= SURE else []
    return "\n".join(
        f"{name} >= {SURE}: {len(passed) / len(cases):.2f} of {len(cases)} diagnoses, "
        + (f"{sum(passed) / len(passed):.3f} right" if passed else "none to be right")
        for name, passed in (("confidence", plain), ("lower bound", bound))
    )


def _parts(cases: Sequence[Judged], count: int) -> list[int]:
    """Which of `count` parts the drill of each case is dealt into."""
    drills = sorted({case.drill for case in cases})
    places = np.random.default_rng(1).permutation(len(drills)) % count
    part = dict(zip(drills, places.tolist(), strict=True))
    return [part[case.drill] for case in cases]
