"""The hard rule: one event of a `Metric.hard` is an incident, such as a canary token in an answer."""

import msgspec
import numpy as np

from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.core.ids import derived_id
from holdfast.core.signal import Exemplar, Signal, SignalCleared, Verdict
from holdfast.detect.batch import Batch
from holdfast.detect.protocol import Ground, SignalEvent

EVENT = 0.5
QUIET_S = 3600.0
MAX_EXEMPLARS = 5


class _Active(msgspec.Struct):
    signal: Signal
    last_ns: int
    events: int


class Hard:
    """Raises one signal at the first event and clears it after an hour without another; `QUIET_S` in event time."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._active: dict[tuple[int, str], _Active] = {}
        self._calls: dict[tuple[int, str], tuple[int, int]] = {}

    def observe(self, batch: Batch) -> list[SignalEvent]:
        """Signals for first events; later ones of the same application and metric add to it."""
        names, found = self._ground.table.names, list[SignalEvent]()
        if not len(batch.scores):
            return []
        hard = np.array([self._ground.table.metric(n).hard for n in names], bool)
        for row in np.flatnonzero(hard[batch.metric]).tolist():
            app = self._ground.index.service_of(int(batch.profile[row]))
            key, value = (app, names[int(batch.metric[row])]), float(batch.value[row])
            calls, events = self._calls.get(key, (0, 0))
            self._calls[key] = (calls + 1, events + (value >= EVENT))
            if value >= EVENT:
                found += self._event(key, batch, row)
        found += self._quiet(batch.traces.app[-1], batch.traces.reached_ns[-1])
        return found

    def _event(self, key: tuple[int, str], batch: Batch, row: int) -> list[SignalEvent]:
        score, time_ns = batch.scores[row], int(batch.reached_ns[row])
        shown = Exemplar(score.trace_id, score.span_id, score.why or f"{score.metric} {score.value:.3g}")
        active = self._active.get(key)
        if active is not None:
            active.last_ns, active.events = max(active.last_ns, time_ns), active.events + 1
            return []
        metric, segment = self._ground.table.metric(key[1]), self._ground.index.segments[key[0]]
        calls, events = self._calls[key]
        signal = Signal(
            id=derived_id("sig", "hard", key[1], segment, score.trace_id, score.span_id),
            detector="hard",
            metric=key[1],
            segment=segment,
            onset_ns=int(batch.ended_ns[batch.place[row]]) or time_ns,
            detected_ns=time_ns,
            baseline=(events - 1) / calls,
            observed=1.0,
            log_evidence=0.0,
            threshold=0.0,
            calls=1,
            bad=1.0,
            budget=0.0,
            verdict=Verdict.FAILURE,
            reason=f"one {metric.failure_mode} is an incident",
            exemplars=(shown,),
        )
        self._active[key] = _Active(signal, time_ns, 1)
        return [signal]

    def _quiet(self, app: int, now_ns: int) -> list[SignalEvent]:
        cleared = list[SignalEvent]()
        for key in [k for k, a in self._active.items() if k[0] == app and now_ns - a.last_ns >= QUIET_S * NS_PER_S]:
            signal = self._active.pop(key).signal
            cleared.append(SignalCleared(signal_id=signal.id, metric=signal.metric, segment=signal.segment, cleared_ns=now_ns))
        return cleared

    def changed(self, change: Change) -> None:
        """One event is enough with or without a change."""

    def settle(self) -> list[SignalEvent]:
        """There is nothing to learn."""
        return []

    def tick(self, now_ns: int) -> list[SignalEvent]:
        """Silence proves no recovery: only traffic without events clears."""
        return []

    def snapshot(self) -> bytes:
        """All state."""
        return msgspec.msgpack.encode(
            _State([(a, m, s) for (a, m), s in self._active.items()], [(a, m, *c) for (a, m), c in self._calls.items()])
        )

    def restore(self, state: bytes) -> None:
        """Take over a snapshot."""
        plain = msgspec.msgpack.decode(state, type=_State)
        self._active = {(app, metric): active for app, metric, active in plain.active}
        self._calls = {(app, metric): (calls, events) for app, metric, calls, events in plain.calls}


class _State(msgspec.Struct):
    active: list[tuple[int, str, _Active]]
    calls: list[tuple[int, str, int, int]]
