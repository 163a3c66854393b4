"""Traffic: surges and falls are worth knowing, an application that fell silent is worth asking about."""

import math

import msgspec
import numpy as np

from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.core.ids import derived_id
from holdfast.core.signal import Signal, SignalCleared, Verdict
from holdfast.detect.batch import Batch
from holdfast.detect.protocol import Ground, SignalEvent, time_of

BUCKET_NS = 300 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S
MIN_BUCKETS = 24
MAX_BUCKETS = 288 * 7
SURGE = 3.0
CALM = 1.5
MIN_CALLS = 30
SILENCE_CALLS = 30.0
SILENCE_NS = 600 * NS_PER_S
RECENT_BUCKETS = 12
TRAFFIC = "traffic"
HEARTBEAT = "heartbeat"
"""Metrics of these signals, in traces per five minutes."""


class _App(msgspec.Struct):
    """Closed buckets of five minutes (number, traces), the open one, and the signals that stand."""

    closed: list[tuple[int, int]] = []
    number: int = 0
    count: int = 0
    last_ns: int = 0
    volume: Signal | None = None
    silence: Signal | None = None


class Traffic:
    """Volume signals are anomalies at most: many users are no failure. Silence is a failure only where a whole day says so."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._apps: dict[int, _App] = {}

    def observe(self, batch: Batch) -> list[SignalEvent]:
        """Count requests; judge each bucket when it is over."""
        found, traces = list[SignalEvent](), batch.traces
        for number, rows in traces.by_app.items():
            rows = rows[traces.requests[rows]]
            app = self._apps.get(number)
            for bucket, part in traces.periods(rows, BUCKET_NS, app.number if app else -1):
                times = traces.time_ns[part]
                if app is None:
                    app = self._apps[number] = _App(number=bucket)
                if app.silence is not None:
                    found.append(_cleared(app.silence, int(times[0])))
                    app.silence = None
                if bucket > app.number:
                    found += self._close(number, app, int(times[0]))
                    app.number, app.count = bucket, 0
                app.count += len(part)
                app.last_ns = max(app.last_ns, int(times.max()))
        return sorted(found, key=time_of)

    def _close(self, number: int, app: _App, now_ns: int) -> list[SignalEvent]:
        normal = _normal(app)
        app.closed.append((app.number, app.count))
        del app.closed[:-MAX_BUCKETS]
        if normal is None:
            return []
        low, high = sorted((float(app.count), normal))
        ratio = high / max(low, 1.0)
        if app.volume is not None:
            if ratio > CALM:
                return []
            signal, app.volume = app.volume, None
            return [_cleared(signal, now_ns)]
        if high < MIN_CALLS or ratio < SURGE or high - low < 6 * math.sqrt(high):
            return []
        seen = (app.number * BUCKET_NS, now_ns, normal, float(app.count))
        app.volume = self._signal(number, TRAFFIC, seen, Verdict.ANOMALY, "more or fewer users are no failure by themselves")
        return [app.volume]

    def tick(self, now_ns: int) -> list[SignalEvent]:
        """Raise silence where traffic that should have come did not."""
        found = list[SignalEvent]()
        for number, app in self._apps.items():
            if app.silence is not None or now_ns - app.last_ns < SILENCE_NS:
                continue
            usual = _normal(app)
            expected = _expected(app, now_ns)
            if usual is None or expected < SILENCE_CALLS:
                continue
            days = (app.last_ns - app.closed[0][0] * BUCKET_NS) / DAY_NS
            verdict = Verdict.FAILURE if days >= 2 else Verdict.ANOMALY
            why = f"no traffic since {(now_ns - app.last_ns) / 60 / NS_PER_S:.0f} min where {expected:.0f} traces were expected"
            app.silence = self._signal(number, HEARTBEAT, (app.last_ns, now_ns, usual, 0.0), verdict, why)
            found.append(app.silence)
        return found

    def _signal(self, app: int, metric: str, seen: tuple[int, int, float, float], verdict: Verdict, why: str) -> Signal:
        onset_ns, now_ns, normal, observed = seen
        segment = self._ground.index.segments[app]
        return Signal(
            id=derived_id("sig", metric, segment, onset_ns),
            detector=metric,
            metric=metric,
            segment=segment,
            onset_ns=onset_ns,
            detected_ns=now_ns,
            baseline=normal,
            observed=observed,
            log_evidence=0.0,
            threshold=0.0,
            calls=int(observed),
            bad=0.0,
            budget=0.0,
            verdict=verdict,
            reason=why,
        )

    def changed(self, change: Change) -> None:
        """Traffic is judged alike with or without a change."""

    def settle(self) -> list[SignalEvent]:
        """Traffic is learnt bucket by bucket."""
        return []

    def snapshot(self) -> bytes:
        """All state."""
        return msgspec.msgpack.encode(self._apps)

    def restore(self, state: bytes) -> None:
        """Take over a snapshot."""
        self._apps = msgspec.msgpack.decode(state, type=dict[int, _App])


def _normal(app: _App) -> float | None:
    """Traces of a usual bucket: median of the last hour's, None while too little is known."""
    if len(app.closed) < MIN_BUCKETS:
        return None
    return float(np.median([count for _, count in app.closed[-RECENT_BUCKETS:]]))


def _expected(app: _App, now_ns: int) -> float:
    """Traces that should have come since the last one: at the rate of the same time on other days, else of the last hour.

    Of all estimates the smallest counts, so that a quiet night is no outage.
    """
    length = (now_ns - app.last_ns) / BUCKET_NS
    estimates = [(_normal(app) or 0.0) * length]
    counts = dict(app.closed)
    per_day = DAY_NS // BUCKET_NS
    for day in range(1, 8):
        first = app.last_ns // BUCKET_NS + 1 - day * per_day
        if first >= app.closed[0][0] if app.closed else False:
            estimates.append(float(sum(counts.get(n, 0) for n in range(first, first + int(length)))))
    return min(estimates)


def _cleared(signal: Signal, now_ns: int) -> SignalCleared:
    return SignalCleared(signal_id=signal.id, metric=signal.metric, segment=signal.segment, cleared_ns=now_ns)
