"""`Findings`: what a diagnosis is made of, before it is put into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.core.diagnosis import Layer
from holdfast.core.incident import Incident
from holdfast.diagnose.badness import Watched
from holdfast.diagnose.changes import Suspect
from holdfast.diagnose.cohort import Cohort
from holdfast.diagnose.evidence.composite import Reading
from holdfast.diagnose.frame import Bools, Frame
from holdfast.diagnose.onset import Onset
from holdfast.diagnose.posterior import Posterior

GUILTY = 0.4
"""A change is named with a cause when it is at least this probable under it, and more so than that no change did it."""


@dataclass(frozen=True)
class Findings:
    """One incident: `frame` split at `onset`, `inside` (its calls) the cohort.

    `dimensions` are those that the cohort is about, by weight; `readings` are by group of evidence.
    """

    incident: Incident
    frame: Frame
    watched: tuple[Watched, ...]
    onset: Onset
    cohort: Cohort
    inside: Bools
    dimensions: Mapping[str, float]
    suspects: tuple[Suspect, ...]
    readings: Mapping[str, Sequence[Reading]]
    posterior: Posterior

    def guilty(self, index: int) -> Suspect | None:
        """The change that most probably brought hypothesis number `index`; None where none did, or where nothing failed."""
        if self.posterior.layers[index] is Layer.BENIGN or not self.suspects:
            return None
        row = self.posterior.guilt[index]
        best = int(row[:-1].argmax())
        return self.suspects[best] if row[best] >= GUILTY and row[best] > row[-1] else None
