"""From scored traces to columns: what is new, on time and defined, as arrays."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.call import Kind
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

NOBODY = ("",)
_NONE: Ints = np.empty(0, np.int64)


@dataclass(frozen=True)
class TraceColumns:
    """T traces, by column.

    `reached_ns` is how far the event time of its application had come (never falls), `app` that application as segment number,
    `profile` the number of its dimensions, which holds until the next batch. `scorers` are those that ran, `failed` those that
    could not. `addendum`: as of `Trace`; it is no traffic.
    """

    reached_ns: list[int]
    app: list[int]
    profile: list[int]
    user: list[str]
    scorers: list[frozenset[str]]
    failed: list[tuple[str, ...]]
    addendum: list[bool]

    def __len__(self) -> int:
        """T."""
        return len(self.app)

    @cached_property
    def time_ns(self) -> Ints:
        """`reached_ns` as an array (T)."""
        return np.array(self.reached_ns, np.int64)

    @cached_property
    def requests(self) -> npt.NDArray[np.bool_]:
        """Which traces are traffic (T)."""
        return ~np.array(self.addendum, np.bool_)

    @cached_property
    def by_app(self) -> dict[int, Ints]:
        """The traces of each application, in order of arrival."""
        apps = np.array(self.app, np.int64)
        return {app: np.flatnonzero(apps == app) for app in dict.fromkeys(self.app)}

    def periods(self, rows: Ints, length_ns: int, now: int) -> list[tuple[int, Ints]]:
        """Traces of one application by period of time, of which number `now` (−1: none) has begun: periods never go back."""
        numbers = np.maximum.accumulate(np.maximum(self.time_ns[rows] // length_ns, now))
        cuts = np.flatnonzero(numbers[1:] > numbers[:-1]) + 1
        bounds = [0, *cuts.tolist(), len(rows)]
        return [(int(numbers[low]), rows[low:high]) for low, high in pairwise(bounds) if low < high]


@dataclass(frozen=True)
class Batch:
    """N scores that are new, on time, and of a known metric; at P places, calls of T traces, in order of arrival.

    Of each score: `metric` is the number of its metric, `place` that of its call. Of each place: `trace` the index of its trace,
    `dimensions` the number of its profile, `ended_ns` the end of the call. `recalibrated` holds (application, metric) whose
    scorer changed its version.
    """

    traces: TraceColumns
    scores: list[Score]
    metric: Ints
    value: Floats
    place: Ints
    trace: Ints
    dimensions: Ints
    ended_ns: Ints
    recalibrated: frozenset[tuple[int, int]]

    @cached_property
    def profile(self) -> Ints:
        """Number of the profile of each score (N)."""
        return self.dimensions[self.place]

    @cached_property
    def arrived_ns(self) -> Ints:
        """How far event time had come at each place (P)."""
        return self.traces.time_ns[self.trace]

    @cached_property
    def reached_ns(self) -> Ints:
        """The same for each score (N)."""
        return self.arrived_ns[self.place]


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
    """Columns under construction, still row by row where there are many of them.

    `traces` are those of `TraceColumns`; `places` (profile, end, trace). Scores one after the other at the same place are one
    run of `lengths`.
    """

    def __init__(self) -> None:
        self.traces: list[tuple[int, int, int, str, frozenset[str], tuple[str, ...], bool]] = []
        self.places: list[tuple[int, int, int]] = []
        self.scores: list[Score] = []
        self.metric: list[Ints] = []
        self.runs: list[int] = []
        self.lengths: list[int] = []
        self.recalibrated: set[tuple[int, int]] = set()

    def batch(self) -> Batch:
        traces = (
            TraceColumns(*map(list, zip(*self.traces, strict=True))) if self.traces else TraceColumns([], [], [], [], [], [], [])
        )
        columns = [np.array(column, np.int64) for column in zip(*self.places, strict=True)]
        profile, ended, trace = columns or (_NONE, _NONE, _NONE)
        return Batch(
            traces,
            self.scores,
            np.concatenate([_NONE, *self.metric]),
            np.array([score.value for score in self.scores], np.float64),
            np.repeat(np.array(self.runs, np.int64), np.array(self.lengths, np.int64)),
            trace,
            profile,
            ended,
            frozenset(self.recalibrated),
        )


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
        rows, low, before, shape = _Rows(), 0, None, self._shape((), ())
        told = [score for scored in traces for score in scored.scores]
        metrics, scorers, versions = ([s.metric for s in told], [s.scorer for s in told], [s.version for s in told])
        spans = [s.span_id for s in told]
        for scored in traces:
            high = low + len(scored.scores)
            said = (metrics[low:high], scorers[low:high], versions[low:high])
            # Most traces are like the one before: to compare is cheaper than to look up.
            if said != before:
                shape, before = self._shape((*said[0], *said[1], *said[2]), scored.scores), said
            self._add(scored, shape, spans[low:high], rows)
            low = high
        return rows.batch()

    def _add(self, scored: ScoredTrace, shape: _Shape, spans: list[str], rows: _Rows) -> None:
        trace, scores = scored.trace, scored.scores
        fresh = self._recognised.fresh(trace.trace_id, spans, shape.packed, shape.distinct)
        if fresh is not None:
            self.skipped["duplicate"] += len(scores) - len(fresh)
            scores = tuple([scores[i] for i in fresh])
            shape = self._shape_of(scores)
        if not scores and not scored.failures:
            return
        calls = trace.calls
        single = len(calls) == 1
        root = calls[0] if single else trace.root
        profile = self._index.profile(root.dimensions)
        app = self._index.service_of(profile)
        reached = self._advance(app, root.end_ns if single else max([c.end_ns for c in calls]))
        if reached == 0:
            return
        if shape.unknown:
            self.skipped["unknown_metric"] += shape.unknown
            scores = tuple([score for score, number in zip(scores, shape.numbers.tolist(), strict=True) if number >= 0])
            shape = self._shape_of(scores)
        if app not in shape.noted:
            self._note_versions(app, shape, rows)
        if single:
            rows.runs.append(len(rows.places))
            rows.lengths.append(len(scores))
            rows.places.append((profile, root.end_ns, len(rows.traces)))
        else:
            self._place(trace, scores, rows)
        rows.scores += scores
        rows.metric.append(shape.numbers)
        failed = tuple([f.scorer for f in scored.failures]) if scored.failures else ()
        user = root.dimensions.get("user", NOBODY)[0]
        addendum = root.kind is Kind.EVALUATION and trace.addendum
        rows.traces.append((reached, app, profile, user, shape.scorers, failed, addendum))

    def _place(self, trace: Trace, scores: Sequence[Score], rows: _Rows) -> None:
        """One place for each span with a score; dimensions and end of the root where there is no such call."""
        places: dict[str, int] = {}
        calls = {c.span_id: c for c in trace.calls}
        for span in dict.fromkeys([score.span_id for score in scores]):
            call = calls.get(span, trace.root)
            places[span] = len(rows.places)
            rows.places.append((self._index.profile(call.dimensions), call.end_ns, len(rows.traces)))
        rows.runs += [places[score.span_id] for score in scores]
        rows.lengths += [1] * len(scores)

    def _shape_of(self, scores: Sequence[Score]) -> _Shape:
        return self._shape((*[s.metric for s in scores], *[s.scorer for s in scores], *[s.version for s in scores]), scores)

    def _shape(self, key: tuple[str, ...], scores: Sequence[Score]) -> _Shape:
        """The shape of these scores, made where it is new; `key` are their metrics, then scorers, then versions."""
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
            if app in self._late_in_row:
                del self._late_in_row[app]
            if time_ns > reached:
                self.reached_ns[app] = reached = time_ns
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
    seen: list[tuple[str, bytes, tuple[str, ...], bytes]]
    known: list[tuple[int, str, str, str]]
