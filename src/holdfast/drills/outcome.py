"""`Outcome`: one drill judged: what was true, what the product said, and how far apart they are."""

from collections.abc import Sequence

import msgspec

from holdfast.core.call import Dimensions
from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S, to_iso
from holdfast.core.diagnosis import Layer
from holdfast.core.incident import Incident, State
from holdfast.core.signal import Signal, Verdict
from holdfast.drills.conventional import Reading
from holdfast.drills.faults.registry import REPORT_ONLY
from holdfast.drills.injection import Injection
from holdfast.drills.scenario import Scenario
from holdfast.drills.static_thresholds import WindowMean, peaks

NS_PER_DAY = 86_400 * NS_PER_S
UNSEEN = frozenset({State.CANDIDATE, State.DECLINED, State.MERGED})
AFTERMATH_S = 1800.0
"""An incident that is detected so long after the harm ended may still be about it."""


class Request(msgspec.Struct, frozen=True):
    """One request as it really was: when it ended, its dimensions, and the faults that harmed it."""

    trace_id: str
    time_ns: int
    dimensions: Dimensions
    struck: tuple[str, ...] = ()

    def matches(self, cohort: dict[str, str]) -> bool:
        """Whether every condition of the cohort holds."""
        return all(value in self.dimensions.get(name, ()) for name, value in cohort.items())


