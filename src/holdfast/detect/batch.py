"""From scored traces to columns: what is new, on time and defined, as arrays."""

from collections import Counter, OrderedDict
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.clock import NS_PER_S
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace
from holdfast.detect.columns import ColumnTable
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.segments import SegmentIndex

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STUBBORN_LATE = 20
"""So many late traces in a row are not late: the application's clock was ahead before."""


class TraceRow(msgspec.Struct, frozen=True):
    """One trace of a batch: event time, application (segment number), segments and user of its first scored call."""

    time_ns: int
    app: int
    segments: tuple[int, ...]
    user: str
    scorers: frozenset[str]
    failed: tuple[str, ...]


class Batch(msgspec.Struct, frozen=True):
    """Columns of N scores that are new, on time, and of a known metric.

    `time_ns` is the end of the scored call, `reached_ns` how far its application's event time had come when it arrived (never
    falls); `metric` the number of the metric, `profile` that of the dimensions, `trace` the index into `traces`.
    `recalibrated` holds (application, metric) whose scorer changed its version.
    """

    traces: list[TraceRow]
    scores: list[Score]
    time_ns: Ints
    reached_ns: Ints
    metric: Ints
    value: Floats
    profile: Ints
    trace: Ints
    recalibrated: frozenset[tuple[int, int]]


class _Rows:
    """Columns under construction."""

    def __init__(self) -> None:
        self.traces: list[TraceRow] = []
        self.scores: list[Score] = []
        self.time: list[int] = []
        self.reached: list[int] = []
        self.metric: list[int] = []
        self.value: list[float] = []
        self.profile: list[int] = []
        self.trace: list[int] = []
        self.recalibrated: set[tuple[int, int]] = set()


