"""`Scorecard`: outcomes of many drills as figures with intervals, by fault, layer and part, beside what simpler means achieve."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from holdfast.core.diagnosis import FAULT_LAYERS
from holdfast.drills import statistics
from holdfast.drills.conventional import ALARM
from holdfast.drills.outcome import Outcome
from holdfast.drills.static_thresholds import exceeds, thresholds
from holdfast.drills.statistics import Bin, Figure

LEAST_HARMED = 10
"""A fault that harmed fewer requests is told apart: there was hardly anything to find."""
MANY_HARMED = 60
"""A fault that harmed so many requests is one that should be found: a median of so many are served until it is."""
SURE = 0.85
"""Confidence from which a diagnosis may be acted on."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the scorecard.

    Args:
        detected, and of those detected: calls, minutes, bad answers served until then (medians); duplicates per fault.
        layer_first, layer_third: the true layer is the first, among the first three; fault_first: same of the fault.
        jaccard: overlap of the requests of the named with those of the true cohort; exact where it is at least 0.99.
        change: the guilty change is named, of faults that have one; latest_change: what blaming the latest one would achieve.
        sure: share of diagnoses of at least 0.85; sure_right: share of those whose layer is right.
        conventional: detected by latency, errors, cost or tokens, at a threshold that keeps the same budget of false alarms;
            conventional_usual: at three sigma.
        static: detected by one threshold a metric on half-hour means of the same scores, at the same budget.
    """

    name: str
    drills: int
    detected: Figure
    calls: Figure
    minutes: Figure
    bad_served: Figure
    duplicates: Figure
    layer_first: Figure
    layer_third: Figure
    fault_first: Figure
    jaccard: Figure
    change: Figure
    latest_change: Figure
    brier: Figure
    calibration_error: float | None
    sure: Figure
    sure_right: Figure
    conventional: Figure
    conventional_usual: Figure
    static: Figure


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """False incidents per application and day where nothing was broken, beside conventional monitoring at three sigma."""

    name: str
    drills: int
    days: float
    false_per_day: Figure
    conventional_usual_per_day: Figure


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `subtle` are drills of faults that harmed hardly anybody; they count nowhere else."""

    parts: list[Cell]
    layers: list[Cell]
    faults: list[Cell]
    quiet: list[Quiet]
    reliability: list[Bin]
    conventional_threshold: float
    budget_per_day: float
    subtle: list[str]
    outcomes: list[Outcome]


def scorecard(outcomes: Sequence[Outcome], budget_per_day: float) -> Scorecard:
    """The scorecard of these outcomes at a budget of false incidents per application and day."""
    told = [o for o in outcomes if o.fault and o.harmed >= LEAST_HARMED]
    threshold = _threshold(outcomes, budget_per_day)
    limits = thresholds([o.static_before for o in outcomes], _allowed(outcomes, budget_per_day))

    def cell(name: str, chosen: Iterable[Outcome]) -> Cell:
        return _cell(name, list(chosen), threshold, limits)

    named = [o for o in told if o.named]
    return Scorecard(
        parts=[
            cell("all", told),
            cell("development", (o for o in told if not o.report_only)),
            cell("report only", (o for o in told if o.report_only)),
            cell(f"{MANY_HARMED} or more harmed", (o for o in told if o.harmed >= MANY_HARMED)),
            cell("silent", (o for o in told if o.silent)),
        ],
        layers=[cell(layer, (o for o in told if o.layer == layer)) for layer in FAULT_LAYERS],
        faults=[cell(name, (o for o in told if o.fault == name)) for name in dict.fromkeys(o.fault for o in told)],
        quiet=_quiet(outcomes),
        reliability=statistics.reliability(
            [o.named.confidence for o in named if o.named], [o.named.right for o in named if o.named]
        ),
        conventional_threshold=threshold,
        budget_per_day=budget_per_day,
        subtle=[f"{o.fault} (seed {o.seed}, {o.harmed} harmed)" for o in outcomes if o.fault and o.harmed < LEAST_HARMED],
        outcomes=list(outcomes),
    )


