"""Impact: how many calls and users were hurt since the incident started, and what those calls cost."""

from collections.abc import Callable, Mapping

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from holdfast.core.call import Dimensions
from holdfast.core.incident import Impact, Incident
from holdfast.core.observations import Observations, Telemetry
from holdfast.core.score import Direction, Metric, Unit
from holdfast.core.signal import Signal, Verdict
from holdfast.core.slices import Period
from holdfast.correlate.judged_impact import Harm, corrected_impact, judged_pair

COST = "cost"
BAD = 0.5
ROWS = 125_000
"""Scores that are read at once, about 35 MB: incidents may last for days."""
LARGE = 2.0
"""A value of a metric without bounds is bad from so many times the baseline (below its inverse, where low is bad)."""


def measure_impact(incident: Incident, telemetry: Telemetry, metrics: Mapping[str, Metric], now_ns: int) -> Impact:
    """Expected number of calls that are bad beyond the baseline, in the cohort and since the start, with its 95 % interval.

    Where a few users attack, and nothing else tells their calls, the cohort is they.

    The metric that hurt most calls counts: metrics of one cause hurt the same calls, so they are not added up. The interval
    is that of a beta posterior (Jeffreys) of the share of bad calls; where a judge saw a sample of them, that of the
    prediction-powered estimate. `users` had at least one bad call, and are no more than the calls beyond the baseline; `cost_usd`
    is what bad calls cost on average, times so many.
    Nothing is measured before the incident started nor after `now_ns`.
    """
    watched = {s.metric: s for s in incident.signals if s.verdict is Verdict.FAILURE and s.metric in metrics}
    period = Period(telemetry, incident.service, _since(incident), now_ns + 1)
    tallies = {name: _Tally(metrics[name], signal, _affected(incident)) for name, signal in watched.items()}
    for found in period.slices(list(tallies), ROWS) if tallies else ():
        for name, tally in tallies.items():
            tally.add(found[name])
    best, worst = Impact(), ""
    for name, tally in tallies.items():
        impact = tally.impact()
        if impact.calls > best.calls or not (worst and tallies[worst].traces):
            best, worst = impact, name
    cheap, judge = judged_pair(worst, metrics)
    if judge and metrics[cheap].direction is Direction.UP_IS_WORSE:
        harm = Harm(incident.service, cheap, incident.cohort, _since(incident), now_ns + 1)
        best = corrected_impact(best, harm, judge, telemetry)
    spent = _spent(period, tallies[worst].traces, best.calls) if worst else None
    return msgspec.structs.replace(best, users=min(best.users, best.calls), cost_usd=spent)


def _spent(period: Period, hurt: set[str], calls: int) -> float | None:
    """What so many calls cost, as the `hurt` traces did on average, and no more than those did together; None: not known."""
    if not hurt:
        return None
    known, total = False, 0.0
    for found in period.slices([COST], ROWS):
        values = [float(v) for v, trace in zip(found[COST].value, found[COST].trace_id, strict=True) if trace in hurt]
        known, total = known or bool(values), total + sum(values)
    return round(total * min(calls / len(hurt), 1.0), 6) if known else None


def _since(incident: Incident) -> int:
    """When the harm began: as a person said, else as the diagnosis found it inside the cohort, else as the signals say."""
    onset_ns = incident.diagnosis.onset_ns if incident.diagnosis else 0
    return incident.started_ns if incident.timestamps["started"].corrected_from or not onset_ns else onset_ns


def _affected(incident: Incident) -> Callable[[Dimensions], bool]:
    """Whose calls count: those of the cohort; where that is no condition and a few users attack, theirs."""
    told = incident.diagnosis.attackers if incident.diagnosis and not incident.cohort else ()
    attackers = {one.user for one in told}

    def affected(dimensions: Dimensions) -> bool:
        known = all(value in dimensions.get(dimension, ()) for dimension, value in incident.cohort.items())
        return known and (not attackers or not attackers.isdisjoint(dimensions.get("user", ())))

    return affected


class _Tally:
    """What one metric says of the cohort, added up slice by slice. It grows with the calls that are bad, not with all."""

    def __init__(self, metric: Metric, signal: Signal, affected: Callable[[Dimensions], bool]) -> None:
        self._metric, self._signal, self._affected = metric, signal, affected
        self._calls, self._total, self._usual = 0, 0.0, 0.0
        self._users = set[str]()
        self.traces = set[str]()
        """Those with a bad call."""

    def add(self, seen: Observations) -> None:
        """Takes the next slice."""
        calls = seen.calls.where(self._affected)
        own = seen.take(np.flatnonzero(calls[seen.call]))
        badness, self._usual = _badness(own.value, self._metric, self._signal)
        self._calls += len(own)
        self._total += float(badness.sum())
        bad = own.take(np.flatnonzero(badness >= BAD))
        self.traces.update(bad.trace_id)
        for dimensions in bad.dimensions:
            self._users.update(dimensions.get("user", ()))

    def impact(self) -> Impact:
        """Calls that are bad beyond the baseline, and users with a bad call."""
        calls, total = self._calls, self._total
        if not calls:
            return Impact()
        low, high = (float(betaincinv(total + 0.5, calls - total + 0.5, q)) for q in (0.025, 0.975))
        excess = [max(0, round(calls * share - calls * self._usual)) for share in (total / calls, low, high)]
        return Impact(calls=excess[0], calls_low=excess[1], calls_high=excess[2], users=len(self._users))


def _badness(values: npt.NDArray[np.float64], metric: Metric, signal: Signal) -> tuple[npt.NDArray[np.float64], float]:
    """How bad each value is in [0, 1], and how bad values usually are."""
    falling = signal.observed < signal.baseline
    if metric.unit is Unit.PROBABILITY:
        clipped = np.clip(values, 0.0, 1.0)
        mirrored = falling or metric.direction is Direction.DOWN_IS_WORSE
        return (1 - clipped, 1 - signal.baseline) if mirrored else (clipped, signal.baseline)
    # Without bounds, a call is bad or not; in health few are, and how few is not known here.
    bad = values <= signal.baseline / LARGE if falling else values >= signal.baseline * LARGE
    return bad.astype(np.float64), 0.0
