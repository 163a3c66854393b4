"""From scored traces to columns: what is new, on time and defined, as arrays."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.clock import NS_PER_S
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.detect.columns import ColumnTable
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.recognised import Recognised, pack
from holdfast.detect.segments import SegmentIndex

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STUBBORN_LATE = 20
"""So many late traces in a row are not late: the application's clock was ahead before."""
MAX_SHAPES = 4096
MAX_VERSIONS = 2000
"""(metric, scorer, version) remembered of an application."""


class TraceRow(msgspec.Struct, frozen=True):
    """One trace of a batch: event time, application (segment number), segments and user of its first scored call.

    `addendum`: as of `Trace`; it is no traffic.
    """

    time_ns: int
    app: int
    segments: tuple[int, ...]
    user: str
    scorers: frozenset[str]
    failed: tuple[str, ...]
    addendum: bool = False


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


class _Shape:
    """What is alike in many traces: the metrics of their scores in order, and the versions of the scorers that told them."""

    def __init__(self, numbers: list[int], scores: Sequence[Score]) -> None:
        self.numbers = np.array(numbers, np.int64)
        self.packed = pack(numbers)
        self.distinct = len(set(numbers)) == len(numbers)
        self.unknown = numbers.count(-1)
        self.scorers = frozenset([s.scorer for s in scores])
        self.versions = {(s.metric, s.scorer, s.version): n for s, n in zip(scores, numbers, strict=True)}
        self.noted: set[int] = set()
        """Applications whose versions of scorers these are already."""


class _Rows:
    """Columns under construction: scores one by one; what their trace or span says of them, with how many or which they are."""

    def __init__(self) -> None:
        self.traces: list[TraceRow] = []
        self.scores: list[Score] = []
        self.value: list[float] = []
        self.metric: list[Ints] = [np.empty(0, np.int64)]
        self.place: list[int] = []
        self.profile: list[int] = []
        self.time: list[int] = []
        self.count: list[int] = []
        self.recalibrated: set[tuple[int, int]] = set()


