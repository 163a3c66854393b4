"""Has answers to probes judged by the user's scorers: a breaker that waits for such a judge closes on nothing else.

A probe is no traffic: it goes neither into the store nor past the detectors. It is read and redacted by the same code, shown to
the same scorer, paid from the same allowance and calibrated by the same labels as a user's call.
"""

import hashlib
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

import structlog

from holdfast.control.probes import ProbeAnswer, ProbeVerdict
from holdfast.core.call import Call
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import BackpressureError, HoldfastError, InputError, NotFoundError
from holdfast.core.score import Metric, Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.ingest.otlp import Encoding, Redactor, decode_traces
from holdfast.score.calibrator import Calibrator
from holdfast.score.external.selection import Selection

log = structlog.get_logger(__name__)

MAX_WAITING = 8
"""Answers that wait for one judge."""
MAX_KNOWN = 1_000
"""Answers that are remembered, so that none is judged twice."""
PATIENCE_S = 60.0
"""An answer that waited longer is not judged: what the target says now is in a newer one."""
BAD_AT = 0.5
"""A calibrated probability of failure from here on is a bad answer."""
IDLE_S = 1.0
CLOSE_S = 5.0

Tell = Callable[[ProbeVerdict], object]


class Judge(Protocol):
    """What is asked of a scorer; `holdfast.score.external.scorer.External` is one. The first of its metrics is the judgement."""

    @property
    def name(self) -> str:
        """By which a lease names it."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The first one is a probability of failure."""
        ...

    @property
    def selection(self) -> Selection:
        """Which applications it may see."""
        ...

    def score_many(self, traces: Sequence[Trace], /) -> Sequence[tuple[Score, ...] | Exception]:
        """The scores of each trace, none where it lacks a text, or why there are none."""
        ...


class _Waiting(NamedTuple):
    answer: ProbeAnswer
    trace: Trace
    tell: Tell


class _Bench:
    """One judge with its queue and its thread: one that hangs holds up no other."""

    def __init__(self, judge: Judge, work: Callable[["_Bench"], None]) -> None:
        self.judge = judge
        self.queue: queue.Queue[_Waiting | None] = queue.Queue(MAX_WAITING)
        self.thread = threading.Thread(target=work, args=(self,), name=f"probes-{judge.name}", daemon=True)


class ProbeJudging:
    """Judges at work, beside API and pipeline.

    Args:
        judges: by whose names leases ask.
        calibrator: what people's labels taught of them.
        redactor: as of all that is read from telemetry.
        clock: the time of the verdicts.
    """

    def __init__(self, judges: Sequence[Judge], calibrator: Calibrator, redactor: Redactor, clock: Clock) -> None:
        self._calibrator, self._redactor, self._clock = calibrator, redactor, clock
        self._benches = {judge.name: _Bench(judge, self._work) for judge in judges}
        self._lock = threading.Lock()
        self._known: dict[bytes, None] = {}
        self._closed = threading.Event()

    def ask(self, answer: ProbeAnswer, tell: Tell) -> int:
        """Queue an answer, and return how many wait. `tell` gets the verdict later, on another thread.

        One that was queued before is not judged again: a gateway that did not hear our answer sends it twice.

        Raises:
            NotFoundError: no judge has this name.
            InputError: the call cannot be read, or the judge may not see its application.
            BackpressureError: `MAX_WAITING` answers wait for this judge, or the server is about to stop.
        """
        bench = self._benches.get(answer.judge)
        if bench is None:
            raise NotFoundError(f"no external scorer of this server is named {answer.judge}")
        trace = self._read(answer)
        if not bench.judge.selection.covers(trace):
            raise InputError(f"{answer.judge} is not configured for the application {trace.service}", "call")
        if self._closed.is_set():
            raise BackpressureError("the server is about to stop", retry_after_s=5)
        with self._lock:
            self._put(bench, _Waiting(answer, trace, tell))
        return bench.queue.qsize()

    def _put(self, bench: _Bench, waiting: _Waiting) -> None:
        answer = waiting.answer
        key = hashlib.sha256(b"\x1f".join((answer.lease_id.encode(), answer.judge.encode(), answer.call))).digest()
        if key in self._known:
            return
        try:
            bench.queue.put_nowait(waiting)
        except queue.Full:
            raise BackpressureError(f"{MAX_WAITING} answers wait for {answer.judge} already", retry_after_s=5) from None
        self._known[key] = None
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]
        if bench.thread.ident is None:
            bench.thread.start()

    def _read(self, answer: ProbeAnswer) -> Trace:
        decoded = decode_traces(answer.call, Encoding.JSON, self._redactor)
        calls = tuple(record for record in decoded.records if isinstance(record, Call))
        if not calls:
            raise InputError("holds no call", "call")
        return Trace(answer.trace_id, calls)

    def _work(self, bench: _Bench) -> None:
        while not self._closed.is_set():
            try:
                waiting = bench.queue.get(timeout=IDLE_S)
            except queue.Empty:
                continue
            if waiting is None:
                return
            verdict = self._verdict(bench.judge, waiting)
            if self._closed.is_set():
                return
            if verdict.good is None:
                log.warning("probe not judged", judge=verdict.judge, lease=verdict.lease_id, reason=verdict.reason)
            try:
                waiting.tell(verdict)
            except HoldfastError as error:
                log.error("verdict on a probe is lost", judge=verdict.judge, lease=verdict.lease_id, error=str(error))

    def _verdict(self, judge: Judge, waiting: _Waiting) -> ProbeVerdict:
        answer, now_ns = waiting.answer, self._clock.now_ns
        if now_ns() - answer.time_ns > PATIENCE_S * NS_PER_S:
            return answer.verdict(None, f"it waited more than {PATIENCE_S:g} s for the judge", now_ns())
        try:
            (outcome,) = judge.score_many([waiting.trace])
        except Exception as error:  # noqa: BLE001 - the runner's edge: a judge that breaks leaves the probe unjudged, and says so
            outcome = error
        if isinstance(outcome, Exception):
            return answer.verdict(None, f"{type(outcome).__name__}: {outcome}", now_ns())
        found = next((s for s in self._calibrated(waiting.trace, outcome) if s.metric == judge.metrics[0].name), None)
        if found is None:
            return answer.verdict(None, "the call lacks a text that the judge reads", now_ns())
        reason = f"{found.metric} {found.value:.2f}" + (f": {found.why}" if found.why else "")
        return answer.verdict(found.value < BAD_AT, reason, now_ns())

    def _calibrated(self, trace: Trace, scores: tuple[Score, ...]) -> tuple[Score, ...]:
        return self._calibrator.apply(ScoredTrace(trace, scores)).scores

    def close(self) -> None:
        """No more is judged: what waits stays unjudged, and gateways send newer answers to whoever serves next."""
        self._closed.set()
        with self._lock:
            started = [bench for bench in self._benches.values() if bench.thread.ident is not None]
        for bench in started:
            with suppress(queue.Full):
                bench.queue.put_nowait(None)
        for bench in started:
            bench.thread.join(CLOSE_S)
