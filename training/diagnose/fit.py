"""Temperature and exponents of the posterior, fitted on diagnoses of drills."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.diagnosis import FAULT_LAYERS
from holdfast.diagnose.calibration import Calibration
from holdfast.diagnose.evidence.registry import GROUPS
from holdfast.diagnose.posterior import Model
from holdfast.drills.statistics import calibration_error, reliability
from training.diagnose.judged import Judged

CAUTION = 1.15
"""The temperature is fitted on one generator; other applications differ from it more than its seeds do from each other."""
TEMPERATURES = (0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5)
EXPONENTS = (0.4, 0.55, 0.7, 0.85, 1.0)
SURE = 0.85
LEAST = 1e-6

Floats = npt.NDArray[np.float64]


def weights(cases: Sequence[Judged]) -> Floats:
    """Each drill counts once, however often it was diagnosed."""
    times = Counter(case.drill for case in cases)
    return np.array([1 / times[case.drill] for case in cases])


def fit(cases: Sequence[Judged]) -> Calibration:
    """The temperature and exponents under which the true layers are most probable, with caution."""
    options = [
        Calibration(temperature=t, exponents={**dict.fromkeys(GROUPS, e), "failure": 1.0, "cohort": around, "change": around})
        for t in TEMPERATURES
        for e in EXPONENTS
        for around in EXPONENTS
    ]
    losses = [loss(cases, option) for option in options]
    best = options[int(np.argmin(losses))]
    return msgspec.structs.replace(
        best,
        temperature=round(best.temperature * CAUTION, 3),
        provenance={"log_loss": f"{min(losses):.3f} at temperature {best.temperature:.2f}, shipped with {CAUTION} times that"},
    )


def loss(cases: Sequence[Judged], calibration: Calibration) -> float:
    """Mean negative log probability of the true layer, nats."""
    model = Model(calibration)
    return float(np.average([-np.log(max(c.layers(model)[c.layer], LEAST)) for c in cases], weights=weights(cases)))


def report(name: str, cases: Sequence[Judged], calibration: Calibration) -> str:
    """One line: top-1, top-3, confidence, calibration error and the sure part. False incidents are counted as wrong."""
    if not cases:
        return f"{name}: none"
    model, weight = Model(calibration), weights(cases)
    told = [sorted(c.layers(model).items(), key=lambda item: -item[1]) for c in cases]
    right = np.array([t[0][0] is c.layer and c.layer in FAULT_LAYERS for t, c in zip(told, cases, strict=True)])
    third = [c.layer in [layer for layer, _ in t[:3]] for t, c in zip(told, cases, strict=True)]
    sure = np.array([t[0][1] for t in told])
    certain = sure >= SURE
    there = f"{np.average(right[certain], weights=weight[certain]):.3f}" if certain.any() else "-"
    error = calibration_error(reliability(sure.tolist(), right.tolist()))
    return (
        f"{name}: {len(cases)} diagnoses of {len(set(c.drill for c in cases))} drills"
        f"  layer {np.average(right, weights=weight):.3f}  top-3 {np.average(third, weights=weight):.3f}"
        f"  confidence {np.average(sure, weights=weight):.3f}  ECE {error:.3f}"
        f"  at {SURE}: {np.average(certain, weights=weight):.2f} of them, {there} right"
    )
