"""Scoring with what a user adds to it: scores that come late, and what people's labels taught."""

from collections.abc import Mapping, Sequence

import msgspec

from holdfast.core.trace import ScoredTrace, Trace
from holdfast.score.calibrator import Calibrator
from holdfast.score.deferred import DeferredScoring
from holdfast.score.run import Coverage
from holdfast.scoring import Pending, Scores


class _Snapshot(msgspec.Struct, frozen=True):
    """What the inner scorers remember, and which late scores are owed."""

    inner: bytes
    owed: bytes


class LateScoring:
    """Another way of scoring, extended: its results are followed by late scores that became ready, and all are calibrated.

    It is a `holdfast.scoring.Scores` itself, so that the pipeline does not know the difference.
    """

    def __init__(self, inner: Scores, deferred: DeferredScoring, calibrator: Calibrator) -> None:
        self._inner, self._deferred, self._calibrator = inner, deferred, calibrator

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """By scorer, the deferred ones included."""
        return {**self._inner.coverage, **self._deferred.coverage}

    def begin(self, traces: Sequence[Trace]) -> Pending:
        """Have these scored. Deferred scorers are told of them when the result is taken."""
        return _Extended(traces, self._inner.begin(traces), self._deferred, self._calibrator)

    def snapshot(self) -> bytes:
        """What the scorers remember, and what is owed."""
        return msgspec.msgpack.encode(_Snapshot(self._inner.snapshot(), self._deferred.snapshot()))

    def restore(self, memories: bytes) -> None:
        """Takes over what `snapshot` gave.

        Raises:
            msgspec.MsgspecError: it did not come from there.
        """
        plain = msgspec.msgpack.decode(memories, type=_Snapshot)
        self._inner.restore(plain.inner)
        self._deferred.restore(plain.owed)

    def close(self) -> None:
        """No more is to be scored."""
        self._deferred.close()
        self._inner.close()


class _Extended:
    """A portion of traces on its way."""

    def __init__(self, traces: Sequence[Trace], inner: Pending, deferred: DeferredScoring, calibrator: Calibrator) -> None:
        self._traces, self._inner, self._deferred, self._calibrator = traces, inner, deferred, calibrator

    def done(self) -> bool:
        """Whether the inner result is there: late scores are never waited for, unless a replay wants that."""
        return self._inner.done()

    def result(self) -> list[ScoredTrace]:
        """The inner result, then what became ready meanwhile."""
        scored = self._inner.result()
        self._deferred.submit(self._traces)
        return [self._calibrator.apply(one) for one in (*scored, *self._deferred.take())]
