"""Which drill a name and a seed stand for: application, strength, ramp, roll-out, delay, time and amount of traffic."""

from collections.abc import Iterable
from typing import TypeVar

import numpy as np

from holdfast.core.errors import NotFoundError
from holdfast.drills.application import APPLICATIONS
from holdfast.drills.decoys.registry import DECOYS
from holdfast.drills.faults.registry import FAULTS
from holdfast.drills.injection import Ramp
from holdfast.drills.scenario import Scenario

_T = TypeVar("_T")

HEALTHY = "healthy"
ALL = "all"
HEALTHY_DRILLS = 6
"""Healthy drills of a full sweep, each with a seed of its own."""

RAMPS = ((Ramp.STEP, 0.6), (Ramp.LINEAR, 0.25), (Ramp.FLAPPING, 0.15))
ROLLOUTS = ((1.0, 0.7), (0.5, 0.2), (0.25, 0.1))
DELAYS_S = ((10.0, 0.3), (60.0, 0.4), (600.0, 0.2), (3600.0, 0.1))
LONGEST_DELAY = 0.25
"""Harm begins within this share of what is left of the period, so that there is something to find."""


def scenario(name: str, seed: int, calls: int | None = None) -> Scenario:
    """The drill `name` with this seed: always the same. `calls` requests, else 2,000 to 4,000.

    Raises:
        NotFoundError: there is no fault or decoy of that name.
    """
    if name != HEALTHY and name not in FAULTS and name not in DECOYS:
        raise NotFoundError(f"no drill {name!r}; there are {HEALTHY}, {', '.join((*FAULTS, *DECOYS))}")
    random = np.random.default_rng([seed, *name.encode()])
    hours, fault_at = float(random.uniform(6, 24)), float(random.uniform(0.45, 0.7))
    requests = int(random.integers(2000, 4001))
    delay_s = _one_of(DELAYS_S, random)
    return Scenario(
        application=APPLICATIONS[int(random.integers(len(APPLICATIONS)))],
        fault=name if name in FAULTS else "",
        decoy=name if name in DECOYS else "",
        seed=seed,
        hours=hours,
        calls=calls or requests,
        fault_at=fault_at,
        severity=float(random.uniform(0.15, 1.0)),
        ramp=_one_of(RAMPS, random),
        rollout=_one_of(ROLLOUTS, random),
        delay_s=min(delay_s, LONGEST_DELAY * (1 - fault_at) * hours * 3600),
    )


def scenarios(names: Iterable[str], seeds: Iterable[int], calls: int | None = None) -> list[Scenario]:
    """The drills of these names, once with each seed; `all` are all faults, all decoys and some healthy ones.

    Raises:
        NotFoundError: there is no fault or decoy of that name.
    """
    chosen = [each for name in names for each in _spelled_out(name)]
    return [scenario(name, seed + 1000 * number, calls) for seed in seeds for name, number in dict.fromkeys(chosen)]


def _spelled_out(name: str) -> list[tuple[str, int]]:
    if name != ALL:
        return [(name, 0)]
    return [(each, 0) for each in (*FAULTS, *DECOYS)] + [(HEALTHY, number) for number in range(HEALTHY_DRILLS)]


def _one_of(options: tuple[tuple[_T, float], ...], random: np.random.Generator) -> _T:
    chosen: int = random.choice(len(options), p=[weight for _, weight in options])
    return options[chosen][0]
