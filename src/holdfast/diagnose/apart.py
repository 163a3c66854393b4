"""Two incidents at once: the calls of another one are left out where this one is diagnosed."""

from collections.abc import Mapping, Sequence

import numpy as np

from holdfast.core.call import Dimensions
from holdfast.core.change import Change
from holdfast.core.incident import Incident
from holdfast.core.observations import Observations, Telemetry
from holdfast.core.signal import Signal, Verdict
from holdfast.core.spread import SURE, Spread


def opener(signals: Sequence[Signal]) -> Spread | None:
    """Where the bad calls lie that an incident was opened for, None where that is not known."""
    return signals[0].spread if signals and signals[0].verdict is Verdict.FAILURE else None


def others_sick(incident: Incident, others: Sequence[Incident]) -> list[dict[str, str]]:
    """Surely diagnosed cohorts of other incidents of the application that this one was not opened for."""
    seen = opener(incident.signals)
    if seen is None:
        return []
    return [
        other.cohort
        for other in others
        if other.id != incident.id
        and other.service == incident.service
        and other.diagnosis is not None
        and other.diagnosis.cohort_confidence >= SURE
        and seen.outside(other.cohort)
    ]


class Apart:
    """Telemetry without the calls of some cohorts."""

    def __init__(self, telemetry: Telemetry, cohorts: Sequence[Mapping[str, str]]) -> None:
        self._telemetry = telemetry
        self._cohorts = cohorts

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        """As of `Telemetry`."""
        found = self._telemetry.observations(service, metrics, start_ns, end_ns)
        if not self._cohorts:
            return found
        tables = {id(rows.calls): rows.calls for rows in found.values()}
        left = {key: calls.where(self._is_left) for key, calls in tables.items()}
        return {name: rows.take(np.flatnonzero(left[id(rows.calls)][rows.call])) for name, rows in found.items()}

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        """As of `Telemetry`: a change of theirs is still one that happened."""
        return self._telemetry.changes(start_ns, end_ns)

    def _is_left(self, dimensions: Dimensions) -> bool:
        return not any(_fulfils(dimensions, cohort) for cohort in self._cohorts)


def _fulfils(dimensions: Dimensions, cohort: Mapping[str, str]) -> bool:
    return all(value in dimensions.get(dimension, ()) for dimension, value in cohort.items())
