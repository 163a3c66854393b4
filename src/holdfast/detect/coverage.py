"""Scorer coverage: a scorer that stopped working must not look like health."""

from collections import Counter

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.core.ids import derived_id
from holdfast.core.signal import Signal, SignalCleared, Verdict
from holdfast.detect.batch import Batch, TraceColumns
from holdfast.detect.protocol import Ground, SignalEvent, time_of

Ints = npt.NDArray[np.int64]

BUCKET_NS = 60 * NS_PER_S
WINDOW_BUCKETS = 10
FAST_BUCKETS = 2
NEEDED, DEAD, HEALTHY = 0.9, 0.5, 0.95
MIN_TRIES = 20
MIN_EXPECTED = 50.0
ALWAYS = 0.9
"""A scorer that ran on so many of the traces has no reason not to run now."""

METRIC_PREFIX = "coverage."
"""Signals of this detector carry the metric ``coverage.<scorer>``: baseline and observed are shares of its runs that worked."""


class _Bucket(msgspec.Struct):
    number: int
    traces: int = 0
    ran: int = 0
    failed: int = 0


class _Scorer(msgspec.Struct):
    """Recent minutes of one scorer of one application, and totals from before them."""

    buckets: list[_Bucket] = []
    traces: int = 0
    ran: int = 0
    bad_since_ns: int = 0
    signal: Signal | None = None


