"""`analyze`: files through the same pipeline as the server."""

import os
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import closing
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

from holdfast.app.scorers import build_scorers, extended
from holdfast.app.stages import build_stages, redaction_policy, scoring_beside, scoring_here
from holdfast.context.redact import Redactor
from holdfast.core.call import Kind
from holdfast.core.change import Change
from holdfast.core.clock import SystemClock
from holdfast.core.errors import InputError
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.ingest.changes import read_changes
from holdfast.ingest.child import settle_memory
from holdfast.ingest.jsonl import Progress as FileProgress
from holdfast.ingest.reading import Reading, read_encoded
from holdfast.ingest.record import Record, Rejected
from holdfast.ingest.spool import Spool
from holdfast.ledger.store import Ledger
from holdfast.pipeline import Pipeline
from holdfast.replay import replay
from holdfast.report.analysis import Analysis, ChangesRead, MetricSummary
from holdfast.report.instrumentation import InstrumentationTally
from holdfast.scoring import Scores
from holdfast.settings import Settings
from holdfast.telemetry.scratch import ScratchStore

SHORT_RECORDS = 5_000
MOST_JOBS = 8
MOST_SCOPES = 100
"""Dimensions that scopes of changes may name and be told of: they come from outside."""
ANALYSIS_KEY = b"holdfast analyze keeps nothing"
"""Pseudonyms of an analysis: the same in every run, so that two runs print the same. Nothing of it is stored."""


def said_apart(trace: Trace) -> bool:
    """Whether it is no request but a judgement that came apart from its span, of a known call or of one that never came."""
    return len(trace.calls) == 1 and trace.root.kind is Kind.EVALUATION and not trace.root.mapper_version


class _Tally:
    """Counts and means over all that was scored."""

    def __init__(self) -> None:
        self.calls = 0
        self.requests = 0
        self.dimensions: set[str] = set()
        self.start_ns: int | None = None
        self.end_ns: int | None = None
        self.instrumentation = InstrumentationTally()
        self._sums: dict[str, tuple[int, float]] = {}

    def __call__(self, scored: Sequence[ScoredTrace]) -> None:
        self.instrumentation.add([item for item in scored if item.trace.addendum or not said_apart(item.trace)])
        for item in scored:
            if not said_apart(item.trace):
                self._request(item.trace)
            for score in item.scores:
                count, total = self._sums.get(score.metric, (0, 0.0))
                self._sums[score.metric] = (count + 1, total + score.value)

    def _request(self, trace: Trace) -> None:
        self.calls += len(trace.calls)
        self.requests += not trace.addendum
        self.dimensions.update(trace.dimensions)
        self.start_ns = trace.start_ns if self.start_ns is None else min(self.start_ns, trace.start_ns)
        self.end_ns = trace.end_ns if self.end_ns is None else max(self.end_ns, trace.end_ns)

    def summaries(self) -> list[MetricSummary]:
        """By name."""
        return [MetricSummary(name, count, total / count) for name, (count, total) in sorted(self._sums.items())]


class _Changes:
    """Reads the file of changes, and remembers what to tell of it."""

    def __init__(self, on_rejected: Callable[[Rejected], None]) -> None:
        self._on_rejected = on_rejected
        self._read = self.left_out = 0
        self._scopes: dict[str, None] = {}

    def read(self, path: Path, redactor: Redactor) -> Iterator[Change]:
        """The changes of the file. One without a line is one without a change.

        Raises:
            InputError: it cannot be read, or none of its lines can be used; names file and line.
        """
        first: Rejected | None = None
        for change in read_changes(path, redactor):
            if isinstance(change, Rejected):
                self._on_rejected(change)
                self.left_out += 1
                first = first or change
                continue
            self._read += 1
            if len(self._scopes) < MOST_SCOPES:
                self._scopes.update(dict.fromkeys(list(change.scope)[:MOST_SCOPES]))
            yield change
        if first is not None and not self._read:
            raise InputError(f"holds no change that can be used: {first.reason}", first.where)

    def found(self, dimensions: Set[str]) -> ChangesRead:
        """What became of them where calls carry these dimensions."""
        return ChangesRead(self._read, self.left_out, sorted(name for name in self._scopes if name not in dimensions))


