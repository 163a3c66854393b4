"""Diagnoses as they are made: kept scores of drills go through the product, and each diagnosis is set beside the truth."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.diagnosis import Layer
from holdfast.core.incident import Incident
from holdfast.core.observations import Telemetry
from holdfast.diagnose.changes import Suspect
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.diagnose.evidence.composite import Reading
from holdfast.diagnose.findings import Findings
from holdfast.diagnose.posterior import Model
from holdfast.drilling import drill_from_scores
from holdfast.drills.faults.registry import REPORT_ONLY
from holdfast.drills.kept import scenario_of
from holdfast.drills.outcome import UNSEEN, truth_of
from holdfast.drills.scenario import Scenario
from holdfast.score.registry import METRICS
from holdfast.settings import Settings


@dataclass(frozen=True)
class Judged:
    """One diagnosis: what the posterior was made of, and the truth.

    `drill` names drill and fault: what counts once. `layer` is `benign` for an incident that should not be there. `scores` were
    read for it in `seconds` of one core.
    """

    drill: str
    fault: str
    layer: Layer
    readings: Mapping[str, Sequence[Reading]]
    dimensions: Mapping[str, float]
    suspects: Sequence[Suspect]
    scores: int
    seconds: float

    @property
    def seed(self) -> str:
        """Seed of the drill."""
        return self.drill.split("/")[1]

    def layers(self, model: Model) -> dict[Layer, float]:
        """Layer probabilities under a calibration."""
        posterior = model.posterior(self.readings, self.dimensions, self.suspects)
        return {layer: posterior.of_layer(layer) for layer in Layer}


class _Noting(Diagnoser):
    """The usual diagnoser, which notes the findings of each incident and what they took."""

    def __init__(self) -> None:
        super().__init__(METRICS)
        self.noted: list[tuple[Findings, float]] = []

    def find(self, incident: Incident, telemetry: Telemetry, now_ns: int) -> Findings:
        """As `Diagnoser.find`."""
        started = time.process_time()
        found = super().find(incident, telemetry, now_ns)
        self.noted.append((found, time.process_time() - started))
        return found


def judged(folder: Path, report_only: bool = False) -> list[Judged]:
    """Every diagnosis of the drills whose scores are kept in the folder.

    Drills of report-only faults are left out, whole, unless they are asked for: nothing may be fitted on them.

    Raises:
        InputError: as `drilling.drill_from_scores`.
    """
    kept = sorted(folder.glob("*.scores"))
    chosen = [s for s in map(scenario_of, kept) if report_only or s.fault not in REPORT_ONLY]
    return [case for scenario in chosen for case in _of_drill(folder, scenario)]


def _of_drill(folder: Path, scenario: Scenario) -> list[Judged]:
    noting = _Noting()
    drilled = drill_from_scores(scenario, Settings(), folder, noting)
    incidents = {i.id: i for i in drilled.incidents if i.state not in UNSEEN}
    found = []
    for findings, seconds in noting.noted:
        incident = incidents.get(findings.incident.id)
        if incident is None:
            continue
        truth = truth_of(incident, drilled)
        fault = truth.fault.name if truth else ""
        found.append(
            Judged(
                drill=f"{scenario.fault or scenario.decoy or 'healthy'}/{scenario.seed}/{fault}",
                fault=fault,
                layer=truth.fault.layer if truth else Layer.BENIGN,
                readings=findings.readings,
                dimensions=findings.dimensions,
                suspects=findings.suspects,
                scores=sum(len(column) for column in findings.frame.columns.values()),
                seconds=seconds,
            )
        )
    return found
