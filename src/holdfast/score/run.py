"""Runs scorers over traces: the edge where an exception becomes a `Failed`."""

from collections.abc import Sequence
from time import thread_time

import msgspec
import structlog

from holdfast.core.score import Failed, Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.score.protocol import Preparing, Remembering, Scorer, Summary
from holdfast.score.reading import TOGETHER
from holdfast.score.registry import SUMMARIES

log = structlog.get_logger(__name__)

MAX_MESSAGE = 300
BUDGET_S = 20.0
"""CPU seconds that a scorer may spend on one trace: ten times what the dearest one takes for the longest text that it reads.

A backstop. What scorers read is capped, so that whoever gets here is being attacked, or broken. Nothing is interrupted: where a
scorer never comes back, `holdfast.scoring.ScoringApart` ends its process.
"""


class _Memories(msgspec.Struct, frozen=True):
    """What one scorer remembers, and which version of it."""

    version: str
    snapshot: bytes


_decode_memories = msgspec.msgpack.Decoder(dict[str, _Memories]).decode


class Coverage(msgspec.Struct):
    """How often one scorer gave scores, failed, or did not apply. Their sum is the number of traces seen."""

    ran: int = 0
    failed: int = 0
    skipped: int = 0


class Scoring:
    """A set of scorers at work. `coverage` counts by scorer name since the start."""

    def __init__(self, scorers: Sequence[Scorer], summaries: Sequence[Summary] = SUMMARIES, budget_s: float = BUDGET_S) -> None:
        """Scorers that remember start without memories. A scorer that spends more than `budget_s` on a trace has failed on it.

        Raises:
            ValueError: two scorers have the same name.
        """
        self._budget_s = budget_s
        self.scorers: tuple[Scorer, ...] = tuple(s.fresh() if isinstance(s, Remembering) else s for s in scorers)
        names = [*(s.name for s in self.scorers), *(s.name for s in summaries)]
        self.coverage: dict[str, Coverage] = {name: Coverage() for name in names}
        if len(self.coverage) != len(names):
            raise ValueError("two scorers have the same name")
        self._preparing = [s for s in self.scorers if isinstance(s, Preparing)]
        self._summaries = tuple(summaries)
        self._work = tuple((s.score, s, self.coverage[s.name]) for s in self.scorers)

    def score(self, traces: Sequence[Trace]) -> list[ScoredTrace]:
        """All that the scorers say of each trace, in their order. Never raises: a scorer that does is told as a failure."""
        scored: list[ScoredTrace] = []
        for start in range(0, len(traces), TOGETHER):
            scored += self._portion(traces[start : start + TOGETHER])
        return scored

    def _portion(self, traces: Sequence[Trace]) -> list[ScoredTrace]:
        self._prepare(traces)
        scores: list[list[Score]] = [[] for _ in traces]
        failures: list[list[Failed]] = [[] for _ in traces]
        # One scorer after the other, not one trace after the other: its code and tables are then at hand, which halves its time.
        for score, scorer, coverage in self._work:
            began = thread_time()
            for trace, found, failed in zip(traces, scores, failures, strict=True):
                try:
                    new = tuple(score(trace))
                    began = self._within_budget(began)
                except Exception as error:  # noqa: BLE001 - the runner's edge: a broken scorer must be seen, and must not stop the rest
                    coverage.failed += 1
                    failed.append(_failed(scorer, trace, error))
                    began = thread_time()
                    continue
                coverage.ran += bool(new)
                coverage.skipped += not new
                found += new
        for summary in self._summaries:
            self._summarise(summary, traces, scores, failures)
        return [ScoredTrace(*parts) for parts in zip(traces, map(tuple, scores), map(tuple, failures), strict=True)]

    def _within_budget(self, began: float) -> float:
        """The CPU time of this thread by now."""
        now = thread_time()
        if now - began > self._budget_s:
            raise TimeoutError(f"took {now - began:.1f} s of CPU time, {self._budget_s:g} s are allowed")
        return now

    def _summarise(
        self, summary: Summary, traces: Sequence[Trace], scores: list[list[Score]], failures: list[list[Failed]]
    ) -> None:
        coverage = self.coverage[summary.name]
        for trace, found, failed in zip(traces, scores, failures, strict=True):
            try:
                new = summary.summarise(found)
            except Exception as error:  # noqa: BLE001 - the runner's edge, as for a scorer
                coverage.failed += 1
                failed.append(_failed(summary, trace, error))
                continue
            coverage.ran += bool(new)
            coverage.skipped += not new
            found += new

    def _prepare(self, traces: Sequence[Trace]) -> None:
        for scorer in self._preparing:
            try:
                scorer.prepare(traces)
            except Exception as error:  # noqa: BLE001 - the runner's edge: `score` meets the same trace alone, and there it counts
                log.warning("a scorer could not prepare", scorer=type(scorer).__name__, error=repr(error)[:MAX_MESSAGE])

    def snapshot(self) -> bytes:
        """What the scorers remember of earlier traces, for `restore` after a restart."""
        remembering = [s for s in self.scorers if isinstance(s, Remembering)]
        return msgspec.msgpack.encode({s.name: _Memories(s.version, s.snapshot()) for s in remembering})

    def restore(self, snapshot: bytes) -> None:
        """Takes over what `snapshot` gave. A scorer of another version by now starts without memories.

        Raises:
            msgspec.MsgspecError: `snapshot` did not come from there.
        """
        known = _decode_memories(snapshot)
        for scorer in self.scorers:
            memories = known.get(scorer.name)
            if memories is not None and memories.version == scorer.version and isinstance(scorer, Remembering):
                scorer.restore(memories.snapshot)


def _failed(scorer: Scorer | Summary, trace: Trace, error: Exception) -> Failed:
    return Failed(
        trace_id=trace.trace_id,
        span_id=(trace.answering or trace.root).span_id,
        scorer=scorer.name,
        version=scorer.version,
        error_type=type(error).__name__,
        message=str(error)[:MAX_MESSAGE],
    )
