"""Fits the shipped calibration on drills: `python -m training.diagnose FOLDER [SEEDS] [CALLS] [--write]`.

FOLDER keeps the scored drills (see `prepare`). Temperature and exponents of the groups minimise the log loss of the layer over
development faults. Report-only faults (`scenarios.REPORT_ONLY`) are never fitted on.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

import holdfast.diagnose.calibration
from holdfast.core.diagnosis import FAULT_LAYERS, Layer
from holdfast.diagnose.calibration import FILE, Calibration, shipped
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.diagnose.evidence.registry import GROUPS
from holdfast.diagnose.findings import Findings
from holdfast.diagnose.posterior import Model
from holdfast.drills.decoys.registry import DECOYS
from holdfast.drills.faults.registry import FAULTS
from holdfast.score.registry import METRICS
from training.diagnose.cases import cached, pose
from training.diagnose.scenarios import REPORT_ONLY, scenario

HARMED = (40, 100, 200)
"""Each drill is diagnosed after so many harmed requests."""
CAUTION = 1.15
"""The temperature is fitted on one generator; other applications differ from it more than its seeds do from each other."""
TEMPERATURES = (0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.6)
EXPONENTS = (0.55, 0.7, 0.85, 1.0)


@dataclass(frozen=True)
class Judged:
    """One diagnosis with what it should have said."""

    fault: str
    layer: Layer
    seed: int
    found: Findings

    @property
    def reported_only(self) -> bool:
        """Whether nothing may be fitted on it."""
        return self.fault in REPORT_ONLY


def judged(folder: Path, seeds: list[int], calls: int) -> list[Judged]:
    """Every drill that raises an alarm, diagnosed after some, more and many harmed requests."""
    diagnoser = Diagnoser(METRICS)
    found = []
    for seed in seeds:
        for name in (*FAULTS, *DECOYS):
            case = cached(scenario(name, seed, calls), folder)
            for harmed in HARMED if case.layer else HARMED[:1]:
                posed = pose(case, harmed)
                if posed is not None and (case.layer is None or len(case.struck) >= harmed // 2):
                    findings = diagnoser.find(posed.incident, posed.telemetry, posed.now_ns)
                    found.append(Judged(case.fault or "benign", case.layer or Layer.BENIGN, seed, findings))
    return found


def layers(model: Model, found: Findings) -> dict[Layer, float]:
    """Layer probabilities of findings under another calibration."""
    posterior = model.posterior(found.readings, found.dimensions, found.suspects)
    return {layer: posterior.of_layer(layer) for layer in Layer}


def loss(cases: list[Judged], calibration: Calibration) -> float:
    """Mean negative log probability of the true layer."""
    model = Model(calibration)
    return float(np.mean([-np.log(max(layers(model, c.found)[c.layer], 1e-6)) for c in cases]))


def fit(cases: list[Judged]) -> Calibration:
    """Temperature and exponents that lose least on the development faults."""
    own = [c for c in cases if not c.reported_only and c.layer is not Layer.BENIGN]
    options = [
        Calibration(temperature=t, exponents={**dict.fromkeys(GROUPS, e), "failure": 1.0, "cohort": around, "change": around})
        for t in TEMPERATURES
        for e in EXPONENTS
        for around in EXPONENTS
    ]
    losses = [loss(own, option) for option in options]
    best = options[int(np.argmin(losses))]
    used, seeds = len(own), sorted({c.seed for c in cases})
    return msgspec.structs.replace(
        best,
        temperature=round(best.temperature * CAUTION, 3),
        provenance={
            "fitted_on": f"{used} diagnoses of drills, seeds {seeds}",
            "never_fitted_on": ", ".join(REPORT_ONLY),
            "log_loss": f"{min(losses):.3f} at temperature {best.temperature:.2f}, shipped with {CAUTION} times that",
        },
    )


def ece(confidence: npt.NDArray[np.float64], right: npt.NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error over bins of equal mass."""
    order = np.array_split(np.argsort(confidence), bins)
    return float(sum(abs(confidence[b].mean() - right[b].mean()) * b.size for b in order if b.size) / confidence.size)


def report(name: str, cases: list[Judged], model: Model) -> str:
    """One line: top-1, top-3, confidence, calibration error and the confident part."""
    if not cases:
        return f"{name}: no cases"
    told = [layers(model, c.found) for c in cases]
    ranked = [[layer for _, layer in sorted(((-p, layer) for layer, p in t.items()))] for t in told]
    right = np.array([r[0] is c.layer for r, c in zip(ranked, cases, strict=True)], dtype=np.float64)
    top3 = np.mean([c.layer in r[:3] for r, c in zip(ranked, cases, strict=True)])
    sure = np.array([max(t.values()) for t in told])
    confident = sure >= 0.85
    precision = right[confident].mean() if confident.any() else float("nan")
    return (
        f"{name}: n {len(cases)}  layer top-1 {right.mean():.3f}  top-3 {top3:.3f}  mean confidence {sure.mean():.3f}"
        f"  ECE {ece(sure, right):.3f}  share at 0.85 {confident.mean():.2f}  precision there {precision:.3f}"
    )


def main(folder: Path, seeds: list[int], calls: int, write: bool) -> None:
    """Fit, print, and with `write` replace the shipped file."""
    cases = judged(folder, seeds, calls)
    fitted = fit(cases)
    faults = [c for c in cases if c.layer in FAULT_LAYERS]
    for title, calibration in (("shipped", shipped()), ("fitted", fitted)):
        model = Model(calibration)
        sys.stdout.write(f"== {title}, temperature {calibration.temperature}\n")
        sys.stdout.write(report("development faults", [c for c in faults if not c.reported_only], model) + "\n")
        sys.stdout.write(report("report-only faults", [c for c in faults if c.reported_only], model) + "\n")
        sys.stdout.write(report("decoys that alarmed", [c for c in cases if c.layer is Layer.BENIGN], model) + "\n")
    for case in faults:
        told = layers(Model(fitted), case.found)
        top = max(told, key=lambda layer: told[layer])
        if top is not case.layer:
            sys.stdout.write(f"  wrong: {case.fault} (seed {case.seed}) {top} {told[top]:.2f}, truth {told[case.layer]:.2f}\n")
    if write:
        path = Path(holdfast.diagnose.calibration.__file__).with_name(FILE)
        partial = path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(fitted) + b"\n")
        partial.replace(path)


if __name__ == "__main__":
    plain = [a for a in sys.argv[1:] if not a.startswith("-")]
    main(
        Path(plain[0]),
        [int(s) for s in (plain[1] if len(plain) > 1 else "1,2").split(",")],
        int(plain[2]) if len(plain) > 2 else 2000,
        "--write" in sys.argv,
    )
