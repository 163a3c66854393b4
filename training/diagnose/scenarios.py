"""Which drills to fit on and which ones only to report on."""

import numpy as np

from holdfast.drills.decoys.registry import DECOYS
from holdfast.drills.faults.registry import FAULTS, REPORT_ONLY
from holdfast.drills.scenario import Scenario

__all__ = ["REPORT_ONLY", "scenario"]


def scenario(name: str, seed: int, calls: int) -> Scenario:
    """A drill of a fault or decoy with random severity, delay, hours and time."""
    random = np.random.default_rng([seed, *name.encode()])
    return Scenario(
        fault=name if name in FAULTS else "",
        decoy=name if name in DECOYS else "",
        seed=seed,
        calls=calls,
        hours=float(random.uniform(6, 24)),
        fault_at=float(random.uniform(0.5, 0.65)),
        severity=float(random.uniform(0.4, 1.0)),
        delay_s=float(random.choice([10, 60, 600, 3600], p=[0.3, 0.4, 0.2, 0.1])),
        rollout=float(random.choice([1.0, 0.5], p=[0.8, 0.2])),
    )