class Extractor:
    """Turns scored traces into batches, and remembers what it has seen: scores, versions of scorers, event time per application.

    `skipped` counts what did not count, by reason: duplicate, late, untimed, unknown_metric.
    """

    def __init__(self, index: SegmentIndex, table: ColumnTable, policy: DetectPolicy) -> None:
        self._index = index
        self._table = table
        self._late_ns = int(policy.late_s * NS_PER_S)
        self.skipped: Counter[str] = Counter()
        self.reached_ns: dict[int, int] = {}
        self._late_in_row: Counter[int] = Counter()
        self._recognised = Recognised(policy.remembered_traces)
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._known: dict[int, dict[tuple[str, str, str], None]] = {}

    def extract(self, traces: Sequence[ScoredTrace]) -> Batch:
        """The batch of these traces."""
        self._index.trim()
        rows = _Rows()
        for scored in traces:
            self._add(scored, rows)
        place, count = np.array(rows.place, np.int64), np.array(rows.count, np.int64)
        profile = np.array(rows.profile, np.int64)
        reached = np.array([row.time_ns for row in rows.traces], np.int64)
        return Batch(
            rows.traces,
            rows.scores,
            np.array(rows.time, np.int64)[place],
            np.repeat(reached, count),
            np.concatenate(rows.metric),
            np.array(rows.value, np.float64),
            profile[place],
            np.repeat(np.arange(len(rows.traces)), count),
            frozenset(rows.recalibrated),
        )

    def _add(self, scored: ScoredTrace, rows: _Rows) -> None:
        trace, scores = scored.trace, scored.scores
        spans = [score.span_id for score in scores]
        shape = self._shape(scores)
        fresh = self._recognised.fresh(trace.trace_id, spans, shape.packed, shape.distinct)
        if fresh is not None:
            self.skipped["duplicate"] += len(scores) - len(fresh)
            scores = tuple([scores[i] for i in fresh])
        if not scores and not scored.failures:
            return
        root = trace.root
        main = self._index.profile(root.dimensions)
        app = self._index.service_of(main)
        reached = self._advance(app, max([c.end_ns for c in trace.calls]))
        if reached == 0:
            return
        if fresh is not None:
            shape = self._shape(scores)
        if shape.unknown:
            self.skipped["unknown_metric"] += shape.unknown
            scores = tuple([score for score, number in zip(scores, shape.numbers.tolist(), strict=True) if number >= 0])
            fresh, shape = [], self._shape(scores)
        if app not in shape.noted:
            self._note_versions(app, shape, rows)
        # Numbers of profiles are void after a trim: rows that are kept hold the segments themselves.
        user = root.dimensions.get("user", ("",))[0]
        failed = tuple([f.scorer for f in scored.failures])
        segments = self._index.profiles[main]
        rows.traces.append(TraceRow(reached, app, segments, user, shape.scorers, failed, trace.addendum))
        rows.scores.extend(scores)
        rows.value.extend([score.value for score in scores])
        rows.metric.append(shape.numbers)
        rows.count.append(len(scores))
        self._place(trace, spans if fresh is None else [score.span_id for score in scores], rows)

    def _place(self, trace: Trace, spans: list[str], rows: _Rows) -> None:
        """Dimensions and end of the call of each of these spans; those of the root where there is no such call."""
        if len(trace.calls) == 1:
            rows.place.extend([len(rows.profile)] * len(spans))
            rows.profile.append(self._index.profile(trace.root.dimensions))
            rows.time.append(trace.root.end_ns)
            return
        places: dict[str, int] = {}
        ends = {c.span_id: c for c in trace.calls}
        for span in dict.fromkeys(spans):
            call = ends.get(span, trace.root)
            places[span] = len(rows.profile)
            rows.profile.append(self._index.profile(call.dimensions))
            rows.time.append(call.end_ns)
        rows.place.extend([places[span] for span in spans])

    def _shape(self, scores: Sequence[Score]) -> _Shape:
        """The shape of these scores, made where it is new."""
        key = (*[s.metric for s in scores], *[s.scorer for s in scores], *[s.version for s in scores])
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.clear()
            shape = self._shapes[key] = _Shape([self._table.metric_index(s.metric) for s in scores], scores)
        return shape

    def _note_versions(self, app: int, shape: _Shape, rows: _Rows) -> None:
        """Remember which scorers, in which versions, an application has; a metric that gets another one is recalibrated."""
        known = self._known.setdefault(app, {})
        had = {name for name, _, _ in known}
        for key, number in shape.versions.items():
            if key not in known:
                known[key] = None
                if key[0] in had and number >= 0:
                    rows.recalibrated.add((app, number))
                had.add(key[0])
        shape.noted.add(app)
        if len(known) > MAX_VERSIONS:
            # Somebody tells a new version with every score: that is no reason to remember them all.
            self._known[app] = dict.fromkeys(shape.versions)
            self._shapes.clear()

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

    def state(self) -> dict[str, object]:
        """What must survive a restart, in plain values."""
        return {
            "skipped": dict(self.skipped),
            "reached": self.reached_ns,
            "late": dict(self._late_in_row),
            "seen": self._recognised.state(),
            "known": [(app, *key) for app, known in self._known.items() for key in known],
        }

    def load(self, state: dict[str, object]) -> None:
        """Take over what `state` gave."""
        plain = msgspec.convert(state, _State)
        self.skipped = Counter(plain.skipped)
        self.reached_ns = plain.reached
        self._late_in_row = Counter(plain.late)
        self._recognised.load(plain.seen)
        self._known, self._shapes = {}, {}
        for app, name, scorer, version in plain.known:
            self._known.setdefault(app, {})[name, scorer, version] = None


class _State(msgspec.Struct):
    skipped: dict[str, int]
    reached: dict[int, int]
    late: dict[int, int]
    seen: list[tuple[bytes, bytes, bytes]]
    known: list[tuple[int, str, str, str]]