class Extractor:
    """Turns scored traces into batches, and remembers what it has seen: scores, versions of scorers, event time per application.

    `skipped` counts what did not count, by reason: duplicate, late, untimed, unknown_metric.
    """

    def __init__(self, index: SegmentIndex, table: ColumnTable, policy: DetectPolicy) -> None:
        self._index = index
        self._table = table
        self._policy = policy
        self._late_ns = int(policy.late_s * NS_PER_S)
        self.skipped: Counter[str] = Counter()
        self.reached_ns: dict[int, int] = {}
        self._late_in_row: Counter[int] = Counter()
        self._seen: OrderedDict[str, list[tuple[str, str]]] = OrderedDict()
        self._versions: dict[tuple[int, str], set[tuple[str, str]]] = {}
        self._known: dict[int, dict[tuple[str, str, str], int]] = {}

    def extract(self, traces: Sequence[ScoredTrace]) -> Batch:
        """The batch of these traces."""
        self._index.trim()
        rows = _Rows()
        for scored in traces:
            self._add(scored, rows)
        return Batch(
            rows.traces,
            rows.scores,
            np.array(rows.time, np.int64),
            np.array(rows.reached, np.int64),
            np.array(rows.metric, np.int64),
            np.array(rows.value, np.float64),
            np.array(rows.profile, np.int64),
            np.array(rows.trace, np.int64),
            frozenset(rows.recalibrated),
        )

    def _add(self, scored: ScoredTrace, rows: _Rows) -> None:
        trace = scored.trace
        fresh = self._fresh(trace.trace_id, scored.scores)
        if not fresh and not scored.failures:
            return
        profile_of, ends = self._index.profile, {c.span_id: c for c in trace.calls}
        root = trace.root
        calls: dict[str, tuple[int, int]] = {}
        main = profile_of(root.dimensions)
        app = self._index.service_of(main)
        reached = self._advance(app, max(c.end_ns for c in trace.calls))
        if reached == 0:
            return
        trace_row = len(rows.traces)
        metrics = self._metrics_of(app, fresh, rows)
        if -1 in metrics:
            self.skipped["unknown_metric"] += metrics.count(-1)
            fresh = [score for score, metric in zip(fresh, metrics, strict=True) if metric >= 0]
            metrics = [metric for metric in metrics if metric >= 0]
        spans = [score.span_id for score in fresh]
        for span in dict.fromkeys(spans):
            call = ends.get(span, root)
            calls[span] = (profile_of(call.dimensions), call.end_ns)
        rows.scores.extend(fresh)
        rows.value.extend([score.value for score in fresh])
        rows.metric.extend(metrics)
        for span in spans:
            place = calls[span]
            rows.profile.append(place[0])
            rows.time.append(place[1])
        added = len(spans)
        rows.reached.extend([reached] * added)
        rows.trace.extend([trace_row] * added)
        # Numbers of profiles are void after a trim: rows that are kept hold the segments themselves.
        rows.traces.append(
            TraceRow(
                reached,
                app,
                self._index.profiles[main],
                root.dimensions.get("user", ("",))[0],
                frozenset([s.scorer for s in fresh]),
                tuple(f.scorer for f in scored.failures),
            )
        )

    def _metrics_of(self, app: int, scores: Sequence[Score], rows: _Rows) -> list[int]:
        """Number of the metric of each score, −1 where nobody defined it."""
        known = self._known.setdefault(app, {})
        found = []
        for score in scores:
            metric = known.get((score.metric, score.scorer, score.version))
            found.append(self._new_version(app, score, rows) if metric is None else metric)
        return found

    def _fresh(self, trace_id: str, scores: tuple[Score, ...]) -> Sequence[Score]:
        """The scores that did not count before."""
        keys = [(s.span_id, s.metric) for s in scores]
        before = self._seen.get(trace_id)
        if before is None and len(set(keys)) == len(keys):
            self._seen[trace_id] = keys
            if len(self._seen) > self._policy.remembered_traces:
                self._seen.popitem(last=False)
            return scores
        done = set(before or ())
        fresh = []
        for key, score in zip(keys, scores, strict=True):
            if key in done:
                self.skipped["duplicate"] += 1
                continue
            done.add(key)
            fresh.append(score)
        self._seen[trace_id] = sorted(done)
        if len(self._seen) > self._policy.remembered_traces:
            self._seen.popitem(last=False)
        return fresh

    def _advance(self, app: int, time_ns: int) -> int:
        """How far the application's event time has come; 0 where this trace does not count."""
        if time_ns <= 0:
            self.skipped["untimed"] += 1
            return 0
        reached = self.reached_ns.get(app, 0)
        if time_ns >= reached - self._late_ns:
            self._late_in_row[app] = 0
            self.reached_ns[app] = reached = max(reached, time_ns)
            return reached
        self._late_in_row[app] += 1
        if self._late_in_row[app] >= STUBBORN_LATE:
            self.reached_ns[app] = time_ns
            return time_ns
        self.skipped["late"] += 1
        return 0

    def _new_version(self, app: int, score: Score, rows: _Rows) -> int:
        """Number of the metric of a score whose scorer, or the version of it, was not seen before."""
        metric = self._table.metric_index(score.metric)
        self._known.setdefault(app, {})[score.metric, score.scorer, score.version] = metric
        versions = self._versions.setdefault((app, score.metric), set())
        if versions and metric >= 0:
            rows.recalibrated.add((app, metric))
        versions.add((score.scorer, score.version))
        return metric

    def state(self) -> dict[str, object]:
        """What must survive a restart, in plain values."""
        return {
            "skipped": dict(self.skipped),
            "reached": self.reached_ns,
            "late": dict(self._late_in_row),
            "seen": [(trace_id, keys) for trace_id, keys in self._seen.items()],
            "known": sorted((app, *key) for app, known in self._known.items() for key in known),
        }

    def load(self, state: dict[str, object]) -> None:
        """Take over what `state` gave."""
        plain = msgspec.convert(state, _State)
        self.skipped = Counter(plain.skipped)
        self.reached_ns = plain.reached
        self._late_in_row = Counter(plain.late)
        self._seen = OrderedDict(plain.seen)
        self._known, self._versions = {}, {}
        for app, name, scorer, version in plain.known:
            self._known.setdefault(app, {})[name, scorer, version] = self._table.metric_index(name)
            self._versions.setdefault((app, name), set()).add((scorer, version))


class _State(msgspec.Struct):
    skipped: dict[str, int]
    reached: dict[int, int]
    late: dict[int, int]
    seen: list[tuple[str, list[tuple[str, str]]]]
    known: list[tuple[int, str, str, str]]
