"""Plays and scores the drills once, into a folder: `python -m training.diagnose.prepare FOLDER [SEEDS] [CALLS]`."""

import sys
from pathlib import Path

from holdfast.drills.decoys.registry import DECOYS
from holdfast.drills.faults.registry import FAULTS
from training.diagnose.cases import cached
from training.diagnose.scenarios import scenario


def main(folder: Path, seeds: list[int], calls: int) -> None:
    """Every fault and decoy with every seed; what is there already is kept."""
    for seed in seeds:
        for name in (*FAULTS, *DECOYS):
            case = cached(scenario(name, seed, calls), folder)
            sys.stderr.write(f"{name} {seed}: {len(case.struck)} struck\n")


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        [int(s) for s in (sys.argv[2] if len(sys.argv) > 2 else "1").split(",")],
        int(sys.argv[3]) if len(sys.argv) > 3 else 2500,
    )
