"""The stages in order: assemble, score, store, detect, correlate, diagnose. Live and replay run this same code."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec
import structlog

from holdfast.core.call import Call, EvaluationRecord, MetricPoint
from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import StoreError, TransitionError
from holdfast.core.events import CommentAdded, DiagnosisMade, ImpactMeasured, IncidentEvent, Recorded
from holdfast.core.ids import derived_id
from holdfast.core.incident import ACTIVE, Incident
from holdfast.core.observations import Telemetry
from holdfast.core.score import Metric
from holdfast.core.signal import Signal, SignalCleared, Verdict
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.correlate.correlator import Correlator
from holdfast.correlate.impact import measure_impact
from holdfast.correlate.title import title_of_incident
from holdfast.detect.detection import Detection
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.ingest.assemble import Assembler, judgement
from holdfast.ingest.checkpoint import Position
from holdfast.ingest.record import Record
from holdfast.ledger.store import Ledger
from holdfast.scoring import Pending, Scores
from holdfast.telemetry.thinned import MOST_ROWS, Thinned

log = structlog.get_logger(__name__)

ACTOR = "holdfast"
RECENT_NS = 7 * 86_400 * NS_PER_S
MAX_RECENT = 500
MAX_PORTION = 500
MAX_AHEAD = 4
"""Portions that are scored, or wait for it, while an earlier one goes through the stages behind."""
DIAGNOSE_AFTER_TRACES = 100
DIAGNOSE_GROWTH = 2


class KeepsTelemetry(Telemetry, Protocol):
    """What the pipeline asks of a store: to keep what it is given once, and to answer its stages."""

    def append(self, scored: Sequence[ScoredTrace], /) -> object:
        """Keeps traces with their scores: for good once `flush` has returned."""
        ...

    def flush(self) -> None:
        """Writes what was only gathered so far."""
        ...

    def append_changes(self, changes: Sequence[Change], /) -> object:
        """Keeps changes."""
        ...

    def append_metric_points(self, points: Sequence[MetricPoint], /) -> object:
        """Keeps infrastructure metrics."""
        ...

    def append_evaluations(self, records: Sequence[EvaluationRecord], /) -> object:
        """Keeps evaluations as they arrived."""
        ...

    def call_of(self, record: EvaluationRecord, /) -> Call | None:
        """The call that an evaluation is about, or None when it is not kept."""
        ...


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a pipeline is made of; built in `holdfast.app.stages`."""

    assembler: Assembler
    scoring: Scores
    telemetry: KeepsTelemetry
    detection: Detection
    correlator: Correlator
    diagnoser: Diagnoser
    ledger: Ledger
    metrics: dict[str, Metric]


class Mark(msgspec.Struct, frozen=True):
    """What a diagnosis was made on: the failing metrics, and the traces since the incident was opened."""

    metrics: frozenset[str]
    traces: int


class Portion(msgspec.Struct, frozen=True):
    """What goes through the stages behind scoring together: changes first, then traces, at the time `now_ns`."""

    changes: Sequence[Change]
    trace_ids: frozenset[str]
    scored: Pending
    now_ns: int


