"""`Correlator`: signals and incidents in, ledger events out."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence

from holdfast.core.clock import NS_PER_S
from holdfast.core.events import IncidentEvent, IncidentMerged, IncidentOpened, Recorded, SignalEnded, SignalJoined, apply
from holdfast.core.ids import derived_id
from holdfast.core.incident import ACTIVE, Incident, State
from holdfast.core.score import Metric
from holdfast.core.signal import Signal, SignalCleared, Verdict
from holdfast.correlate.lifecycle import ACTOR, advance, escalate, quiet_since
from holdfast.correlate.match import Why, nested, redundant, same_cause, why_joined
from holdfast.correlate.overlap import related
from holdfast.correlate.policy import CorrelatePolicy
from holdfast.correlate.severity import severity_of
from holdfast.correlate.title import title_of

RANK_OF = {Verdict.NOISE: 0, Verdict.ANOMALY: 1, Verdict.FAILURE: 2}


class Correlator:
    """One cause, one incident.

    Failures open incidents or join them; anomalies only join, and wait for an incident that begins near them; noise is dropped.
    All ids and keys are derived from signals, so that a replay asks for nothing twice. Anomalies that wait are all that is
    remembered between calls, and losing them in a restart costs a line of an incident, never an incident.

    Args:
        metrics: definitions by name; signals of unknown metrics are taken as they are.
        policy: settings.
    """

    def __init__(self, metrics: Mapping[str, Metric], policy: CorrelatePolicy | None = None) -> None:
        self._metrics = metrics
        self._policy = policy or CorrelatePolicy()
        self._waiting: deque[Signal] = deque(maxlen=self._policy.waiting_signals)
        self.counts: Counter[str] = Counter()
        """How often each thing was decided: opened, joined by reason, dropped as noise, waiting, ignored."""

    def correlate(self, signals: Sequence[Signal | SignalCleared], incidents: Sequence[Incident], now_ns: int) -> list[Recorded]:
        """The events that follow from these signals and from time having come to `now_ns` (event time).

        `incidents` are all active ones; resolved and declined ones may be given too, so that a fault that comes back can
        refer to them. Events come in an order in which they can be applied.
        """
        work = _Work({i.id: i for i in incidents})
        for signal in signals:
            if isinstance(signal, SignalCleared):
                self._end(signal, work)
            else:
                self._place(signal, work)
        for incident in list(work.incidents.values()):
            if incident.state in ACTIVE:
                self._age(incident.id, work, now_ns)
        self._merge(work, now_ns)
        return work.recorded

    def _merge(self, work: "_Work", now_ns: int) -> None:
        """Give what turned out to be the same cause to the elder incident; those that a person has taken on stay."""
        open_ = sorted((i for i in work.incidents.values() if i.state is State.OPEN), key=lambda i: (i.detected_ns, i.id))
        for place, younger in enumerate(open_):
            taken = younger.assignee or "acknowledged" in younger.timestamps
            elder = next((e for e in open_[:place] if e.id in work.open_ids() and same_cause(e, younger, self._policy)), None)
            if elder is None or taken:
                continue
            for signal in younger.signals:
                if signal.verdict is Verdict.FAILURE and signal.id not in younger.cleared:
                    self._give(signal, elder.id, work, now_ns)
            self.counts["merged"] += 1
            work.add(younger.id, now_ns, IncidentMerged(into=elder.id), f"{younger.id}:merged:{elder.id}")

    def _give(self, signal: Signal, incident_id: str, work: "_Work", now_ns: int) -> None:
        incident = work.incidents[incident_id]
        if all(s.id != signal.id for s in incident.signals) and not redundant(signal, incident, self._policy):
            work.add(incident_id, now_ns, SignalJoined(signal=signal), _key(signal, incident))

    def _end(self, cleared: SignalCleared, work: "_Work") -> None:
        self._waiting = deque((s for s in self._waiting if s.id != cleared.signal_id), self._waiting.maxlen)
        for incident in list(work.incidents.values()):
            if incident.state in ACTIVE and any(s.id == cleared.signal_id for s in incident.signals):
                work.add(
                    incident.id,
                    cleared.cleared_ns,
                    SignalEnded(cleared=cleared),
                    f"{cleared.signal_id}:ended:{cleared.cleared_ns}",
                )

    def _place(self, signal: Signal, work: "_Work") -> None:
        if signal.verdict is Verdict.NOISE:
            self.counts["noise"] += 1
            return
        # What waited with a milder verdict must not come after it.
        self._waiting = deque((s for s in self._waiting if s.id != signal.id), self._waiting.maxlen)
        if self._known(signal, work):
            return
        match = self._match(signal, work)
        if match is not None:
            incident, why = match
            if redundant(signal, incident, self._policy):
                self.counts["redundant"] += 1
                return
            self.counts[why] += 1
            work.add(incident.id, signal.detected_ns, SignalJoined(signal=signal), _key(signal, incident))
        elif signal.verdict is Verdict.ANOMALY:
            self.counts["waiting"] += 1
            self._waiting.append(signal)
        elif self._declined(signal, work):
            self.counts["declined"] += 1
        else:
            self._open(signal, work)

    def _known(self, signal: Signal, work: "_Work") -> bool:
        """Whether an incident has this signal already; a worse verdict goes to it again."""
        for incident in sorted(work.incidents.values(), key=lambda i: i.state not in ACTIVE):
            before = next((s for s in incident.signals if s.id == signal.id), None)
            if before is None:
                continue
            if RANK_OF[signal.verdict] > RANK_OF[before.verdict] and incident.state in ACTIVE:
                work.add(incident.id, signal.detected_ns, SignalJoined(signal=signal), _key(signal, incident))
            else:
                self.counts["known"] += 1
            return True
        return False

    def _match(self, signal: Signal, work: "_Work") -> tuple[Incident, Why] | None:
        """The active incident that the signal belongs to most strongly, the nearest in time among equals."""
        order = list(Why)
        found = [
            (order.index(why), abs(incident.started_ns - signal.onset_ns), incident.id, why)
            for incident in work.incidents.values()
            if incident.state in ACTIVE and (why := why_joined(signal, incident, self._policy)) is not None
            # An anomaly does not bring back what has stopped.
            if signal.verdict is Verdict.FAILURE or incident.state is not State.MITIGATED
        ]
        own = set(related(signal, [work.incidents[f[2]] for f in found], self._policy))
        best = min((f for f in found if f[2] in own), key=lambda f: f[:3], default=None)
        return (work.incidents[best[2]], best[3]) if best is not None else None

    def _declined(self, signal: Signal, work: "_Work") -> bool:
        """Whether a person lately said of the same metric and segment that it was no incident."""
        return any(
            incident.state is State.DECLINED
            and signal.detected_ns - incident.detected_ns <= self._policy.declined_s * NS_PER_S
            and any(s.metric == signal.metric and s.segment == signal.segment for s in incident.signals)
            for incident in work.incidents.values()
        )

    def _open(self, signal: Signal, work: "_Work") -> None:
        service = signal.segment.service
        incident_id = derived_id("inc", service, signal.id)
        if incident_id in work.incidents:
            return
        severity, _ = severity_of([signal], self._metrics, self._policy)
        opened = IncidentOpened(
            service=service,
            title=title_of(signal, self._metrics),
            severity=severity,
            started_ns=signal.onset_ns,
            detected_ns=signal.detected_ns,
            signal=signal,
            follows=self._follows(signal, work),
        )
        self.counts["opened"] += 1
        work.add(incident_id, signal.detected_ns, opened, f"{incident_id}:opened")
        for waiting in [w for w in self._waiting if w.segment.service == service]:
            incident = work.incidents[incident_id]
            if why_joined(waiting, incident, self._policy) is not None and not redundant(waiting, incident, self._policy):
                self._waiting.remove(waiting)
                work.add(incident_id, signal.detected_ns, SignalJoined(signal=waiting), _key(waiting, incident))

    def _follows(self, signal: Signal, work: "_Work") -> str:
        """The latest resolved incident of the same metric and a nested segment."""
        past = [
            i
            for i in work.incidents.values()
            if i.state in (State.RESOLVED, State.CLOSED)
            and 0 <= signal.detected_ns - _ended(i) <= self._policy.follows_s * NS_PER_S
            and any(s.metric == signal.metric and nested(s.segment, signal.segment) for s in i.signals)
        ]
        return max(past, key=_ended).id if past else ""

    def _age(self, incident_id: str, work: "_Work", now_ns: int) -> None:
        raised = escalate(work.incidents[incident_id], self._metrics, self._policy, now_ns)
        if raised is not None:
            work.take(raised)
        due = advance(work.incidents[incident_id], quiet_since(work.incidents[incident_id]), self._policy, now_ns)
        if due is not None:
            work.take(due)


class _Work:
    """Incidents as they stand within one call, and the events that brought them there."""

    def __init__(self, incidents: dict[str, Incident]) -> None:
        self.incidents = incidents
        self.recorded: list[Recorded] = []

    def open_ids(self) -> set[str]:
        return {i.id for i in self.incidents.values() if i.state is State.OPEN}

    def add(self, incident_id: str, time_ns: int, event: IncidentEvent, key: str) -> None:
        self.take(Recorded(incident_id=incident_id, time_ns=time_ns, actor=ACTOR, event=event, key=key))

    def take(self, recorded: Recorded) -> None:
        self.recorded.append(recorded)
        self.incidents[recorded.incident_id] = apply(self.incidents.get(recorded.incident_id), recorded)


def _key(signal: Signal, incident: Incident) -> str:
    return f"{incident.id}:{signal.id}:{signal.verdict}"


def _ended(incident: Incident) -> int:
    stamp = incident.timestamps.get("resolved") or incident.timestamps.get("mitigated")
    return stamp.ns if stamp else incident.detected_ns
