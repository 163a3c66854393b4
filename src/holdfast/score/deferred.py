"""Scores that come later than their trace: scorers that wait for somebody else work beside the pipeline, never in it.

A score that is late is a call of its own, a child of the call that it is about, with that call's time and dimensions: detection,
storage and diagnosis take it like any other, and its onset is that of the scored call, not of the answer.
"""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from holdfast.core.call import Call, Kind
from holdfast.core.score import Failed, Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.score.protocol import Scorer
from holdfast.score.run import MAX_MESSAGE, Coverage

CONVENTION = "holdfast"
"""`Call.convention` of the calls that carry late scores."""
IDLE_S = 1.0
PATIENCE_S = 600.0
CLOSE_S = 5.0

Outcome = tuple[Score, ...] | Exception
Key = tuple[str, str]


class DeferredScorer(Scorer, Protocol):
    """A scorer that may wait for a network, a model or a person's service."""

    @property
    def batch(self) -> int:
        """Traces that it takes at once."""
        ...

    @property
    def queue(self) -> int:
        """Traces that may wait for it."""
        ...

    @property
    def workers(self) -> int:
        """Batches that it works on at a time."""
        ...

    def due(self, trace: Trace) -> bool:
        """Whether this trace is to be scored at all. Cheap, and the same whenever it is asked."""
        ...

    def score_many(self, traces: Sequence[Trace]) -> list[Outcome]:
        """The scores of each trace, or why there are none."""
        ...


class _Lane:
    """One scorer with the traces that wait for it (`waiting`), and all that were not yet given back (`pending`)."""

    def __init__(self, scorer: DeferredScorer) -> None:
        self.scorer = scorer
        self.waiting: deque[Trace] = deque()
        self.pending: dict[Key, Trace] = {}
        self.working = 0
        self.coverage = Coverage()


