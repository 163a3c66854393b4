"""Where scoring runs: in this process, or in one beside it, so that scorers and detectors each have a core."""

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from typing import Protocol

import msgspec
import structlog

from holdfast.core.call import Call
from holdfast.core.errors import StoreError
from holdfast.core.score import Failed, Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.ingest.child import end, follow_parent
from holdfast.score.protocol import Scorer
from holdfast.score.run import Coverage, Scoring

log = structlog.get_logger(__name__)

ANSWER_S = 120.0
"""A portion that is not scored by then never will be: the process is ended, and its traces are tried one by one."""
START_S = 120.0
"""The process imports everything first; that is no part of `ANSWER_S`."""
MOST_DEATHS = 3
"""Traces of one portion that may each end a process; what is left of the portion then fails unscored."""

_Died = (BrokenExecutor, TimeoutError)


class Pending(Protocol):
    """Traces on their way through the scorers."""

    def done(self) -> bool:
        """Whether `result` has no need to wait."""
        ...

    def result(self) -> list[ScoredTrace]:
        """All of them, in their order; waits for at most `ANSWER_S` times the number of processes that they cost."""
        ...


class Scores(Protocol):
    """What the pipeline asks of scoring. Portions are scored in the order in which they were begun."""

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """By scorer, of all results that were taken."""
        ...

    def begin(self, traces: Sequence[Trace]) -> Pending:
        """Have these scored. The caller bounds how many portions are under way."""
        ...

    def snapshot(self) -> bytes:
        """What the scorers remember, once all results are taken."""
        ...

    def restore(self, memories: bytes) -> None:
        """Take over what `snapshot` gave; raises `msgspec.MsgspecError` where it is none."""
        ...

    def close(self) -> None:
        """No more is to be scored."""
        ...


class Scored:
    """A `Pending` of traces that are scored already."""

    def __init__(self, scored: list[ScoredTrace]) -> None:
        self._scored = scored

    def done(self) -> bool:
        """They are there."""
        return True

    def result(self) -> list[ScoredTrace]:
        """All of them."""
        return self._scored


class ScoringHere:
    """Scores at once, on the caller's thread."""

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        """Raises as `Scoring` does."""
        self._scoring = Scoring(scorers)

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """By scorer."""
        return self._scoring.coverage

    def begin(self, traces: Sequence[Trace]) -> Pending:
        """Scores them."""
        return Scored(self._scoring.score(traces))

    def snapshot(self) -> bytes:
        """What the scorers remember."""
        return self._scoring.snapshot()

    def restore(self, memories: bytes) -> None:
        """Takes over what `snapshot` gave."""
        self._scoring.restore(memories)

    def close(self) -> None:
        """Nothing is held."""


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    """What became of a portion: scores and failures by trace, and what it adds to the coverage."""

    said: list[tuple[tuple[Score, ...], tuple[Failed, ...]]]
    coverage: dict[str, Coverage]


_encode = msgspec.msgpack.Encoder().encode
_decode_traces = msgspec.msgpack.Decoder(list[tuple[str, tuple[Call, ...]]]).decode
_decode_answer = msgspec.msgpack.Decoder(_Answer).decode


