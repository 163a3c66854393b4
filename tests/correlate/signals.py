"""Signals and incidents made by hand."""

from collections.abc import Iterable, Sequence

from holdfast.core.clock import NS_PER_S
from holdfast.core.events import Recorded, apply
from holdfast.core.incident import Incident
from holdfast.core.signal import Exemplar, Segment, Signal, SignalCleared, Verdict
from holdfast.correlate.correlator import Correlator

T0 = 1_790_000_000 * NS_PER_S
MINUTE = 60.0
HOUR = 3600.0


def at(seconds: float) -> int:
    return T0 + int(seconds * NS_PER_S)


def signal(metric: str = "ungrounded_answer", segment: str = "", onset_s: float = 0.0, **changes: object) -> Signal:
    dimension, _, value = segment.partition("=")
    service = str(changes.pop("service", "support"))
    given: dict[str, object] = {
        "id": f"sig:{metric}:{service}:{segment}:{onset_s}",
        "detector": "sr_mixture_score",
        "metric": metric,
        "segment": Segment(service, dimension, value),
        "onset_ns": at(onset_s),
        "detected_ns": at(onset_s + 60),
        "baseline": 0.04,
        "observed": 0.16,
        "log_evidence": 15.0,
        "threshold": 14.0,
        "calls": 50,
        "bad": 8.0,
        "budget": 0.01,
        "verdict": Verdict.FAILURE,
    }
    return Signal(**{**given, **changes})  # type: ignore[arg-type]


def cleared(of: Signal, seconds: float) -> SignalCleared:
    return SignalCleared(signal_id=of.id, metric=of.metric, segment=of.segment, cleared_ns=at(seconds))


def shown(*traces: str) -> tuple[Exemplar, ...]:
    return tuple(Exemplar(t, "s", "why") for t in traces)


class Book:
    """A ledger in memory that keeps the first event of a key, and a correlator that writes to it."""

    def __init__(self, correlator: Correlator) -> None:
        self.correlator = correlator
        self.incidents: dict[str, Incident] = {}
        self.keys: set[str] = set()
        self.events: list[Recorded] = []

    def at(self, seconds: float, *signals: Signal | SignalCleared) -> list[Incident]:
        self.write(self.correlator.correlate(signals, list(self.incidents.values()), at(seconds)))
        return self.all()

    def write(self, recorded: Iterable[Recorded]) -> None:
        for event in recorded:
            if event.key not in self.keys:
                self.keys.add(event.key)
                self.events.append(event)
                self.incidents[event.incident_id] = apply(self.incidents.get(event.incident_id), event)

    def all(self) -> list[Incident]:
        return sorted(self.incidents.values(), key=lambda i: i.detected_ns)


def names(incidents: Sequence[Incident]) -> list[set[str]]:
    return [{f"{s.metric}@{s.segment}" for s in i.signals} for i in incidents]
