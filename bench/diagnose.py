"""Diagnosis on drills with text and real scorers: layer, fault, cohort, change, calibration and time, beside trivial rules.

    python -m bench.diagnose FOLDER [SEEDS] [CALLS]

FOLDER keeps scored drills between runs. Signals are what detectors would have said with the onset known to a few per cent, so
this measures the diagnosis alone; detection and diagnosis together are what `holdfast drill` measures. Report-only faults were
never fitted on. Each drill counts once, 100 harmed requests after onset.
"""

import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.diagnose.findings import Findings
from holdfast.diagnose.narrate import diagnosis
from holdfast.drills.faults.registry import FAULTS
from holdfast.score.registry import METRICS
from training.diagnose.cases import Case, cached, pose
from training.diagnose.scenarios import REPORT_ONLY, scenario

HARMED = 100
LEAST_STRUCK = 20
BOOTSTRAPS = 1000


@dataclass(frozen=True)
class Row:
    """One drill diagnosed."""

    fault: str
    layer: Layer
    ranked: tuple[Layer, ...]
    named: tuple[str, ...]
    confidence: float
    jaccard: float
    change: tuple[str, str, str]
    """True change, the one named, and the latest one before onset."""
    seconds: float


def judge(case: Case, diagnoser: Diagnoser) -> Row | None:
    """Diagnose one drill; None where too few requests were harmed or no metric moved enough to raise an alarm."""
    posed = pose(case, HARMED) if len(case.struck) >= LEAST_STRUCK else None
    if posed is None or case.layer is None:
        return None
    started = time.process_time()
    found = diagnoser.find(posed.incident, posed.telemetry, posed.now_ns)
    told = diagnosis(found, posed.now_ns)
    seconds = time.process_time() - started
    before = [c.id for c in case.changes if c.time_ns <= found.onset.time_ns + found.onset.error_ns]
    return Row(
        fault=case.fault,
        layer=case.layer,
        ranked=tuple(p.layer for p in told.layers),
        named=tuple(c.fault for c in told.causes),
        confidence=told.confidence,
        jaccard=jaccard(case, found),
        change=(case.change_id, told.causes[0].change_id, before[-1] if before else ""),
        seconds=seconds,
    )


def jaccard(case: Case, found: Findings) -> float:
    """Overlap of the traces of the true and of the named cohort since the true onset."""
    frame = found.frame
    late = frame.time_ns >= case.onset_ns
    true = {t for t, m in zip(frame.traces, frame.cohort(case.cohort) & late, strict=True) if m}
    named = {t for t, m in zip(frame.traces, found.inside & late, strict=True) if m}
    return len(true & named) / max(len(true | named), 1)


def interval(values: npt.NDArray[np.float64], faults: list[str]) -> str:
    """Mean with a 95 % interval from resampling whole faults."""
    random = np.random.default_rng(0)
    groups = [values[[f == name for f in faults]] for name in sorted(set(faults))]
    means = [np.concatenate([groups[i] for i in random.integers(0, len(groups), len(groups))]).mean() for _ in range(BOOTSTRAPS)]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def table(title: str, rows: list[Row]) -> None:
    """Print the measures of some drills."""
    if not rows:
        return
    faults = [r.fault for r in rows]
    right = np.array([r.ranked[0] is r.layer for r in rows], dtype=np.float64)
    sure = np.array([r.confidence for r in rows])
    caused = [r for r in rows if r.change[0]]
    print(f"\n{title}: {len(rows)} drills of {len(set(faults))} faults")
    print("  layer top-1        ", interval(right, faults))
    print("  layer top-3        ", interval(np.array([float(r.layer in r.ranked[:3]) for r in rows]), faults))
    print("  fault top-1        ", interval(np.array([float(r.named[0] == r.fault) for r in rows]), faults))
    print("  fault top-3        ", interval(np.array([float(r.fault in r.named[:3]) for r in rows]), faults))
    print("  cohort Jaccard     ", interval(np.array([r.jaccard for r in rows]), faults))
    print(
        "  change named       ",
        interval(np.array([float(r.change[0] == r.change[1]) for r in caused]), [r.fault for r in caused]),
    )
    print("  changes blamed wrongly where there was none ", sum(bool(r.change[1]) for r in rows if not r.change[0]))
    bins = np.array_split(np.argsort(sure), 10)
    ece = sum(abs(sure[b].mean() - right[b].mean()) * b.size for b in bins if b.size) / sure.size
    print(f"  confidence {sure.mean():.3f}  Brier {np.mean((sure - right) ** 2):.3f}  ECE {ece:.3f} (10 bins of equal mass)")
    confident = sure >= 0.85
    if confident.any():
        print(f"  at 0.85 or more: share {confident.mean():.2f}, right {right[confident].mean():.3f}")
    majority = Counter(r.layer for r in rows).most_common(1)[0][1] / len(rows)
    latest = np.mean([r.change[0] == r.change[2] for r in caused])
    print(f"  trivial rules: commonest layer {majority:.3f}; latest change is the guilty one {latest:.3f}")
    print(f"  seconds of one core: median {np.median([r.seconds for r in rows]):.2f}  worst {max(r.seconds for r in rows):.2f}")
    wrong = Counter(f"{r.fault}→{r.ranked[0].value}" for r in rows if r.ranked[0] is not r.layer)
    print("  wrong layers:", ", ".join(f"{name} x{n}" for name, n in wrong.most_common()) or "none")


def main() -> None:
    """Diagnose every fault with every seed."""
    folder = Path(sys.argv[1])
    seeds = [int(s) for s in (sys.argv[2] if len(sys.argv) > 2 else "3").split(",")]
    calls = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
    diagnoser = Diagnoser(METRICS)
    rows, quiet = [], []
    for seed in seeds:
        for name in FAULTS:
            row = judge(cached(scenario(name, seed, calls), folder), diagnoser)
            if row is None:
                quiet.append(name)
            else:
                rows.append(row)
    print(f"left out, no alarm or fewer than {LEAST_STRUCK} harmed requests: {', '.join(quiet) or 'none'}")
    table("development faults", [r for r in rows if r.fault not in REPORT_ONLY])
    table("report-only faults", [r for r in rows if r.fault in REPORT_ONLY])
    table("all", rows)


if __name__ == "__main__":
    main()