class Drilled(msgspec.Struct, frozen=True, kw_only=True):
    """A drill that was run: the truth, and what came out.

    `readings` are those of conventional monitoring, `means` half-hour means of the scores.
    """

    scenario: Scenario
    injections: tuple[Injection, ...]
    start_ns: int
    end_ns: int
    requests: Sequence[Request]
    changes: Sequence[Change]
    incidents: Sequence[Incident]
    readings: Sequence[Reading] = ()
    means: Sequence[WindowMean] = ()
    seconds: float = 0.0


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that should not be there, with what a person needs to see why it is."""

    title: str
    detected: str
    metric: str
    segment: str
    detector: str
    baseline: float
    observed: float
    calls: int
    cohort: dict[str, str]
    signals: int
    before_onset: bool = False


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What the diagnosis of the first incident of a fault said. Ranks count from 1; 0 means not named at all."""

    layer: str
    confidence: float
    layer_rank: int
    cause: str
    fault_rank: int
    cohort: dict[str, str]
    jaccard: float
    change_id: str

    @property
    def right(self) -> bool:
        """Whether the most probable layer is the true one."""
        return self.layer_rank == 1


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of one drill, or a drill without any (`fault` empty), judged.

    Args:
        days: application days watched; `quiet_days` those of them before the first change that brought a fault.
        harmed: requests that were really harmed.
        calls_to_detect: requests of the true cohort between onset and detection, 0 where the change was noticed before it
            harmed anybody; `bad_served`: those of them that were harmed.
        duplicates: further incidents of the same fault. `false_alarms`: incidents that belong to no fault.
        latest_change: id of the last change before detection: what "blame the latest change" says.
        conventional_before: strongest reading of conventional monitoring before the change (or at all where there is no fault);
            conventional_after: each reading since then that was stronger than all before it.
        static_before, static_after: highest half-hour mean of each metric before the change (or at all), and since.
    """

    drill: str
    application: str
    seed: int
    calls: int
    severity: float
    ramp: str
    rollout: float
    delay_s: float
    days: float
    quiet_days: float
    fault: str = ""
    layer: str = ""
    silent: bool = False
    harmed: int = 0
    cohort: dict[str, str] = {}
    change_id: str = ""
    latest_change: str = ""
    detected: bool = False
    calls_to_detect: int | None = None
    minutes_to_detect: float | None = None
    bad_served: int | None = None
    metrics: tuple[str, ...] = ()
    named: Named | None = None
    duplicates: tuple[Alarm, ...] = ()
    false_alarms: tuple[Alarm, ...] = ()
    conventional_before: float = 0.0
    conventional_after: tuple[Reading, ...] = ()
    static_before: dict[str, float] = {}
    static_after: dict[str, float] = {}
    onset_ns: int = 0
    seconds: float = 0.0

    @property
    def report_only(self) -> bool:
        """Whether nothing may be fitted on it."""
        return self.fault in REPORT_ONLY


def judge(drilled: Drilled) -> list[Outcome]:
    """One outcome for each fault of the drill, or one for a drill without. False alarms are told with the first."""
    shown = sorted((i for i in drilled.incidents if i.state not in UNSEEN), key=lambda i: (i.detected_ns, i.id))
    # What was deployed may show before it harms anybody: an index is stale from its first retrieval on.
    first_ns = min((i.change_ns for i in drilled.injections), default=drilled.end_ns)
    common = _common(drilled, first_ns)
    assigned = [[i for i in shown if _about(i, injection, drilled)] for injection in drilled.injections]
    explained = {i.id for found in assigned for i in found if i.detected_ns >= first_ns}
    false_alarms = tuple(_alarm(i, first_ns) for i in shown if i.id not in explained)
    if not drilled.injections:
        return [msgspec.structs.replace(common, false_alarms=false_alarms)]
    outcomes = [_outcome(common, drilled, *pair) for pair in zip(drilled.injections, assigned, strict=True)]
    return [msgspec.structs.replace(outcomes[0], false_alarms=false_alarms), *outcomes[1:]]


def truth_of(incident: Incident, drilled: Drilled) -> Injection | None:
    """The fault that an incident is about; None for one that should not be there, or that nobody sees."""
    first_ns = min((i.change_ns for i in drilled.injections), default=drilled.end_ns)
    if incident.state in UNSEEN or incident.detected_ns < first_ns:
        return None
    return next((injection for injection in drilled.injections if _about(incident, injection, drilled)), None)


def _common(drilled: Drilled, first_ns: int) -> Outcome:
    scenario = drilled.scenario
    before = [r.value for r in drilled.readings if r.time_ns < first_ns]
    return Outcome(
        drill=scenario.fault or scenario.decoy or "healthy",
        application=scenario.application,
        seed=scenario.seed,
        calls=scenario.calls,
        severity=scenario.severity,
        ramp=scenario.ramp,
        rollout=scenario.rollout,
        delay_s=scenario.delay_s,
        days=(drilled.end_ns - drilled.start_ns) / NS_PER_DAY,
        quiet_days=(first_ns - drilled.start_ns) / NS_PER_DAY,
        conventional_before=max(before, default=0.0),
        static_before=peaks(m for m in drilled.means if m.time_ns < first_ns),
        seconds=drilled.seconds,
    )


def _about(incident: Incident, injection: Injection, drilled: Drilled) -> bool:
    """Whether the incident overlaps the fault in time and in requests."""
    alarm_ns = _alarmed_ns(incident, injection.change_ns)
    if alarm_ns is None or alarm_ns > injection.end_ns + int(AFTERMATH_S * NS_PER_S):
        return False
    since = [r for r in drilled.requests if injection.change_ns <= r.time_ns]
    return any(r.matches(injection.cohort) and r.matches(incident.cohort) for r in since)


def _alarmed_ns(incident: Incident, change_ns: int) -> int | None:
    """When it was first said since the change that something fails; an incident from before counts from its next alarm on."""
    times = [incident.detected_ns, *(s.detected_ns for s in incident.signals if s.verdict is Verdict.FAILURE)]
    return min((t for t in times if t >= change_ns), default=None)


def _outcome(common: Outcome, drilled: Drilled, injection: Injection, found: list[Incident]) -> Outcome:
    name, onset_ns = injection.fault.name, injection.onset_ns
    harmed = [r for r in drilled.requests if name in r.struck]
    outcome = msgspec.structs.replace(
        common,
        fault=name,
        layer=injection.fault.layer,
        silent=injection.fault.silent,
        harmed=len(harmed),
        cohort=injection.cohort,
        change_id=injection.change.id if injection.change else "",
        conventional_after=_record_highs([r for r in drilled.readings if r.time_ns >= injection.change_ns]),
        static_after=peaks(m for m in drilled.means if m.time_ns >= injection.change_ns),
        onset_ns=onset_ns,
    )
    if not found:
        return outcome
    alarmed = {i.id: _alarmed_ns(i, injection.change_ns) or 0 for i in found}
    first = min(found, key=lambda i: alarmed[i.id])
    at = alarmed[first.id]
    affected = [r for r in drilled.requests if onset_ns <= r.time_ns <= at and r.matches(injection.cohort)]
    return msgspec.structs.replace(
        outcome,
        detected=True,
        calls_to_detect=len(affected),
        minutes_to_detect=max(at - onset_ns, 0) / NS_PER_S / 60,
        bad_served=sum(name in r.struck for r in affected),
        metrics=tuple(dict.fromkeys(s.metric for s in first.signals if s.verdict is Verdict.FAILURE)),
        named=_named(first, injection, drilled),
        duplicates=tuple(_alarm(i, onset_ns) for i in found if i is not first and i.detected_ns >= injection.change_ns),
        latest_change=max(((c.time_ns, c.id) for c in drilled.changes if c.time_ns <= at), default=(0, ""))[1],
    )


def _named(incident: Incident, injection: Injection, drilled: Drilled) -> Named | None:
    diagnosis = incident.diagnosis
    if diagnosis is None or not diagnosis.layers:
        return None
    since = [r for r in drilled.requests if injection.onset_ns <= r.time_ns < injection.end_ns]
    true = {r.trace_id for r in since if r.matches(injection.cohort)}
    said = {r.trace_id for r in since if r.matches(diagnosis.cohort)}
    causes = [c.fault for c in diagnosis.causes]
    return Named(
        layer=diagnosis.layers[0].layer,
        confidence=diagnosis.confidence,
        layer_rank=_rank([p.layer for p in diagnosis.layers], injection.fault.layer),
        cause=causes[0] if causes else "",
        fault_rank=_rank(causes, injection.fault.name),
        cohort=diagnosis.cohort,
        jaccard=len(true & said) / max(len(true | said), 1),
        change_id=diagnosis.causes[0].change_id if diagnosis.causes else "",
    )


def _rank(ranked: Sequence[str | Layer], wanted: str | Layer) -> int:
    return ranked.index(wanted) + 1 if wanted in ranked else 0


def _record_highs(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    highs: list[Reading] = []
    for reading in readings:
        if not highs or reading.value > highs[-1].value:
            highs.append(reading)
    return tuple(highs)


def _alarm(incident: Incident, onset_ns: int) -> Alarm:
    signal: Signal | None = min(
        (s for s in incident.signals if s.verdict is Verdict.FAILURE), key=lambda s: s.detected_ns, default=None
    )
    return Alarm(
        title=incident.title,
        detected=to_iso(incident.detected_ns),
        metric=signal.metric if signal else "",
        segment=str(signal.segment) if signal else "",
        detector=signal.detector if signal else "",
        baseline=signal.baseline if signal else 0.0,
        observed=signal.observed if signal else 0.0,
        calls=signal.calls if signal else 0,
        cohort=incident.cohort,
        signals=len(incident.signals),
        before_onset=incident.detected_ns < onset_ns,
    )
