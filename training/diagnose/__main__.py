"""Fits the shipped calibration of the diagnosis on kept scores of drills.

    holdfast drill all --seed 3 --calls 2000 --keep-scores FITTING
    holdfast drill all --seed 4 --calls 2000 --keep-scores BOUNDING
    python -m training.diagnose FITTING [BOUNDING] [--write]

Everything is diagnosed as it is in the product, when detectors raise it and later. Temperature and exponents are fitted on the
drills of the first folder, the lower bound on those of the second, and neither on report-only faults; false incidents are among
both. Without a second folder the bound comes from the first one, each drill told with what was fitted on the other half of them.
A scorecard must be of other seeds than these.
"""

import argparse
import sys
from pathlib import Path

import msgspec

import holdfast.diagnose.calibration
from holdfast.diagnose.calibration import FILE, Calibration, shipped
from holdfast.drills.faults.registry import REPORT_ONLY
from training.diagnose import bound
from training.diagnose.fit import fit, report
from training.diagnose.judged import Judged, judged


def main(arguments: list[str]) -> None:
    """Fit and print; with `--write` replace the shipped file."""
    parser = argparse.ArgumentParser(prog="python -m training.diagnose")
    parser.add_argument("fitting", type=Path)
    parser.add_argument("bounding", type=Path, nargs="?")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    fitting, held = judged(given.fitting), judged(given.bounding) if given.bounding else []
    if {c.drill for c in fitting} & {c.drill for c in held}:
        parser.error("a drill cannot be in both parts")
    fitted = fit(fitting)
    told = bound.pairs(held, fitted) if held else bound.crossed(fitting)
    table = bound.steps_of(told, held or fitting)
    for title, calibration in (("shipped", shipped()), ("fitted", fitted)):
        sys.stdout.write(f"{title}: temperature {calibration.temperature}, exponents {calibration.exponents}\n")
        for name, cases in (("fitted on", fitting), ("held out", held)):
            sys.stdout.write(f"  {report(name, cases, calibration)}\n")
    sys.stdout.write(bound.report(told, held or fitting) + f"\nthe bound is {table[-1][1] if table else 0:.2f} at most\n")
    if given.write:
        write(msgspec.structs.replace(fitted, lower=table, provenance=fitted.provenance | _provenance(fitting, held)))


def _provenance(fitting: list[Judged], held: list[Judged]) -> dict[str, str]:
    bounded = _told(held) if held else "the same, each told with what was fitted on the other half of the drills"
    return {"fitted_on": _told(fitting), "lower_bound_from": bounded, "never_fitted_on": ", ".join(REPORT_ONLY)}


def _told(cases: list[Judged]) -> str:
    seeds = ", ".join(sorted({case.seed for case in cases}, key=int))
    return f"{len(cases)} diagnoses of {len({case.drill for case in cases})} drills, seeds {seeds}"


def write(calibration: Calibration) -> None:
    """Put it where the package has it."""
    path = Path(holdfast.diagnose.calibration.__file__).with_name(FILE)
    partial = path.with_suffix(".partial")
    partial.write_bytes(msgspec.json.encode(calibration) + b"\n")
    partial.replace(path)


if __name__ == "__main__":
    main(sys.argv[1:])
