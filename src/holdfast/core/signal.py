"""`Signal`: a detector's evidence that a metric of a segment has left its baseline."""

from enum import StrEnum

import msgspec

from holdfast.core.spread import Spread


class Verdict(StrEnum):
    """How the written standard of failures (`docs/guides/failure-standard.md`) classes a signal."""

    FAILURE = "failure"
    ANOMALY = "anomaly"
    NOISE = "noise"


class Segment(msgspec.Struct, frozen=True, order=True):
    """Where a stream of scores was taken: one application, and one value of one dimension or all of it (empty dimension)."""

    service: str
    dimension: str = ""
    value: str = ""

    @property
    def conditions(self) -> dict[str, str]:
        """The segment as dimension → value, the application left out."""
        return {self.dimension: self.value} if self.dimension else {}

    def __str__(self) -> str:
        """Such as ``support[route=/chat]``."""
        return f"{self.service}[{self.dimension}={self.value}]" if self.dimension else self.service


class Exemplar(msgspec.Struct, frozen=True):
    """One call that shows what a statement says."""

    trace_id: str
    span_id: str
    why: str


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of a segment left its baseline.

    `id` is derived from stream and onset, so that a replay raises the same signal again and nobody opens a second incident.

    Args:
        detector: which one said so.
        onset_ns: estimated beginning of the deviation; `detected_ns`: event time of the call that raised the alarm.
        baseline, observed: mean of the metric before `onset_ns` and since.
        log_evidence: ln of the e-value; `threshold`: ln of the value that it had to reach.
        calls: observations since onset, `bad` the expected number of failures among them (sum of probabilities).
        budget: false alarms a day that this stream may spend.
        verdict: failure, anomaly or noise, and `reason` why the standard says so.
        spread: where its bad calls lie, where the detector can tell good from bad calls.
    """

    id: str
    detector: str
    metric: str
    segment: Segment
    onset_ns: int
    detected_ns: int
    baseline: float
    observed: float
    log_evidence: float
    threshold: float
    calls: int
    bad: float
    budget: float
    verdict: Verdict = Verdict.FAILURE
    reason: str = ""
    exemplars: tuple[Exemplar, ...] = ()
    spread: Spread | None = None


class SignalCleared(msgspec.Struct, frozen=True, kw_only=True):
    """The metric of the segment is back within its margin."""

    signal_id: str
    metric: str
    segment: Segment
    cleared_ns: int
