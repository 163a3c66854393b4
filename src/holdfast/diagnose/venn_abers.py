"""Venn–Abers lower bounds: how often diagnoses that were so sure have been right, at the least.

The inductive Venn–Abers predictor (Vovk & Petej 2014, "Venn–Abers predictors", UAI; inductive form: Lambrou et al. 2015) fits
isotonic regression to calibration cases and the new one, once as if the new one were wrong and once as if it were right. The
first fit at the new case is p0. Where new cases come like those of the calibration, the interval from p0 to p1 holds a perfectly
calibrated probability, whatever the score means; p0 is what may be relied upon.
"""

from bisect import bisect_right
from collections.abc import Sequence
from importlib import import_module

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Steps = tuple[tuple[float, float], ...]
"""(score, p0) at each score from which on p0 is larger: both rise strictly."""

DIGITS = 2
"""Of p0 in a table: what comes after is noise, and steps take room."""
FINE = 4
"""Digits of the scores."""


def lower_steps(score: Floats, right: Floats, weight: Floats) -> Steps:
    """p0 as a function of the score.

    Args:
        score: of N calibration cases, in [0, 1].
        right: 1 where the case was right, else 0 (N).
        weight: of each case (N, above 0); the new one has weight 1. Cases that are one story told thrice weigh a third each.
    """
    # Imported here: a diagnosis only looks a bound up, and the library takes a tenth of the time in which a command starts.
    isotonic_regression = import_module("scipy.optimize").isotonic_regression
    levels, at = np.unique(np.asarray(score, np.float64), return_inverse=True)
    mass = np.bincount(at, weights=weight, minlength=len(levels))
    good = np.bincount(at, weights=np.asarray(right, np.float64) * weight, minlength=len(levels))
    steps: list[tuple[float, float]] = []
    for place, level in enumerate(levels.tolist()):
        heavier = mass.copy()
        heavier[place] += 1.0
        p0 = float(isotonic_regression(good / heavier, weights=heavier).x[place])
        # Down, never up: it is a lower bound.
        p0 = float(np.floor(p0 * 10**DIGITS) / 10**DIGITS)
        if p0 > (steps[-1][1] if steps else 0.0):
            steps.append((float(np.ceil(level * 10**FINE) / 10**FINE), p0))
    return tuple(steps)


def lower_bound(steps: Sequence[tuple[float, float]], score: float) -> float:
    """p0 of a score; 0 below all that was seen, and without a table."""
    place = bisect_right(steps, score, key=lambda step: step[0])
    return steps[place - 1][1] if place else 0.0
