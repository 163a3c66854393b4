"""`Findings`: what a diagnosis is made of, before it is put into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.core.clock import NS_PER_S
from holdfast.core.diagnosis import Layer
from holdfast.core.incident import Incident
from holdfast.diagnose.attackers import Campaign
from holdfast.diagnose.badness import Watched
from holdfast.diagnose.changes import Suspect
from holdfast.diagnose.cohort import Cohort
from holdfast.diagnose.evidence.composite import Reading
from holdfast.diagnose.frame import Bools, Frame
from holdfast.diagnose.onset import Onset
from holdfast.diagnose.posterior import Posterior

GUILTY = 0.4
"""A change is named with a cause when it is at least this probable under it, more so than that no change did it, and time and
calls speak for it: one that nothing but its kind speaks for was only there."""
LATEST_NS = 300 * NS_PER_S
"""So much later than the estimated onset a change may have come at most, where the estimate is no better than that."""


@dataclass(frozen=True)
class Findings:
    """One incident: `frame` split at `onset`, `inside` (its calls) the cohort.

    `campaign` names the users whose calls these are, where a few attack: its cohort may have no condition.
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
    campaign: Campaign | None = None

    def guilty(self, index: int) -> Suspect | None:
        """The change that most probably brought hypothesis number `index`; None where none did, or where nothing failed."""
        if self.posterior.layers[index] is Layer.BENIGN or not self.suspects:
            return None
        row = self.posterior.guilt[index]
        best = int(row[:-1].argmax())
        told = row[best] >= GUILTY and row[best] > row[-1] and self.suspects[best].log_bayes > 0
        return self.suspects[best] if told and not self._too_late(self.suspects[best]) else None

    def _too_late(self, suspect: Suspect) -> bool:
        """Whether a change came when calls failed already. One whose value calls carry is told by them, not by the clock."""
        late_ns = suspect.time_ns - self.onset.time_ns
        return suspect.condition is None and late_ns > min(self.onset.error_ns, LATEST_NS)