def _cell(name: str, chosen: list[Outcome], threshold: float, limits: Mapping[str, float]) -> Cell:
    found = [o for o in chosen if o.detected]
    named = [(o, o.named) for o in found if o.named]
    by_change = [o for o in found if o.change_id]
    sure = [n.confidence for _, n in named]
    right = [n.right for _, n in named]
    faults = [o.fault for o, _ in named]
    certain = [(n.right, o.fault) for o, n in named if n.confidence >= SURE]
    return Cell(
        name=name,
        drills=len(chosen),
        detected=_share(chosen, lambda o: o.detected),
        calls=_median(found, lambda o: o.calls_to_detect),
        minutes=_median(found, lambda o: o.minutes_to_detect),
        bad_served=_median(found, lambda o: o.bad_served),
        duplicates=statistics.average([float(len(o.duplicates)) for o in found], [o.fault for o in found]),
        layer_first=_share(found, lambda o: o.named is not None and o.named.layer_rank == 1),
        layer_third=_share(found, lambda o: o.named is not None and 1 <= o.named.layer_rank <= 3),
        fault_first=_share(found, lambda o: o.named is not None and o.named.fault_rank == 1),
        jaccard=statistics.average([o.named.jaccard if o.named else 0.0 for o in found], [o.fault for o in found]),
        change=_share(by_change, lambda o: o.named is not None and o.named.change_id == o.change_id),
        latest_change=_share(by_change, lambda o: o.latest_change == o.change_id),
        brier=statistics.brier(sure, right, faults),
        calibration_error=statistics.calibration_error(statistics.reliability(sure, right)),
        sure=statistics.proportion([c >= SURE for c in sure], faults),
        sure_right=statistics.proportion([r for r, _ in certain], [f for _, f in certain]),
        conventional=_share(chosen, lambda o: _conventional(o, threshold)),
        conventional_usual=_share(chosen, lambda o: _conventional(o, ALARM)),
        static=_share(chosen, lambda o: exceeds(o.static_after, limits)),
    )


def _share(chosen: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> Figure:
    return statistics.proportion([holds(o) for o in chosen], [o.fault for o in chosen])


def _median(chosen: Sequence[Outcome], amount: Callable[[Outcome], float | None]) -> Figure:
    known = [(float(a), o.fault) for o in chosen if (a := amount(o)) is not None]
    return statistics.middle([a for a, _ in known], [f for _, f in known])


def _conventional(outcome: Outcome, threshold: float) -> bool:
    return any(reading.value >= threshold for reading in outcome.conventional_after)


def _threshold(outcomes: Sequence[Outcome], budget_per_day: float) -> float:
    """The lowest threshold, at least the usual one, at which conventional monitoring keeps the budget where nothing is broken.

    One alarm is counted a quiet period, and the threshold is set on the periods that it is judged on: both favour it.
    """
    highs, allowed = sorted((o.conventional_before for o in outcomes), reverse=True), _allowed(outcomes, budget_per_day)
    return max(ALARM, highs[allowed] + 1e-9 if allowed < len(highs) else ALARM)


def _allowed(outcomes: Sequence[Outcome], budget_per_day: float) -> int:
    """False alarms that the budget allows while nothing is broken."""
    return int(budget_per_day * sum(o.quiet_days for o in outcomes))


def _quiet(outcomes: Sequence[Outcome]) -> list[Quiet]:
    healthy = [o for o in outcomes if not o.fault and o.drill == "healthy"]
    decoys = [o for o in outcomes if not o.fault and o.drill != "healthy"]
    broken = [o for o in outcomes if o.fault]
    parts = [("healthy", healthy), ("decoys", decoys), ("healthy and decoys", healthy + decoys), ("before a fault", broken)]
    found = [_quiet_part(name, chosen) for name, chosen in parts if chosen]
    return found + [
        _quiet_part(decoy, [o for o in decoys if o.drill == decoy])
        for decoy in dict.fromkeys(o.drill for o in decoys if o.false_alarms)
    ]


def _quiet_part(name: str, chosen: Sequence[Outcome]) -> Quiet:
    """Before a fault only what was detected before counts; what is unrelated afterwards is told with the fault."""
    false = sum(sum(a.before_onset for a in o.false_alarms) if o.fault else len(o.false_alarms) for o in chosen)
    days = sum(o.quiet_days for o in chosen)
    return Quiet(
        name=name,
        drills=len(chosen),
        days=days,
        false_per_day=statistics.rate(false, days),
        conventional_usual_per_day=statistics.rate(sum(o.conventional_before >= ALARM for o in chosen), days),
    )
