"""Time of a diagnosis, as it is made when detectors raise it and later, over kept scores of drills.

    holdfast drill all --seed 3 --keep-scores FOLDER
    python -m bench.diagnose FOLDER

How good diagnoses are is in the scorecard: `holdfast drill all --from-scores FOLDER`.
"""

import sys
from pathlib import Path

import numpy as np

from training.diagnose.judged import judged

TARGET_S = 2.0
"""Of one core: an incident must not hold up the portions behind it."""


def main() -> None:
    """Diagnose every incident of the drills that are kept in a folder."""
    cases = judged(Path(sys.argv[1]), report_only=True)
    seconds = np.array([case.seconds for case in cases])
    rows = np.array([case.scores for case in cases])
    print(f"{len(cases)} diagnoses of {len({case.drill for case in cases})} drills, {np.median(rows):.0f} scores read (median)")
    print(
        f"seconds of one core: median {np.median(seconds):.2f}  p95 {np.quantile(seconds, 0.95):.2f}  worst {seconds.max():.2f}"
    )
    print(f"target: {TARGET_S} at worst")


if __name__ == "__main__":
    main()
