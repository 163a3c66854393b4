"""Root-cause localisation on the public RobustSpot cases (shared/data/rca_multidim): exact F1 over cause sets.

    python -m bench.localise [FILE] [--verbose]

Each case is a table of counts per minute and attribute combination around an anomaly; the truth is one or more attribute sets.
The scan that the product runs on calls is run on these leaves: `value` bad ones of `cnt`, health learnt from the minutes before.
Only rows up to the anomaly's minute are used, as live. Published methods on the same files (reference figures): AutoRoot 0.26,
recursive Adtributor 0.10, Squeeze 0.04.
"""

import gzip
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.core.observations import Observations
from holdfast.diagnose.cohort import CohortScan, Target
from holdfast.diagnose.expectation import fit
from holdfast.diagnose.frame import Frame

DEFAULT = Path("../shared/data/rca_multidim/robustspot_rs.jsonl.gz")
STAND_IN = ("route", "model", "tool", "tenant", "region", "language")
"""Dimensions that the cases' columns are called meanwhile."""
MOST_CAUSES = 2
SECOND_SHARE = 0.35
"""A second cause is named when it scores at least this share of the first."""


def localise(case: dict[str, Any]) -> list[dict[str, str]]:
    """The causes that the scan names in one case."""
    columns = case["columns"]
    attributes = [c for c in columns if c not in ("min", "value", "cnt")]
    names = dict(zip(STAND_IN, attributes, strict=False))
    at = case["label_detail"]["anomaly_timestamp"]
    minute, bad, calls = (columns.index(c) for c in ("min", "value", "cnt"))
    rows = sorted((r for r in case["rows"] if int(r[minute]) <= at and float(r[calls]) > 0), key=lambda r: int(r[minute]))
    table = Observations.of(
        metric="bad",
        time_ns=np.array([int(r[minute]) for r in rows], dtype=np.int64),
        value=np.array([min(float(r[bad]) / float(r[calls]), 1.0) for r in rows]),
        trace_id=[str(i) for i in range(len(rows))],
        span_id=["" for _ in rows],
        dimensions=[{n: (str(r[columns.index(a)]),) for n, a in names.items()} for r in rows],
    )
    counts = np.array([float(r[calls]) for r in rows])
    frame = Frame({"bad": table}, at)
    before, since = ~frame.after, frame.after
    ones = np.array([frame.mask(c) for c in frame.conditions], dtype=np.float32).T
    health = fit(ones[before], table.value[before], counts[before])
    expected = np.maximum(health(ones) * counts, 1e-6)
    observed = table.value * counts
    noise = (observed[before] - expected[before]) ** 2 / expected[before]
    dispersion = max(float(np.average(noise, weights=expected[before])), 1.0)
    return peel(frame, Target("bad", np.flatnonzero(since), observed[since], expected[since], dispersion), names)


def peel(frame: Frame, target: Target, names: dict[str, str]) -> list[dict[str, str]]:
    """The best cause, and the best of what it leaves where that is nearly as good."""
    found: list[dict[str, str]] = []
    first = 0.0
    for _ in range(MOST_CAUSES):
        cohort = CohortScan(frame, [target], least_calls=1).run()
        if not cohort.conditions or cohort.score < SECOND_SHARE * first:
            break
        first = first or cohort.score
        found.append({names[d]: v for d, v in cohort.conditions.items()})
        left = ~frame.cohort(cohort.conditions)[target.call]
        target = Target(target.metric, target.call[left], target.observed[left], target.expected[left], target.dispersion)
    return found


def main() -> None:
    """Print F1 and time."""
    paths = [a for a in sys.argv[1:] if not a.startswith("-")]
    path = Path(paths[0]) if paths else DEFAULT
    with gzip.open(path, "rt") as lines:
        cases = [json.loads(line) for line in lines]
    hits = named = true = 0
    seconds = []
    for case in cases:
        started = time.perf_counter()
        found = {frozenset(c.items()) for c in localise(case)}
        seconds.append(time.perf_counter() - started)
        truth = {frozenset((k, str(v)) for k, v in c.items()) for c in case["label"]}
        hits, named, true = hits + len(found & truth), named + len(found), true + len(truth)
        if "--verbose" in sys.argv and found != truth:
            print(case["id"], "named", [dict(f) for f in found], "truth", case["label"])
    f1 = 2 * hits / (named + true)
    print(f"cases {len(cases)}  exact F1 {f1:.3f}  precision {hits / max(named, 1):.3f}  recall {hits / true:.3f}")
    print(f"seconds per case: median {np.median(seconds):.3f}  worst {max(seconds):.3f}")
    print("reference on these files: AutoRoot 0.26, recursive Adtributor 0.10, Squeeze 0.04")


if __name__ == "__main__":
    main()