class Pipeline:
    """Records in, incidents in the ledger out.

    Every step is idempotent: calls are stored once by (trace_id, span_id) and events once by key, so that after a crash
    the records since the last checkpoint may simply be fed again.

    Scoring may run ahead in another process, a few portions at most; what follows takes them in their order, so that the
    outcome is the same.
    """

    def __init__(self, stages: Stages, observer: Callable[[Sequence[ScoredTrace]], None] = lambda _: None) -> None:
        self._stages = stages
        self._observer = observer
        self._ahead: deque[Portion] = deque()
        self._requests: dict[str, int] = {}
        self._diagnosed: dict[str, Mark] = {}

    def feed(self, records: Iterable[tuple[Position, Record]], now_ns: int) -> None:
        """Takes records, each with the journal position where it begins, in order of arrival.

        `now_ns` is the time of the last one. When it returns, some portions may still be on their way: see `drain`.
        """
        stages, traces = self._stages, list[Trace]()
        points, changes, told, late = list[MetricPoint](), list[Change](), list[EvaluationRecord](), list[EvaluationRecord]()
        for position, record in records:
            if isinstance(record, Call):
                traces += stages.assembler.add(record, now_ns, position)
            elif isinstance(record, Change):
                changes.append(record)
            elif isinstance(record, MetricPoint):
                points.append(record)
            else:
                attached = stages.assembler.attach(record, now_ns, position)
                if isinstance(record, EvaluationRecord):
                    told.append(record)
                    late += [] if attached else [record]
        stages.telemetry.append_metric_points(points)
        stages.telemetry.append_evaluations(told)
        traces += stages.assembler.complete(now_ns)
        late += stages.assembler.take_orphans()
        traces += self._judgements(late)
        # A backlog completes all at once: in portions it neither fills the memory nor hides the progress.
        for start in range(0, max(len(traces), 1), MAX_PORTION):
            self._begin(traces[start : start + MAX_PORTION], [] if start else changes, now_ns)
            while self._ahead and (len(self._ahead) > MAX_AHEAD or self._ahead[0].scored.done()):
                self.take(self._ahead.popleft())

    def drain(self) -> None:
        """Waits for all portions and takes them: all that was fed has gone through then."""
        while self._ahead:
            self.take(self._ahead.popleft())

    def finish(self, now_ns: int) -> None:
        """Nothing more will come: completes what is open and diagnoses for the last time."""
        self._begin(self._stages.assembler.flush(), [], now_ns)
        self.drain()
        for incident in self._active():
            mark = self._mark(incident)
            if mark != self._diagnosed.get(incident.id):
                self._diagnose(incident, mark, now_ns)

    def _judgements(self, late: Sequence[EvaluationRecord]) -> list[Trace]:
        """Evaluations of calls that are kept already, as calls of their own."""
        ahead = {trace_id for portion in self._ahead for trace_id in portion.trace_ids}
        if any(record.trace_id in ahead or not record.trace_id for record in late):
            self.drain()
        return [judgement(record, self._stages.telemetry.call_of(record)) for record in late]

    def _begin(self, traces: Sequence[Trace], changes: Sequence[Change], now_ns: int) -> None:
        trace_ids = frozenset([trace.trace_id for trace in traces])
        self._ahead.append(Portion(changes, trace_ids, self._stages.scoring.begin(traces), now_ns))

    def take(self, portion: Portion) -> None:
        """Takes a portion through the stages behind scoring."""
        stages, now_ns = self._stages, portion.now_ns
        stages.telemetry.append_changes(portion.changes)
        for change in portion.changes:
            stages.detection.changed(change)
        scored = portion.scored.result()
        if scored:
            stages.telemetry.append(scored)
            self._observer(scored)
        signals: list[Signal | SignalCleared] = [*stages.detection.observe(scored), *stages.detection.tick(now_ns)]
        self._record(stages.correlator.correlate(signals, self._recent(now_ns), now_ns))
        active = self._active()
        self._follow(active, scored)
        for incident in active:
            mark = self._mark(incident)
            if self._diagnosis_is_due(incident, mark):
                self._diagnose(incident, mark, now_ns)

    def _recent(self, now_ns: int) -> list[Incident]:
        """The active ones and those of the last week: a new failure may follow one of them, or be one that was declined."""
        found = self._stages.ledger.incidents(limit=MAX_RECENT)
        return [i for i in found if i.state in ACTIVE or now_ns - i.detected_ns <= RECENT_NS]

    def _active(self) -> list[Incident]:
        return list(self._stages.ledger.incidents(states=ACTIVE, limit=1_000))

    def _follow(self, active: Sequence[Incident], scored: Sequence[ScoredTrace]) -> None:
        """Counts the requests to the application of each active incident since it opened; of others nothing is remembered."""
        came = Counter(item.trace.service for item in scored if not item.trace.addendum)
        known = self._requests
        self._requests = {i.id: known[i.id] + came[i.service] if i.id in known else 0 for i in active}
        self._diagnosed = {i.id: self._diagnosed[i.id] for i in active if i.id in self._diagnosed}

    def _diagnosis_is_due(self, incident: Incident, mark: Mark) -> bool:
        """At once for a new incident and for every further kind of failure, then whenever the evidence has doubled."""
        before = self._diagnosed.get(incident.id)
        if before is None or mark.metrics != before.metrics:
            return True
        return mark.traces >= max(before.traces * DIAGNOSE_GROWTH, before.traces + DIAGNOSE_AFTER_TRACES)

    def _mark(self, incident: Incident) -> Mark:
        failing = frozenset(signal.metric for signal in incident.signals if signal.verdict is Verdict.FAILURE)
        return Mark(failing, self._requests.get(incident.id, 0))

    def _record(self, events: Sequence[Recorded]) -> None:
        """Appends what was decided. Where a person closed an incident meanwhile, their word stands, and ours is logged."""
        try:
            self._stages.ledger.append(events)
        except TransitionError as error:
            if len(events) == 1:
                log.warning("event came too late for its incident", event=type(events[0].event).__name__, error=str(error))
                return
            for event in events:
                self._record([event])

    def _diagnose(self, incident: Incident, mark: Mark, now_ns: int) -> None:
        """Diagnosis and impact as of now."""
        stages = self._stages
        self._diagnosed[incident.id] = mark
        events: list[IncidentEvent]
        telemetry = Thinned(stages.telemetry, MOST_ROWS)
        try:
            diagnosis = stages.diagnoser.diagnose(incident, telemetry, now_ns, self._active())
            diagnosed = msgspec.structs.replace(incident, diagnosis=diagnosis)
            impact = measure_impact(diagnosed, stages.telemetry, stages.metrics, now_ns)
            title = title_of_incident(diagnosed, stages.metrics)
            events = [DiagnosisMade(diagnosis=diagnosis, title=title), ImpactMeasured(impact=impact)]
            if telemetry.kept < 1:
                share = f"one trace in {1 / telemetry.kept:.0f}"
                events.append(CommentAdded(text=f"diagnosed on {share}, for all have more than {MOST_ROWS:,} scores"))
        except StoreError:
            raise
        except Exception as error:
            log.exception("diagnosis failed", incident=incident.id)
            events = [CommentAdded(text=f"diagnosis failed: {type(error).__name__}: {error}")]
        self._record(
            [
                Recorded(
                    incident_id=incident.id,
                    time_ns=now_ns,
                    actor=ACTOR,
                    event=event,
                    key=derived_id(type(event).__name__, incident.id, now_ns),
                )
                for event in events
            ]
        )
