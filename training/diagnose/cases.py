"""Labelled incidents: drills with text and a fault, scored by the real scorers, with what detectors would have said."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdfast.core.call import Dimensions
from holdfast.core.change import Change
from holdfast.core.diagnosis import Layer
from holdfast.core.incident import Incident, Severity, State, Timestamp
from holdfast.core.observations import Observations
from holdfast.core.score import Direction, Unit
from holdfast.core.signal import Segment, Signal
from holdfast.core.trace import Trace
from holdfast.drills.scenario import Scenario, play, prepare
from holdfast.score.registry import METRICS, SCORERS
from holdfast.score.run import Scoring
from training.diagnose.simulate import ColumnTelemetry

Row = tuple[int, str, str, float, Dimensions]
LEAST_MOVED = 4.0
"""z of a metric that a detector would tell of."""


@dataclass
class Case:
    """One scored drill with its truth; `struck` are the ids of harmed traces, `layer` is None for a decoy."""

    scenario: Scenario
    fault: str
    layer: Layer | None
    change_id: str
    onset_ns: int
    end_ns: int
    struck: list[str]
    cohort: dict[str, str]
    service: str
    columns: dict[str, Observations]
    changes: list[Change]


def make(scenario: Scenario) -> Case:
    """Play a drill and score it."""
    prepared = prepare(scenario)
    scoring = Scoring(SCORERS)
    rows: dict[str, list[Row]] = {}
    struck = []
    for steps in play(prepared):
        trace = Trace(steps.calls[0].trace_id, steps.calls)
        (scored,) = scoring.score([trace])
        calls = {c.span_id: c for c in trace.calls}
        for score in scored.scores:
            call = calls[score.span_id]
            rows.setdefault(score.metric, []).append((call.end_ns, score.trace_id, score.span_id, score.value, call.dimensions))
        if steps.struck:
            struck.append(trace.trace_id)
    injection = prepared.injections[0] if prepared.injections else None
    moment = scenario.start_ns + int(scenario.hours * 3600e9 * scenario.fault_at)
    return Case(
        scenario=scenario,
        fault=injection.fault.name if injection else "",
        layer=injection.fault.layer if injection else None,
        change_id=injection.change.id if injection and injection.change else "",
        onset_ns=injection.onset_ns if injection else moment,
        end_ns=scenario.start_ns + int(scenario.hours * 3600e9),
        struck=struck,
        cohort=dict(injection.cohort) if injection else {},
        service=prepared.application.service,
        columns={metric: _columns(metric, found) for metric, found in rows.items()},
        changes=prepared.changes,
    )


def _columns(metric: str, rows: list[Row]) -> Observations:
    rows.sort(key=lambda row: row[:3])
    return Observations(
        metric=metric,
        time_ns=np.array([r[0] for r in rows], dtype=np.int64),
        value=np.array([r[3] for r in rows], dtype=np.float64),
        trace_id=[r[1] for r in rows],
        span_id=[r[2] for r in rows],
        dimensions=[r[4] for r in rows],
    )


def cached(scenario: Scenario, folder: Path) -> Case:
    """The case of a scenario, made once."""
    name = f"{scenario.application}_{scenario.fault or scenario.decoy or 'healthy'}_{scenario.seed}_{scenario.calls}.pickle"
    path = folder / name
    if path.exists():
        case: Case = pickle.loads(path.read_bytes())  # noqa: S301 - our own cache, in a folder that the caller names
        return case
    case = make(scenario)
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(pickle.dumps(case))
    partial.replace(path)
    return case


@dataclass
class Posed:
    """An incident as it would be diagnosed at `now_ns`."""

    case: Case
    incident: Incident
    telemetry: ColumnTelemetry
    now_ns: int


def pose(case: Case, harmed: int, seed: int = 0) -> Posed | None:
    """The incident when `harmed` requests were harmed since onset, told by the metrics that moved; None where none moved."""
    random = np.random.default_rng(seed + case.scenario.seed)
    now = _when(case, harmed)
    signals = _signals(case, now, random)
    if not signals:
        return None
    stamp = Timestamp(ns=signals[0].onset_ns, actor="detect")
    incident = Incident(
        id="inc",
        service=case.service,
        title="",
        state=State.OPEN,
        severity=Severity.SEV3,
        timestamps={"started": stamp, "detected": stamp},
        signals=signals,
    )
    return Posed(case, incident, ColumnTelemetry(case.columns, case.changes), now)


def _when(case: Case, harmed: int) -> int:
    known = set(case.struck)
    times = [
        t for t, i in zip(case.columns["latency"].time_ns.tolist(), case.columns["latency"].trace_id, strict=True) if i in known
    ]
    late = [t for t in times if t >= case.onset_ns]
    return late[min(harmed, len(late)) - 1] + 1 if late else case.onset_ns + (case.end_ns - case.onset_ns) // 3


def _signals(case: Case, now: int, random: np.random.Generator) -> tuple[Signal, ...]:
    """The three metrics of the application, or of a segment of the cohort, that moved most since onset."""
    segments = [Segment(case.service), *(Segment(case.service, d, v) for d, v in case.cohort.items())]
    found = []
    onset = case.onset_ns + int(random.normal(0, 0.08) * (now - case.onset_ns))
    for metric, rows in case.columns.items():
        known = METRICS.get(metric)
        if known is None or known.direction is Direction.INFORMATION:
            continue
        signals = [s for segment in segments if (s := _signal(metric, rows, segment, case, (onset, now))) is not None]
        if signals:
            found.append(max(signals, key=lambda s: s.log_evidence))
    return tuple(sorted(found, key=lambda s: -s.log_evidence)[:4])


def _signal(metric: str, rows: Observations, segment: Segment, case: Case, period: tuple[int, int]) -> Signal | None:
    known, (onset, now) = METRICS[metric], period
    inside = np.array(
        [segment.value in d.get(segment.dimension, ()) or not segment.dimension for d in rows.dimensions], dtype=bool
    )
    old = rows.value[inside & (rows.time_ns < case.onset_ns)]
    new = rows.value[inside & (rows.time_ns >= case.onset_ns) & (rows.time_ns < now)]
    if old.size < 30 or new.size < 8:
        return None
    amount = known.unit is not Unit.PROBABILITY
    a, b = (np.log1p(new), np.log1p(old)) if amount else (new, old)
    z = float(a.mean() - b.mean()) / float(np.sqrt(max(a.var(), b.var(), 1e-4) / a.size))
    if (
        abs(z) < LEAST_MOVED
        or (known.direction is Direction.UP_IS_WORSE and z < 0)
        or (known.direction is Direction.DOWN_IS_WORSE and z > 0)
    ):
        return None
    return Signal(
        id=f"{metric}.{segment}",
        detector="drill",
        metric=metric,
        segment=segment,
        onset_ns=onset,
        detected_ns=now,
        baseline=float(old.mean()),
        observed=float(new.mean()),
        log_evidence=z * z / 2,
        threshold=8.0,
        calls=int(new.size),
        bad=float(new.sum()),
        budget=0.1,
    )
