"""`Detector`: one kind of detector, fed with batches in order of arrival."""

from collections.abc import Mapping
from typing import Protocol

from holdfast.core.change import Change
from holdfast.core.score import Metric
from holdfast.core.signal import Signal, SignalCleared
from holdfast.detect.batch import Batch
from holdfast.detect.columns import ColumnTable
from holdfast.detect.evidence import Evidence
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.segments import SegmentIndex

SignalEvent = Signal | SignalCleared


def time_of(event: SignalEvent) -> int:
    """Event time at which a signal was raised or cleared."""
    return event.detected_ns if isinstance(event, Signal) else event.cleared_ns


class Ground:
    """What the detectors of one `Detection` share."""

    def __init__(self, metrics: Mapping[str, Metric], policy: DetectPolicy) -> None:
        self.metrics = metrics
        self.policy = policy
        self.table = ColumnTable(metrics, policy)
        self.index = SegmentIndex(max(policy.max_streams // 20, 8), policy.max_values)
        self.evidence = Evidence()


class Detector(Protocol):
    """Scores in, signals out; deterministic, without I/O, and driven by event time alone.

    Signals of one detector have ids that depend on stream and onset only. What it returns must not depend on how the same
    observations were cut into batches, but for `settle`, called after as many traces as `DetectPolicy.chunk_traces` says.
    """

    def observe(self, batch: Batch) -> list[SignalEvent]:
        """Take new observations."""
        ...

    def changed(self, change: Change) -> None:
        """Somebody changed something: look harder for a while."""
        ...

    def settle(self) -> list[SignalEvent]:
        """Learn: take what was healthy into the baselines."""
        ...

    def tick(self, now_ns: int) -> list[SignalEvent]:
        """Event time has come this far: judge what is absent."""
        ...

    def snapshot(self) -> bytes:
        """All state, such that a detector that restores it goes on identically."""
        ...

    def restore(self, state: bytes) -> None:
        """Take over a snapshot."""
        ...
