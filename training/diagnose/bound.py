"""Fits the lower bound of the diagnosis: `python -m training.diagnose.bound FOLDER [SEEDS] [CALLS] [--write]`.

The calibration cases are diagnoses of drills, decoys that alarmed included, with the shipped posterior: use seeds on which that
was not fitted. Each drill counts once, however often it was diagnosed. Of each third of the drills it is told what a table of
the other two thirds would have let pass.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

import holdfast.diagnose.calibration
from holdfast.diagnose.calibration import FILE, Calibration, shipped
from holdfast.diagnose.posterior import Model
from holdfast.diagnose.venn_abers import Steps, lower_bound, lower_steps
from training.diagnose.__main__ import judged, layers

GATE = 0.85
FOLDS = 3


class Pair(NamedTuple):
    """One diagnosis: how sure, whether it named the true layer, and of which drill."""

    confidence: float
    right: bool
    drill: str


def pairs(folder: Path, seeds: list[int], calls: int) -> list[Pair]:
    """Every diagnosis of the drills of these seeds."""
    model, found = Model(shipped()), []
    for case in judged(folder, seeds, calls):
        told = layers(model, case.found)
        top = max(told, key=lambda layer: told[layer])
        found.append(Pair(told[top], top is case.layer, f"{case.fault}/{case.found.incident.service}/{case.seed}"))
    return found


def steps_of(cases: list[Pair]) -> Steps:
    """The table, each drill counted once."""
    times = Counter(case.drill for case in cases)
    return lower_steps(
        np.array([case.confidence for case in cases]),
        np.array([float(case.right) for case in cases]),
        np.array([1 / times[case.drill] for case in cases]),
    )


def report(cases: list[Pair]) -> str:
    """What the gate would have let pass, by confidence and by its lower bound, out of sample by drill."""
    drills = sorted({case.drill for case in cases})
    fold = {
        drill: int(place) for drill, place in zip(drills, np.random.default_rng(1).permutation(len(drills)) % FOLDS, strict=True)
    }
    plain, bound = list[bool](), list[bool]()
    for held in range(FOLDS):
        table = steps_of([case for case in cases if fold[case.drill] != held])
        for case in (case for case in cases if fold[case.drill] == held):
            plain += [case.right] if case.confidence >= GATE else []
            bound += [case.right] if min(lower_bound(table, case.confidence), case.confidence) >= GATE else []
    lines = [f"{len(cases)} diagnoses of {len(drills)} drills, {sum(case.right for case in cases) / len(cases):.3f} right"]
    for name, passed in (("confidence", plain), ("lower bound", bound)):
        right = f"{sum(passed) / len(passed):.3f}" if passed else "-"
        lines.append(f"{name} >= {GATE}: {len(passed) / len(cases):.2f} of them, {right} right")
    return "\n".join(lines)


def main(folder: Path, seeds: list[int], calls: int, write: bool) -> None:
    """Print, and with `write` put the table into the shipped file."""
    cases = pairs(folder, seeds, calls)
    table = steps_of(cases)
    sys.stdout.write(report(cases) + f"\n{len(table)} steps, the bound reaches {GATE} at confidence ")
    sys.stdout.write(f"{next((score for score, low in table if low >= GATE), float('nan')):.3f}, {table[-1][1]:.3f} at most\n")
    if write:
        path = Path(holdfast.diagnose.calibration.__file__).with_name(FILE)
        told = f"{len(cases)} diagnoses of {len({case.drill for case in cases})} drills, seeds {seeds}"
        before: Calibration = shipped()
        after = msgspec.structs.replace(before, lower=table, provenance={**before.provenance, "lower_bound_from": told})
        partial = path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(after) + b"\n")
        partial.replace(path)


if __name__ == "__main__":
    plain_words = [a for a in sys.argv[1:] if not a.startswith("-")]
    main(
        Path(plain_words[0]),
        [int(s) for s in (plain_words[1] if len(plain_words) > 1 else "3").split(",")],
        int(plain_words[2]) if len(plain_words) > 2 else 2000,
        "--write" in sys.argv,
    )