class _Begun:
    """Scoring of an input whose length shows while it is read.

    Another process takes a second to start: a short file is done by then, and of a long one the rest is read meanwhile.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._scores: Scores | None = None

    def expect(self, records: int) -> None:
        """So many records are there, and maybe more to come."""
        if self._scores is None and records > SHORT_RECORDS:
            self._scores = scoring_beside(self._share)

    def scores(self) -> Scores:
        """What scores them."""
        if self._scores is None:
            self._scores = scoring_here(self._share)
        return self._scores

    def close(self) -> None:
        """No more is to be scored."""
        if self._scores is not None:
            self._scores.close()


class AnalysisInput:
    """What `analyze` reads, and whom it tells about it."""

    def __init__(
        self,
        traces: Sequence[Path],
        changes: Path | None = None,
        on_read: FileProgress = lambda done, total: None,
        on_rejected: Callable[[Rejected], None] = lambda rejected: None,
        on_replayed: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self.traces, self.changes = traces, changes
        self.on_read, self.on_rejected, self.on_replayed = on_read, on_rejected, on_replayed


def analyze(source: AnalysisInput, settings: Settings) -> Analysis:
    """Reads files and replays them in event time through the same pipeline as the server, on stores that last as long as this.

    Raises:
        InputError: a file cannot be used at all, that of the changes too; names file and line.
    """
    settle_memory()
    scorers = build_scorers(settings, SystemClock())
    policy = redaction_policy(settings)
    redactor = Redactor(policy, ANALYSIS_KEY)
    rejected, changes = 0, _Changes(source.on_rejected)
    begun = _Begun(inf if settings.scoring.second_opinions else 0.0)
    with TemporaryDirectory(prefix="holdfast-analyze-") as folder, Spool() as spool, closing(begun):
        for change in changes.read(source.changes, redactor) if source.changes else ():
            spool.add(change)
        others = len(spool)
        reading = Reading(redaction=policy, key=ANALYSIS_KEY, jobs=min(os.cpu_count() or 1, MOST_JOBS), begin=settle_memory)
        for item in read_encoded(source.traces, reading, source.on_read):
            if isinstance(item, Rejected):
                source.on_rejected(item)
                rejected += not item.ignored
            else:
                spool.add_encoded(*item)
                begun.expect(len(spool))
        with ScratchStore(Path(folder) / "telemetry.sqlite") as telemetry, Ledger(f"sqlite:///{folder}/ledger.sqlite") as ledger:
            scoring = extended(begun.scores(), scorers, lambda _: None, patient=True)
            try:
                tally = _Tally()
                stages = build_stages(settings, telemetry, ledger, scoring, scorers.metrics)
                replay(Pipeline(stages, tally), _counted(spool, source.on_replayed))
            finally:
                scoring.close()
                scorers.close()
            if tally.start_ns is None and len(spool) > others:
                raise InputError("holds no call; change events go to --changes", ", ".join(map(str, source.traces)))
            return Analysis(
                start_ns=tally.start_ns,
                end_ns=tally.end_ns,
                calls=tally.calls,
                requests=tally.requests,
                metrics=tally.summaries(),
                incidents=ledger.incidents(limit=1_000),
                coverage={name: {"ran": c.ran, "failed": c.failed, "skipped": c.skipped} for name, c in scoring.coverage.items()},
                rejected=rejected + changes.left_out,
                changes=changes.found(tally.dimensions),
                instrumentation=tally.instrumentation.found(),
            )


def _counted(spool: Spool, tell: Callable[[int, int], None]) -> Iterator[tuple[int, Record]]:
    total = len(spool)
    for done, item in enumerate(spool):
        if done % 1_000 == 0:
            tell(done, total)
        yield item
    tell(total, total)