class ScoringApart:
    """Scores in a process of its own, which ends when this one does.

    A trace that ends the process, or holds it up for `answer_s`, gets a `Failed` of every scorer, and a new process goes on:
    with what the scorers remembered at the last `snapshot`.

    Args:
        scorers: gives the scorers; a function of a module, called in the other process.
        begin: called there first, such as to settle memory.
        answer_s: see `ANSWER_S`.

    Raises:
        StoreError: from any method: the process does not come up.
    """

    def __init__(
        self, scorers: Callable[[], Sequence[Scorer]], begin: Callable[[], None] | None = None, answer_s: float = ANSWER_S
    ) -> None:
        self._scorers, self._begin, self._answer_s = scorers, begin, answer_s
        self._coverage: dict[str, Coverage] = {scorer.name: Coverage() for scorer in scorers()}
        self._memories = b""
        self._executor, self._pid = self._started()

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """By scorer, of all results that were taken."""
        return self._coverage

    def begin(self, traces: Sequence[Trace]) -> Pending:
        """Sends them over."""
        if not traces:
            return Scored([])
        return _Sent(traces, self._submit(traces), self._taken)

    def snapshot(self) -> bytes:
        """What the scorers over there remember; what they did last time where they cannot say."""
        try:
            self._memories = self._executor.submit(_snapshot).result(self._answer_s)
        except _Died as error:
            self._restart(error)
        return self._memories

    def restore(self, memories: bytes) -> None:
        """Takes over what `snapshot` gave."""
        Scoring(self._scorers()).restore(memories)  # refuses here what is no snapshot
        self._memories = memories
        self._executor.submit(_restore, memories)

    def close(self) -> None:
        """Ends the process; what is under way is lost."""
        end(self._executor)

    def _started(self) -> tuple[ProcessPoolExecutor, "Future[int]"]:
        executor = ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), _prepare, (self._scorers, self._begin, self._memories)
        )
        return executor, executor.submit(os.getpid)

    def _restart(self, error: BaseException) -> None:
        came_up = self._pid.done() and self._pid.exception() is None
        end(self._executor)
        if not came_up:
            raise StoreError(f"the scoring process did not start: {error}") from error
        log.error("the scoring process ended, starting another one", error=f"{type(error).__name__}: {error}")
        self._executor, self._pid = self._started()

    def _submit(self, traces: Sequence[Trace]) -> "Future[bytes]":
        payload = _encode([(trace.trace_id, trace.calls) for trace in traces])
        try:
            return self._executor.submit(_score, payload)
        except BrokenExecutor as error:
            self._restart(error)
            return self._executor.submit(_score, payload)

    def _taken(self, traces: Sequence[Trace], future: "Future[bytes]") -> list[ScoredTrace]:
        """The result of a portion; where the process ended over it, that of each trace alone."""
        try:
            self._pid.result(START_S)
            return self._scored(traces, future.result(self._answer_s))
        except _Died as error:
            if len(traces) == 1:
                self._restart(error)
                return self._unscored(traces, error)
        scored, deaths = list[ScoredTrace](), 0
        for number, trace in enumerate(traces):
            one = self._taken([trace], self._submit([trace]))
            scored += one
            deaths += len(one[0].failures) == len(self._coverage)
            if deaths == MOST_DEATHS:
                cause = BrokenExecutor(f"{deaths} traces of the portion ended the scoring process")
                return scored + self._unscored(traces[number + 1 :], cause)
        return scored

    def _scored(self, traces: Sequence[Trace], answer: bytes) -> list[ScoredTrace]:
        found = _decode_answer(answer)
        for name, more in found.coverage.items():
            sums = self._coverage.setdefault(name, Coverage())
            sums.ran += more.ran
            sums.failed += more.failed
            sums.skipped += more.skipped
        return [ScoredTrace(trace, *said) for trace, said in zip(traces, found.said, strict=True)]

    def _unscored(self, traces: Sequence[Trace], error: BaseException) -> list[ScoredTrace]:
        """These traces with a failure of every scorer."""
        why = str(error) or f"no answer within {self._answer_s:g} s"
        scorers = self._scorers()
        for scorer in scorers:
            self._coverage[scorer.name].failed += len(traces)
        return [
            ScoredTrace(
                trace,
                (),
                tuple(
                    Failed(
                        trace_id=trace.trace_id,
                        span_id=(trace.answering or trace.root).span_id,
                        scorer=scorer.name,
                        version=scorer.version,
                        error_type=type(error).__name__,
                        message=why,
                    )
                    for scorer in scorers
                ),
            )
            for trace in traces
        ]


class _Sent:
    """Traces in the other process."""

    def __init__(
        self,
        traces: Sequence[Trace],
        future: "Future[bytes]",
        take: Callable[[Sequence[Trace], "Future[bytes]"], list[ScoredTrace]],
    ) -> None:
        self._traces, self._future, self._take = traces, future, take

    def done(self) -> bool:
        return self._future.done()

    def result(self) -> list[ScoredTrace]:
        return self._take(self._traces, self._future)


_there: list[Scoring] = []
"""The scorers of the other process."""


def _prepare(scorers: Callable[[], Sequence[Scorer]], begin: Callable[[], None] | None, memories: bytes) -> None:
    """First thing in the other process."""
    follow_parent()
    _there[:] = [Scoring(scorers())]
    if memories:
        _there[0].restore(memories)
    if begin is not None:
        begin()


def _score(payload: bytes) -> bytes:
    scoring = _there[0]
    traces = [Trace(trace_id, calls) for trace_id, calls in _decode_traces(payload)]
    before = {name: (c.ran, c.failed, c.skipped) for name, c in scoring.coverage.items()}
    said = [(one.scores, one.failures) for one in scoring.score(traces)]
    added = {
        name: Coverage(c.ran - before[name][0], c.failed - before[name][1], c.skipped - before[name][2])
        for name, c in scoring.coverage.items()
    }
    return _encode(_Answer(said, added))


def _snapshot() -> bytes:
    return _there[0].snapshot()


def _restore(memories: bytes) -> None:
    _there[0].restore(memories)