class DeferredScoring:
    """Deferred scorers at work, each with its own bounded queue and threads: one that hangs holds up no other.

    Args:
        trace_of: reads a trace by its id, for `restore`; None where it is gone.
        patient: `take` waits until everything that was submitted is answered, as a replay wants it; a server does not wait.
    """

    def __init__(
        self,
        scorers: Sequence[DeferredScorer] = (),
        trace_of: Callable[[str], Trace | None] = lambda _: None,
        patient: bool = False,
    ) -> None:
        self._trace_of = trace_of
        self._lanes = tuple(_Lane(scorer) for scorer in scorers)
        self._patient = patient
        self._changed = threading.Condition()
        self._ready: list[tuple[_Lane, Key, ScoredTrace]] = []
        self._closed = False
        self._threads: list[threading.Thread] = []

    @property
    def coverage(self) -> dict[str, Coverage]:
        """How often each scorer gave scores, failed, or was not due, since the start."""
        return {lane.scorer.name: lane.coverage for lane in self._lanes}

    def submit(self, traces: Iterable[Trace]) -> None:
        """Queues the traces that are due. One that finds its queue full is told as a failure, at once."""
        if not self._lanes:
            return
        self._start()
        for trace in traces:
            for lane in self._lanes:
                self._offer(lane, trace)

    def take(self) -> list[ScoredTrace]:
        """What became ready since the last time: each a trace of one call that carries the scores, or the failure."""
        if not self._lanes:
            return []
        with self._changed:
            if self._patient and not self._changed.wait_for(self._idle, PATIENCE_S):
                self._give_up()
            ready, self._ready = self._ready, []
            for lane, key, _ in ready:
                lane.pending.pop(key, None)
        return [scored for _, _, scored in ready]

    def snapshot(self) -> bytes:
        """Which traces are owed to which scorer, for `restore` after a restart."""
        with self._changed:
            owed = {lane.scorer.name: [trace_id for trace_id, _ in lane.pending] for lane in self._lanes}
        return msgspec.msgpack.encode(owed)

    def restore(self, snapshot: bytes) -> None:
        """Queues again what was owed. A trace that is gone is owed no longer.

        Raises:
            msgspec.MsgspecError: `snapshot` did not come from there.
        """
        owed = msgspec.msgpack.decode(snapshot, type=dict[str, list[str]])
        for lane in self._lanes:
            for trace_id in owed.get(lane.scorer.name, ()):
                trace = self._trace_of(trace_id)
                if trace is not None:
                    self._start()
                    self._offer(lane, trace)

    def close(self) -> None:
        """Stops the threads. What is still owed stays in the last snapshot."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(CLOSE_S)

    def _start(self) -> None:
        if self._threads or self._closed:
            return
        for lane in self._lanes:
            for number in range(lane.scorer.workers):
                name = f"score-{lane.scorer.name}-{number}"
                self._threads.append(threading.Thread(target=self._work, args=(lane,), name=name, daemon=True))
        for thread in self._threads:
            thread.start()

    def _offer(self, lane: _Lane, trace: Trace) -> None:
        try:
            due = lane.scorer.due(trace)
        except Exception as error:  # noqa: BLE001 - the runner's edge: a broken scorer must be seen, and must not stop the rest
            with self._changed:
                self._finish(lane, _key(trace), trace, error)
            return
        if not due:
            lane.coverage.skipped += 1
            return
        key = _key(trace)
        with self._changed:
            if key in lane.pending:
                return
            elif len(lane.pending) >= lane.scorer.queue and not self._patient:
                self._finish(lane, key, trace, QueueFullError(f"{lane.scorer.queue} traces wait for it already"))
            else:
                lane.pending[key] = trace
                lane.waiting.append(trace)
                self._changed.notify_all()

    def _idle(self) -> bool:
        return not any(lane.waiting or lane.working for lane in self._lanes)

    def _give_up(self) -> None:
        done = {(id(lane), key) for lane, key, _ in self._ready}
        for lane in self._lanes:
            lane.waiting.clear()
            for key, trace in lane.pending.items():
                if (id(lane), key) not in done:
                    self._finish(lane, key, trace, TimeoutError(f"no answer within {PATIENCE_S:g} s"))

    def _work(self, lane: _Lane) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: lane.waiting or self._closed, IDLE_S)
                if self._closed:
                    return
                batch = [lane.waiting.popleft() for _ in range(min(lane.scorer.batch, len(lane.waiting)))]
                lane.working += len(batch)
            if batch:
                outcomes = _scored(lane.scorer, batch)
                with self._changed:
                    for trace, outcome in zip(batch, outcomes, strict=True):
                        if _key(trace) in lane.pending:
                            self._finish(lane, _key(trace), trace, outcome)
                    lane.working -= len(batch)
                    self._changed.notify_all()

    def _finish(self, lane: _Lane, key: Key, trace: Trace, outcome: Outcome) -> None:
        """Notes an outcome; the lock is held."""
        if isinstance(outcome, Exception):
            lane.coverage.failed += 1
        elif outcome:
            lane.coverage.ran += 1
        else:
            lane.coverage.skipped += 1
            lane.pending.pop(key, None)
            return
        self._ready.append((lane, key, late(lane.scorer, trace, outcome)))


class QueueFullError(Exception):
    """More traces are due than the scorer can take."""


def _scored(scorer: DeferredScorer, batch: list[Trace]) -> list[Outcome]:
    try:
        outcomes = scorer.score_many(batch)
    except Exception as error:  # noqa: BLE001 - the runner's edge: a broken scorer must be seen, and must not stop the rest
        return [error] * len(batch)
    if len(outcomes) != len(batch):
        return [ValueError(f"{len(outcomes)} outcomes for {len(batch)} traces")] * len(batch)
    return outcomes


def _key(trace: Trace) -> Key:
    return trace.trace_id, _anchor(trace).span_id


def _anchor(trace: Trace) -> Call:
    return trace.answering or trace.root


def late(scorer: Scorer, trace: Trace, outcome: Outcome) -> ScoredTrace:
    """Scores or the failure of one trace as a call of their own, whose span id is derived: the same again is the same call."""
    anchor = _anchor(trace)
    told = "\x1f".join((trace.trace_id, anchor.span_id, scorer.name))
    call = Call(
        trace_id=trace.trace_id,
        span_id=hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        parent_span_id=anchor.span_id,
        name=scorer.name,
        kind=Kind.EVALUATION,
        start_ns=anchor.end_ns,
        end_ns=anchor.end_ns,
        dimensions=anchor.dimensions,
        convention=CONVENTION,
    )
    carrier = Trace(trace.trace_id, (call,))
    if not isinstance(outcome, Exception):
        return ScoredTrace(carrier, tuple(msgspec.structs.replace(score, span_id=call.span_id) for score in outcome))
    failure = Failed(
        trace_id=trace.trace_id,
        span_id=call.span_id,
        scorer=scorer.name,
        version=scorer.version,
        error_type=type(outcome).__name__,
        message=str(outcome)[:MAX_MESSAGE],
    )
    return ScoredTrace(carrier, (), (failure,))
