"""From scored traces to columns: what is new, on time and defined, as arrays."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, compress, pairwise, repeat
from operator import sub
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.call import Call, Kind
from holdfast.core.clock import NS_PER_S
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.detect.columns import ColumnTable
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.recognised import Recognised, Spans, pack
from holdfast.detect.segments import SegmentIndex

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

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
        if self.app.count(self.app[0] if self.app else -1) == len(self.app):
            return {app: np.arange(len(self.app)) for app in self.app[:1]}
        apps = np.array(self.app, np.int64)
        return {app: np.flatnonzero(apps == app) for app in dict.fromkeys(self.app)}

    def periods(self, rows: Ints, length_ns: int, now: int) -> list[tuple[int, Ints]]:
        """Traces of one application by period of time, of which number `now` (−1: none) has begun: periods never go back."""
        numbers = np.maximum.accumulate(np.maximum(self.time_ns[rows] // length_ns, now))
        if len(rows) and numbers[0] == numbers[-1]:
            return [(int(numbers[0]), rows)]
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


class _Told(NamedTuple):
    """What T traces tell: N scores, one trace after the other, and their `spans`."""

    traces: Sequence[ScoredTrace]
    scores: list[Score]
    spans: Spans
    shapes: list[_Shape]

    @property
    def lengths(self) -> list[int]:
        """How many scores each trace has."""
        return self.spans.lengths

    def of_traces(self) -> list[list[Score]]:
        """The scores of each trace."""
        return [self.scores[low:high] for low, high in pairwise([0, *accumulate(self.lengths)])]


class _Calls(NamedTuple):
    """The Q calls that T traces are about, in order: of each trace its root, and then, where it has several, those with scores.

    `root` (T) are the indices of the roots, `of` (N) those of the call of each score; `trace` (Q) says which trace each
    belongs to, and `place` whether it stands for scores.
    """

    calls: list[Call]
    root: Sequence[int]
    of: Ints
    trace: Ints
    place: Bools


def _calls_of(told: _Told) -> _Calls:
    """The calls of what was told; a score of an unknown span is about the root."""
    singles = [one.trace.calls[0] for one in told.traces if len(one.trace.calls) == 1]
    if len(singles) == len(told.traces):
        every = np.arange(len(singles))
        return _Calls(singles, range(len(singles)), np.repeat(every, told.lengths), every, np.ones(len(singles), np.bool_))
    alone = np.array([len(one.trace.calls) == 1 for one in told.traces], np.bool_)
    many = np.where(alone, 1, told.spans.many + 1)
    trace, first = np.repeat(np.arange(len(many)), many), np.cumsum(many) - many
    calls, low = list[Call](), 0
    for one, single, high in zip(told.traces, alone.tolist(), np.cumsum(told.spans.many).tolist(), strict=True):
        calls.append(root := one.trace.root)
        if not single:
            by_span = {call.span_id: call for call in one.trace.calls}
            calls += map(by_span.get, told.spans.distinct[low:high], repeat(root))
        low = high
    # Of the spans of each trace the first one stands behind its root.
    behind = first + 1 - (np.cumsum(told.spans.many) - told.spans.many)
    of = np.repeat(np.where(alone, first, behind), told.lengths) + np.where(np.repeat(alone, told.lengths), 0, told.spans.number)
    place = np.ones(len(calls), np.bool_)
    place[first] = alone
    return _Calls(calls, first.tolist(), of, trace, place)


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
        told = self._counting(traces)
        about = _calls_of(told)
        profiles = self._index.profiles_of([call.dimensions for call in about.calls])
        apps = [self._index.profiles[profiles[at]][0] for at in about.root]
        reached = self._advance(apps, [_end_ns(one.trace) for one in told.traces])
        if 0 in reached:
            on_time = [*map(bool, reached)]
            told = self._told([*compress(told.traces, on_time)], [*compress(told.of_traces(), on_time)])
            apps, reached, about = [*compress(apps, on_time)], [*compress(reached, on_time)], _calls_of(told)
            profiles = self._index.profiles_of([call.dimensions for call in about.calls])
        roots, kind = [about.calls[at] for at in about.root], Kind.EVALUATION
        return Batch(
            TraceColumns(
                reached,
                apps,
                [profiles[at] for at in about.root],
                [root.dimensions.get("user", NOBODY)[0] for root in roots],
                [shape.scorers for shape in told.shapes],
                [tuple([failed.scorer for failed in one.failures]) if one.failures else () for one in told.traces],
                [root.kind is kind and one.trace.addendum for root, one in zip(roots, told.traces, strict=True)],
            ),
            told.scores,
            np.concatenate([_NONE, *[shape.numbers for shape in told.shapes]]),
            np.array([score.value for score in told.scores], np.float64),
            (np.cumsum(about.place) - 1)[about.of],
            about.trace[about.place],
            np.array(profiles, np.int64)[about.place],
            np.array([call.end_ns for call in about.calls], np.int64)[about.place],
            self._recalibrated(apps, told.shapes),
        )

    def _counting(self, traces: Sequence[ScoredTrace]) -> _Told:
        """What of these traces is new and of a known metric; traces without any score or failure left are left out."""
        told = self._told(traces, [one.scores for one in traces])
        alike = [(shape.packed, shape.distinct) for shape in told.shapes]
        partly = self._recognised.fresh([one.trace.trace_id for one in traces], told.spans, alike)
        if partly:
            left = [
                one.scores if (of := partly.get(at)) is None else [one.scores[i] for i in of] for at, one in enumerate(traces)
            ]
            self.skipped["duplicate"] += len(told.scores) - sum(map(len, left))
            told = self._told(traces, left)
        if 0 in told.lengths:
            some = [(one, scores) for one, scores in zip(told.traces, told.of_traces(), strict=True) if scores or one.failures]
            told = self._told([one for one, _ in some], [scores for _, scores in some])
        unknown = sum([shape.unknown for shape in told.shapes])
        if unknown:
            self.skipped["unknown_metric"] += unknown
            known = [
                [score for score, number in zip(scores, shape.numbers.tolist(), strict=True) if number >= 0]
                for scores, shape in zip(told.of_traces(), told.shapes, strict=True)
            ]
            told = self._told(told.traces, known)
        return told

    def _told(self, traces: Sequence[ScoredTrace], scores: Sequence[Sequence[Score]]) -> _Told:
        told, lengths = [*chain.from_iterable(scores)], [*map(len, scores)]
        said = [s.metric for s in told], [s.scorer for s in told], [s.version for s in told]
        return _Told(traces, told, Spans.of([s.span_id for s in told], lengths), self._shapes_of(told, said, lengths))

    def _shapes_of(self, scores: list[Score], said: tuple[list[str], ...], lengths: list[int]) -> list[_Shape]:
        """The shape of each trace, from metrics, scorers and versions of all scores: to compare is cheaper than to look up."""
        first = lengths[0] if lengths else 0
        if lengths.count(first) == len(lengths) and all([names == names[:first] * len(lengths) for names in said]):
            # In many portions all traces are alike.
            return [self._shape(tuple(chain(*[names[:first] for names in said])), scores[:first])] * len(lengths)
        shape, low, before, shapes = self._shape((), ()), 0, None, list[_Shape]()
        metrics, scorers, versions = said
        for high in accumulate(lengths):
            here = metrics[low:high], scorers[low:high], versions[low:high]
            if here != before:
                shape, before = self._shape(tuple(chain(*here)), scores[low:high]), here
            shapes.append(shape)
            low = high
        return shapes

    def _shape(self, key: tuple[str, ...], scores: Sequence[Score]) -> _Shape:
        """The shape of these scores, made where it is new; `key` are their metrics, then scorers, then versions."""
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.clear()
            shape = self._shapes[key] = _Shape([self._table.metric_index(s.metric) for s in scores], scores)
        return shape

    def _recalibrated(self, apps: Sequence[int], shapes: Sequence[_Shape]) -> frozenset[tuple[int, int]]:
        """Remember the versions of scorers; (application, metric) that were told by another version before."""
        found = set[tuple[int, int]]()
        for app, shape in dict.fromkeys(zip(apps, shapes, strict=True)):
            if app not in shape.noted:
                found.update([(app, metric) for metric in self._note_versions(app, shape)])
        return frozenset(found)

    def _note_versions(self, app: int, shape: _Shape) -> list[int]:
        """Remember which scorers, in which versions, an application has; metrics that get another one are recalibrated."""
        known, found = self._known.setdefault(app, {}), list[int]()
        had = {name for name, _, _ in known}
        for key, number in shape.versions.items():
            if key not in known:
                known[key] = None
                if key[0] in had and number >= 0:
                    found.append(number)
                had.add(key[0])
        shape.noted.add(app)
        if len(known) > MAX_VERSIONS:
            # Somebody tells a new version with every score: that is no reason to remember them all.
            self._known[app] = dict.fromkeys(shape.versions)
            self._shapes.clear()
        return found

    def _advance(self, apps: Sequence[int], ends_ns: Sequence[int]) -> list[int]:
        """How far event time has come with each of these traces; 0 for those that do not count."""
        if not apps:
            return []
        app = apps[0]
        if app not in self._late_in_row and apps.count(app) == len(apps) and min(ends_ns) > 0:
            before = [*accumulate(ends_ns, max, initial=self.reached_ns.get(app, 0))]
            if max(map(sub, before, ends_ns)) <= self._late_ns:
                self.reached_ns[app] = before[-1]
                return before[1:]
        return [*map(self._advance_one, apps, ends_ns)]

    def _advance_one(self, app: int, time_ns: int) -> int:
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


def _end_ns(trace: Trace) -> int:
    """When the last call of a trace ended."""
    return trace.calls[0].end_ns if len(trace.calls) == 1 else trace.end_ns


class _State(msgspec.Struct):
    skipped: dict[str, int]
    reached: dict[int, int]
    late: dict[int, int]
    seen: list[tuple[str, bytes, tuple[str, ...], bytes]]
    known: list[tuple[int, str, str, str]]
