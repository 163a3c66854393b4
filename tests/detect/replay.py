"""Feeding scripts to detection in tests."""

from collections.abc import Sequence

from holdfast.core.signal import Signal, SignalCleared, Verdict
from holdfast.core.trace import ScoredTrace
from holdfast.detect.detection import Detection
from holdfast.detect.policy import DetectPolicy
from tests.detect.simulation import METRICS, START_NS, Script, traffic

Event = Signal | SignalCleared


def replay(script: Script, policy: DetectPolicy | None = None, batch: int = 200) -> list[Event]:
    return feed(Detection(METRICS, policy), traffic(script), batch)


def feed(detection: Detection, traces: Sequence[ScoredTrace], batch: int = 200) -> list[Event]:
    found: list[Event] = []
    for at in range(0, len(traces), batch):
        found += detection.observe(traces[at : at + batch])
    return found


def failures(events: Sequence[Event]) -> list[Signal]:
    return [e for e in events if isinstance(e, Signal) and e.verdict is Verdict.FAILURE]


def seconds(time_ns: int) -> float:
    return (time_ns - START_NS) / 1e9