class Coverage:
    """Signals where under 90 % of a scorer's runs worked for 10 minutes (under half: for 2), or where it stopped running."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._scorers: dict[tuple[int, str], _Scorer] = {}
        self._by_app: dict[int, list[str]] = {}
        self._minute: dict[int, int] = {}

    def observe(self, batch: Batch) -> list[SignalEvent]:
        """Count, and judge every application whose minute is over."""
        found, traces = list[SignalEvent](), batch.traces
        for app, rows in traces.by_app.items():
            for minute, part in traces.periods(rows, BUCKET_NS, self._minute.get(app, -1)):
                if minute > self._minute.setdefault(app, minute):
                    found += self._judge(app, int(traces.time_ns[part[0]]))
                    self._minute[app] = minute
                self._count(app, traces, part)
        return sorted(found, key=time_of)

    def _count(self, app: int, traces: TraceColumns, rows: Ints) -> None:
        """Add these traces of the application's present minute to its scorers.

        What a judge says later comes as a trace of its own, on which no other scorer could have run: it is no request.
        """
        ran, failed, here = dict[str, int](), Counter[str](), rows.tolist()
        for scorers, times in Counter(map(traces.scorers.__getitem__, here)).items():
            for name in scorers:
                ran[name] = ran.get(name, 0) + times
        for row in here if any(traces.failed) else ():
            failed.update(set(traces.failed[row]))
        names, requests = self._by_app.setdefault(app, []), int(traces.requests[rows].sum())
        for name in sorted((ran.keys() | failed.keys()) - set(names)):
            self._scorers[app, name] = _Scorer()
            names.append(name)
        for name in names:
            bucket = self._bucket(self._scorers[app, name], self._minute[app])
            bucket.traces += requests
            bucket.ran += ran.get(name, 0)
            bucket.failed += failed[name]

    def _bucket(self, scorer: _Scorer, minute: int) -> _Bucket:
        if scorer.buckets and scorer.buckets[-1].number >= minute:
            return scorer.buckets[-1]
        scorer.buckets.append(_Bucket(minute))
        while scorer.buckets[0].number <= minute - WINDOW_BUCKETS:
            old = scorer.buckets.pop(0)
            if not scorer.bad_since_ns:
                scorer.traces += old.traces
                scorer.ran += old.ran
        return scorer.buckets[-1]

    def _judge(self, app: int, now_ns: int) -> list[SignalEvent]:
        found = list[SignalEvent]()
        for name in self._by_app.get(app, ()):
            found += self._judge_one(app, name, self._scorers[app, name], now_ns)
        return found

    def _judge_one(self, app: int, name: str, scorer: _Scorer, now_ns: int) -> list[SignalEvent]:
        minute = now_ns // BUCKET_NS
        ran = failed = traces = recent_ran = recent_failed = 0
        first, recent, window = minute - WINDOW_BUCKETS, minute - FAST_BUCKETS, list[_Bucket]()
        for bucket in scorer.buckets:
            if first <= bucket.number < minute:
                window.append(bucket)
                ran, failed, traces = ran + bucket.ran, failed + bucket.failed, traces + bucket.traces
                if bucket.number >= recent:
                    recent_ran, recent_failed = recent_ran + bucket.ran, recent_failed + bucket.failed
        usual = scorer.ran / scorer.traces if scorer.traces else 0.0
        expected = usual * traces
        silent = expected >= MIN_EXPECTED and ran < 0.1 * expected
        slow = ran + failed >= MIN_TRIES and ran < NEEDED * (ran + failed)
        dead = recent_ran + recent_failed >= MIN_TRIES and recent_ran < DEAD * (recent_ran + recent_failed)
        if silent or slow or dead:
            since = scorer.bad_since_ns = (
                scorer.bad_since_ns or min((b.number for b in window if b.failed), default=minute) * BUCKET_NS
            )
            wait = FAST_BUCKETS if dead or silent else WINDOW_BUCKETS
            if scorer.signal is None and now_ns - since >= (wait - 1) * BUCKET_NS:
                return [self._raise(app, name, scorer, now_ns, (ran, failed, traces, usual))]
            return []
        if scorer.signal is not None and (ran + failed < MIN_TRIES or recent_ran < HEALTHY * (recent_ran + recent_failed)):
            return []
        return self._recover(scorer, now_ns)

    def _recover(self, scorer: _Scorer, now_ns: int) -> list[SignalEvent]:
        signal, scorer.signal, scorer.bad_since_ns = scorer.signal, None, 0
        if signal is None:
            return []
        return [SignalCleared(signal_id=signal.id, metric=signal.metric, segment=signal.segment, cleared_ns=now_ns)]

    def _raise(self, app: int, name: str, scorer: _Scorer, now_ns: int, seen: tuple[int, int, int, float]) -> Signal:
        ran, failed, traces, usual = seen
        segment = self._ground.index.segments[app]
        tried = ran + failed
        if failed:
            verdict, why = Verdict.FAILURE, f"{name} failed on {failed} of {tried} traces: what it watches is not watched"
            baseline, observed, calls = 1.0, ran / max(tried, 1), tried
        else:
            always = usual >= ALWAYS
            verdict = Verdict.FAILURE if always else Verdict.ANOMALY
            why = f"{name} ran on {ran} of {traces} traces, {usual:.0%} before: what it watches is not watched"
            baseline, observed, calls = usual, ran / max(traces, 1), traces
        scorer.signal = Signal(
            id=derived_id("sig", "coverage", name, segment, scorer.bad_since_ns),
            detector="coverage",
            metric=METRIC_PREFIX + name,
            segment=segment,
            onset_ns=scorer.bad_since_ns,
            detected_ns=now_ns,
            baseline=baseline,
            observed=observed,
            log_evidence=0.0,
            threshold=0.0,
            calls=calls,
            bad=float(max(calls - ran, 0)),
            budget=0.0,
            verdict=verdict,
            reason=why,
        )
        return scorer.signal

    def changed(self, change: Change) -> None:
        """A scorer that stops working after a change has stopped working."""

    def settle(self) -> list[SignalEvent]:
        """Shares are learnt minute by minute."""
        return []

    def tick(self, now_ns: int) -> list[SignalEvent]:
        """Judge applications whose minute ended without a further trace."""
        found = list[SignalEvent]()
        for app, minute in list(self._minute.items()):
            if now_ns // BUCKET_NS > minute:
                found += self._judge(app, now_ns)
                self._minute[app] = now_ns // BUCKET_NS
        return found

    def snapshot(self) -> bytes:
        """All state."""
        scorers = [(app, name, scorer) for (app, name), scorer in self._scorers.items()]
        return msgspec.msgpack.encode(_State(scorers, self._minute))

    def restore(self, state: bytes) -> None:
        """Take over a snapshot."""
        plain = msgspec.msgpack.decode(state, type=_State)
        self._scorers = {(app, name): scorer for app, name, scorer in plain.scorers}
        self._by_app = {}
        for app, name, _ in plain.scorers:
            self._by_app.setdefault(app, []).append(name)
        self._minute = plain.minute


class _State(msgspec.Struct):
    scorers: list[tuple[int, str, _Scorer]]
    minute: dict[int, int]
