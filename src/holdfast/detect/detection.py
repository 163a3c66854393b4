"""`Detection`: all detectors together, as the pipeline uses them."""

from collections.abc import Mapping, Sequence

import msgspec

from holdfast.core.change import Change
from holdfast.core.errors import InputError
from holdfast.core.score import Metric
from holdfast.core.trace import ScoredTrace
from holdfast.detect.batch import Extractor
from holdfast.detect.budget import BudgetReport
from holdfast.detect.burn_rate import DETECTOR, BurnRate, ObjectiveReport
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.protocol import Ground, SignalEvent
from holdfast.detect.registry import DETECTORS
from holdfast.detect.segments import IndexState
from holdfast.detect.sequential import Sequential

FORMAT = 8
YOUNG_CHUNKS = 16
"""Chunks of `DetectPolicy.chunk_traces`, of which later ones are twice as long: an even number, so that they join."""
MAX_CHANGES = 2_000
"""Changes that are remembered, so that none counts twice."""


class Detection:
    """Scored traces in, signals out. Deterministic; the only time it knows is that of the calls, and `now_ns` of `tick`.

    Args:
        metrics: definitions by name; looked up once per name, so a mapping that makes them on demand may be given.
        policy: settings.
    """

    def __init__(self, metrics: Mapping[str, Metric], policy: DetectPolicy | None = None) -> None:
        self._ground = Ground(metrics, policy or DetectPolicy())
        self._extractor = Extractor(self._ground.index, self._ground.table, self._ground.policy)
        self._detectors = {name: make(self._ground) for name, make in DETECTORS.items()}
        self._traces = 0
        self._changes: dict[tuple[str, str], None] = {}

    def observe(self, batch: Sequence[ScoredTrace]) -> list[SignalEvent]:
        """Signals raised and cleared by these traces, which come in about the order of their ends.

        Scores that came before, traces that are late by more than `DetectPolicy.late_s`, traces without a time and metrics
        without a definition do not count; `skipped` says how many. Cutting the same traces into other batches changes nothing.
        """
        found, at = list[SignalEvent](), 0
        while at < len(batch):
            chunk = self._chunk()
            room = chunk - self._traces % chunk
            part = batch[at : at + room]
            columns = self._extractor.extract(part)
            for detector in self._detectors.values():
                found += detector.observe(columns)
            at += len(part)
            self._traces += len(part)
            if self._traces % chunk == 0:
                for detector in self._detectors.values():
                    found += detector.settle()
        return found

    def _chunk(self) -> int:
        """Traces between two updates of baselines: twice as many once so much is known that a few more calls change little."""
        chunk = self._ground.policy.chunk_traces
        return chunk if self._traces < YOUNG_CHUNKS * chunk else 2 * chunk

    def changed(self, change: Change) -> None:
        """Look harder at what this change may concern: evidence of its streams gets a head start, paid from the budget.

        A change that was told before, by source and id, is not told again: senders repeat themselves, and restarts do.
        """
        key = (change.source, change.id)
        if key in self._changes:
            return
        self._changes[key] = None
        if len(self._changes) > MAX_CHANGES:
            del self._changes[next(iter(self._changes))]
        for detector in self._detectors.values():
            detector.changed(change)

    def tick(self, now_ns: int) -> list[SignalEvent]:
        """Signals of absence, at event time `now_ns`: scorers that stopped working, applications that fell silent."""
        return [event for detector in self._detectors.values() for event in detector.tick(now_ns)]

    @property
    def skipped(self) -> dict[str, int]:
        """How many scores or traces did not count, by reason, and how many values went to `other`, by dimension."""
        over = {f"other_{dimension}": count for dimension, count in self._ground.index.overflow.items()}
        return {**self._extractor.skipped, **over}

    def budget_spent(self) -> BudgetReport:
        """The false-alarm budget, and what of it was spent."""
        sequential = self._detectors["sequential"]
        assert isinstance(sequential, Sequential), "the registry says so"  # noqa: S101 - an invariant, not a check of input
        return sequential.report()

    def objectives(self) -> list[ObjectiveReport]:
        """How each objective stands, and what is left of its budget, in each segment that it was counted in."""
        burn_rate = self._detectors[DETECTOR]
        assert isinstance(burn_rate, BurnRate), "the registry says so"  # noqa: S101 - an invariant, not a check of input
        return burn_rate.report()

    def snapshot(self) -> bytes:
        """All state: a detection that restores it goes on identically."""
        return msgspec.msgpack.encode(
            _State(
                format=FORMAT,
                names=self._ground.table.names,
                segments=self._ground.index.state(),
                extractor=self._extractor.state(),
                evidence=self._ground.evidence.state(),
                detectors={name: detector.snapshot() for name, detector in self._detectors.items()},
                traces=self._traces,
                changes=list(self._changes),
            )
        )

    def restore(self, state: bytes) -> None:
        """Take over a snapshot, made under the same metrics and policy.

        Raises:
            InputError: it is no snapshot, or one of another format or other metrics.
        """
        try:
            plain = msgspec.msgpack.decode(state, type=_State)
        except msgspec.DecodeError as error:
            raise InputError(f"not a snapshot of detection: {error}", "snapshot") from error
        if plain.format != FORMAT:
            raise InputError(f"format {plain.format}, expected {FORMAT}", "snapshot.format")
        for number, name in enumerate(plain.names):
            if self._ground.table.metric_index(name) != number:
                raise InputError(f"metric {name!r} is not defined as it was", "snapshot.names")
        self._ground.index.load(plain.segments)
        self._extractor.load(plain.extractor)
        self._ground.evidence.load(plain.evidence)
        for name, detector in self._detectors.items():
            detector.restore(plain.detectors[name])
        self._traces = plain.traces
        self._changes = dict.fromkeys(plain.changes)


class _State(msgspec.Struct, kw_only=True):
    format: int
    names: list[str]
    segments: IndexState
    extractor: dict[str, object]
    evidence: bytes
    detectors: dict[str, bytes]
    traces: int
    changes: list[tuple[str, str]]
