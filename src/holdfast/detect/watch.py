"""Which stream watches which column of which segment, and what a new stream starts from."""

from collections.abc import Collection, Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.call import DIMENSIONS
from holdfast.core.signal import Segment, Signal
from holdfast.detect.baseline import null_mean, sharpness, upper_bound
from holdfast.detect.budget import FEWEST_A_DAY, Spent, head_start, stream_budget
from holdfast.detect.policy import JUDGED_AT_ONCE, VERSIONS
from holdfast.detect.protocol import Ground
from holdfast.detect.streams import ALARMED, LEARNING, WATCHING, XX, N, Streams, X
from holdfast.detect.twins import twins_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NS_PER_DAY = 86_400 * 1_000_000_000
VERSION_STRENGTH, SAME_STRENGTH, OWN_STRENGTH = 1000.0, 200.0, 50.0
"""Strength of the parent's baseline, in calls at most, as prior: of a new version, which replaces another one on the same
traffic; of other values that should be like it; and of those that may differ."""

HARMLESS = 0.25
"""Weight of a stream whose metric harms nobody, and so opens no incident."""
WEIGHTS = {"language": 0.5, "region": 0.5, "tenant": 0.3, "user": 0.3}
"""Weight of streams by dimension, 1 for the others: most faults come with what people deploy, or on a route."""

PEOPLE = frozenset({"user", "tenant"})
"""Dimensions whose values differ from the application for good reasons."""
_OF_PEOPLE = np.array([dimension in PEOPLE for dimension in (*DIMENSIONS, "")])
_STRENGTHS = np.array([VERSION_STRENGTH if dimension in VERSIONS else SAME_STRENGTH for dimension in (*DIMENSIONS, "")])
"""By number of the dimension; the last one stands for a whole application."""


class Alarm(msgspec.Struct):
    """A stream that has alarmed: its signal, totals at the onset, event time and calls at the alarm, and what was judged last.

    `usual`: mean by kind of question before the onset, NaN of kinds that are not known well; None until somebody asked.
    """

    signal: Signal
    onset_totals: list[float]
    calls_at_alarm: float
    judged_totals: list[float]
    usual: list[float] | None = None


class Watch:
    """The streams with their places in the grid segment × column."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.streams = Streams()
        self.alarms: dict[int, Alarm] = {}
        self.strengths: dict[tuple[int, int, str], float] = {}
        self.changes: dict[int, list[int]] = {}
        self.known_versions: set[int] = set()
        self.refused = 0
        self.crowded = False
        self.spent = Spent()
        self._grid: Ints = np.full((16, 16), -1, np.int64)

    def place(self, segment: Ints, column: Ints, time_ns: Ints, order: Ints | None = None) -> Ints:
        """Stream of each (segment, column), new ones being made, by their `order` if it is given; −1 where there is no room."""
        self._reserve()
        found = self._grid[segment, column]
        if found.size and found.min() < 0:
            missing = np.flatnonzero(found < 0)
            if order is not None:
                missing = missing[np.lexsort((segment[missing], column[missing], order[missing]))]
            for row in missing.tolist():
                self._stream(int(segment[row]), int(column[row]), int(time_ns[row]))
            found = self._grid[segment, column]
        return found

    def find(self, segment: int, column: int) -> int:
        """Stream of a segment and column, or of its twin; −1 where there is none."""
        segment = self.ground.index.twins.get(segment, segment)
        rows, columns = self._grid.shape
        return int(self._grid[segment, column]) if segment < rows and column < columns else -1

    def of_app(self, app: int) -> Ints:
        """Streams of a whole application."""
        return np.flatnonzero(self.streams.segment[: self.streams.size] == app)

    def of_metric(self, app: int, metric: int) -> Ints:
        """All streams of a metric of one application, its segments included."""
        size = self.streams.size
        apps = self.ground.index.arrays.app[self.streams.segment[:size]]
        return np.flatnonzero((apps == app) & np.isin(self.streams.column[:size], self.ground.table.of_metric[metric]))

    def counts(self) -> tuple[int, int]:
        """Numbers of streams that may alarm: of whole applications, and of segments."""
        s, live = self.streams, self._live()
        whole = s.parent[: s.size] < 0
        return int((live & whole).sum()), int((live & ~whole).sum())

    def budgets(self, rows: Ints) -> Floats:
        """False alarms a day that each of these streams may raise: its part, by weight, of what all that may alarm share."""
        s, policy, live = self.streams, self.ground.policy, self._live()
        whole = s.parent[: s.size] < 0
        apps = stream_budget(float(s.weight[: s.size][live & whole].sum()), policy.app_share, policy)
        parts = stream_budget(float(s.weight[: s.size][live & ~whole].sum()), policy.segment_share, policy)
        return np.asarray(s.weight[rows] * np.where(s.parent[rows] < 0, apps, parts), np.float64)

    def _weight(self, segment: int, column: int) -> float:
        """Part of the budget of a stream against that of others."""
        harmless = self.ground.table.metric(self.ground.table.columns[column].metric).harm == 0
        dimension = self.ground.index.segments[segment].dimension
        return WEIGHTS.get(dimension, 1.0) * (HARMLESS if harmless else 1.0)

    def _live(self) -> npt.NDArray[np.bool_]:
        """Which streams may alarm."""
        s = self.streams
        live = s.mode[: s.size] != LEARNING
        if self.ground.index.twins:
            live &= ~self.ground.index.arrays.twin[s.segment[: s.size]]
        return np.asarray(live, np.bool_)

    def refresh(self, rows: Ints) -> None:
        """Bring the null means of these streams up to date with their baselines."""
        if not len(rows):
            return
        s, policy = self.streams, self.ground.policy
        columns, column = self.ground.table.arrays, s.column[rows]
        mean, strength = self._priors(rows)
        calls = s.base[rows, N]
        quantile = policy.quantile + (policy.young_quantile - policy.quantile) * np.clip(1 - calls / policy.young_calls, 0, 1)
        quantile = np.where(s.parent[rows] >= 0, policy.segment_quantile, quantile)
        gain = np.where(columns.is_score[column], self._sharpness(rows), 1.0)
        upper = upper_bound(mean, strength * gain, s.base[rows, X] * gain, calls * gain, quantile)
        posterior = (mean * strength + s.base[rows, X]) / (strength + calls)
        s.null[rows] = null_mean(posterior, upper, columns.margin[column], columns.floor[column])
        s.refreshed[rows] = calls
        s.strength[rows] = strength

    def attend(self, app: int, time_ns: int, scope: Mapping[str, str] | None = None) -> None:
        """Something changed in this application: give its streams a head start.

        Half of it is for the streams of the whole application, half for those of the segments that `scope` names, of all
        segments where it names none of them.
        """
        recent = [t for t in self.changes.get(app, []) if t > time_ns - NS_PER_DAY]
        self.changes[app] = [*recent, time_ns]
        whole, parts = self.of_app(app), self._parts(app, scope or {})
        for rows in (whole, parts):
            sharing = rows[self._live()[rows] & (self.streams.mode[rows] == WATCHING)]
            self._give_head_start(sharing, len(recent) + 1, 2 * float(self.streams.weight[sharing].sum()))

    def _parts(self, app: int, scope: Mapping[str, str]) -> Ints:
        """Streams of those segments of an application that a scope names, or of all of them."""
        s, index = self.streams, self.ground.index
        of = s.segment[: s.size]
        parts = np.flatnonzero((index.arrays.app[of] == app) & (of != app) & (of >= 0))
        named = {
            number for condition in scope.items() if (number := index.find(Segment(index.segments[app].service, *condition))) >= 0
        }
        concerned = parts[np.isin(of[parts], [index.twins.get(number, number) for number in named])]
        return concerned if len(concerned) else parts

    def _give_head_start(self, rows: Ints, changes: int, sharing: float) -> None:
        """Start these streams with as much evidence as is theirs where streams of the weight `sharing` have a change together."""
        # A stream without a threshold yet cannot alarm.
        rows = rows[np.isfinite(self.streams.threshold[rows])]
        if len(rows):
            s = self.streams
            threshold, before = s.threshold[rows], s.evidence[rows]
            start = head_start(1.0, sharing, changes, self.ground.policy) * s.weight[rows] * threshold
            self.streams.evidence[rows] = np.maximum(before, start[:, None])
            given = (self.streams.evidence[rows] - before).mean(axis=1)
            self.spent = self.spent.plus(Spent(changes=float((given / threshold).sum())))

    def _whole_weight(self) -> float:
        """Weight of all streams of whole applications that may alarm."""
        s = self.streams
        return float(s.weight[: s.size][self._live() & (s.parent[: s.size] < 0)].sum())

    def _reserve(self) -> None:
        need = (len(self.ground.index.segments), len(self.ground.table.columns))
        have = self._grid.shape
        if need[0] > have[0] or need[1] > have[1]:
            wider = np.full((max(2 * need[0], have[0]), max(2 * need[1], have[1])), -1, np.int64)
            wider[: have[0], : have[1]] = self._grid
            self._grid = wider

    def _stream(self, segment: int, column: int, time_ns: int) -> int:
        if self._grid[segment, column] >= 0:
            return int(self._grid[segment, column])
        app = self.ground.index.app[segment]
        if self.streams.used >= self.ground.policy.max_streams:
            self.refused += 1
            self.crowded = True
            return -1
        parent = -1 if app == segment else self._stream(self._home(segment), column, time_ns)
        number = self.streams.add(segment, column, parent, time_ns)
        self.streams.weight[number] = self._weight(segment, column)
        self._grid[segment, column] = number
        if parent >= 0:
            self._adopt(number, segment, app, time_ns)
        return number

    def _home(self, segment: int) -> int:
        """The segment that holds all traffic of this one and has streams: its only route, or the application.

        Where that is young itself, a new value is not held to anything: a route that has always been so is no failure.
        """
        index = self.ground.index
        app = index.app[segment]
        home = index.home.get(segment, app)
        return index.twins.get(home, home)

    def _adopt(self, number: int, segment: int, app: int, time_ns: int) -> None:
        """A segment's stream that appears when its application is known well may be judged by it at once."""
        s = self.streams
        dimension = self.ground.index.segments[segment].dimension
        new = dimension in VERSIONS and segment not in self.known_versions
        self.known_versions.add(segment)
        if s.mode[s.parent[number]] == LEARNING or not self._judged_at_once(number):
            return
        row = np.array([number])
        s.mode[row], s.held[row] = WATCHING, 1
        self.refresh(row)
        s.threshold[row] = FEWEST_A_DAY / self.budgets(row)
        if new:
            self.attend(app, time_ns)
        if dimension in VERSIONS:
            self._give_head_start(row, len(self.changes.get(app, ())), self._whole_weight())

    def _judged_at_once(self, row: int) -> bool:
        """Whether a new value of this stream's dimension is held to its parent's baseline from its first call.

        Amounts (milliseconds, tokens) differ between routes and tools for good reasons: there only a version may be held,
        to what its own route had before.
        """
        s, index = self.streams, self.ground.index
        segment, parent = int(s.segment[row]), int(s.segment[s.parent[row]])
        dimension = index.segments[segment].dimension
        kind = self.ground.table.columns[int(s.column[row])].kind
        if kind in ("outlier", "sure"):
            return dimension in VERSIONS
        if kind != "score":
            return dimension in VERSIONS and parent != index.app[segment]
        return dimension in JUDGED_AT_ONCE | {"user"} or self.is_abuse(row)

    def is_abuse(self, row: int) -> bool:
        """Whether this stream watches a tenant for what people do to an application: a campaign may be spread over its users.

        As with users, it is held to what is normal for the application, with all the doubt that so few calls leave.
        """
        dimension = self.ground.index.segments[int(self.streams.segment[row])].dimension
        column = self.ground.table.columns[int(self.streams.column[row])]
        return dimension == "tenant" and column.kind == "score" and column.metric in self.ground.policy.user_metrics

    def release(self, segments: Collection[int]) -> None:
        """Forget these segments and their streams, none of which has alarmed: others get their numbers."""
        s, gone = self.streams, sorted(segments)
        rows = np.flatnonzero(np.isin(s.segment[: s.size], gone))
        self._grid[s.segment[rows], s.column[rows]] = -1
        s.release(rows)
        self.known_versions.difference_update(gone)
        self.ground.evidence.forget(gone)
        self.ground.index.release(segments)
        self.crowded = False

    def vacate(self, app: int) -> None:
        """Forget the streams of a whole application, of which no segment is left, and all that was learnt of it."""
        rows = self.of_app(app)
        self._grid[app, self.streams.column[rows]] = -1
        self.streams.release(rows)
        self.changes.pop(app, None)
        self.strengths = {key: value for key, value in self.strengths.items() if key[0] != app}
        self.ground.evidence.drop(app)
        self.crowded = False

    def settle_in(self) -> None:
        """Give versions that were met on a second route their application as parent."""
        index, s = self.ground.index, self.streams
        for segment in index.moved:
            app = index.app[segment]
            for row in np.flatnonzero(s.segment[: s.size] == segment).tolist():
                s.parent[row] = self._stream(app, int(s.column[row]), int(s.first_ns[row]))
                if s.mode[row] != ALARMED:
                    s.refreshed[row] = -1.0
                    s.restart(np.array([row]))
        index.moved.clear()

    def pair(self, app: int) -> None:
        """Find out which segments of an application have the traffic of another one, and take streams from or give them back."""
        index, s = self.ground.index, self.streams
        before = {segment: twin for segment, twin in index.twins.items() if index.app[segment] == app}
        alarmed = {int(s.segment[row]) for row in self.alarms}
        after = twins_of(self.ground.evidence.recent(app), before, alarmed, index.arrays.dimension.tolist())
        for segment, twin in before.items():
            if segment not in after:
                self._part(segment, twin)
        others = {segment: twin for segment, twin in index.twins.items() if segment not in before}
        index.pair(others | after)

    def _part(self, segment: int, twin: int) -> None:
        columns = self._grid.shape[1]
        for column in range(columns):
            row, other = int(self._grid[segment, column]), int(self._grid[twin, column])
            if row < 0 and other >= 0:
                row = self._stream(segment, column, int(self.streams.last_ns[other]))
            if row >= 0 and other >= 0 and self.streams.mode[row] != ALARMED:
                self.streams.resume(row, other)

    def _sharpness(self, rows: Ints) -> Floats:
        """That of the parents, which saw more; of whole applications their own."""
        base = self.streams.base[np.where(self.streams.parent[rows] >= 0, self.streams.parent[rows], rows)]
        return sharpness(base[:, N], base[:, X], base[:, XX])

    def _priors(self, rows: Ints) -> tuple[Floats, Floats]:
        """Mean and strength of each stream's prior: that of its application, or next to nothing."""
        s, index = self.streams, self.ground.index
        parent, segment = s.parent[rows], s.segment[rows]
        known = np.maximum(s.base[parent, N], 1.0)
        mean = np.where(parent >= 0, (s.base[parent, X] + 0.5) / (known + 1), 0.5)
        dimension = index.arrays.dimension[segment]
        strength = np.where((s.held[rows] > 0) & ~_OF_PEOPLE[dimension], _STRENGTHS[dimension], OWN_STRENGTH)
        # What siblings say is said of those that are parts of a whole application.
        siblings = np.flatnonzero((parent >= 0) & (s.parent[parent] < 0)) if self.strengths else ()
        if len(siblings):
            names = [DIMENSIONS[of] for of in dimension[siblings].tolist()]
            apps, columns = index.arrays.app[segment[siblings]].tolist(), s.column[rows[siblings]].tolist()
            found = np.array([self.strengths.get(key, 0.0) for key in zip(apps, columns, names, strict=True)])
            strength[siblings] = np.where(found > 0, found, strength[siblings])
        return mean, np.where(parent >= 0, np.minimum(strength, known), 1.0)

    def state(self) -> bytes:
        """For a snapshot."""
        return msgspec.msgpack.encode(
            _State(
                streams=self.streams.state(),
                alarms=self.alarms,
                strengths=[(*key, value) for key, value in self.strengths.items()],
                changes=self.changes,
                versions=sorted(self.known_versions),
                refused=self.refused,
                crowded=self.crowded,
                spent=self.spent,
            )
        )

    def load(self, state: bytes) -> None:
        """Take over what `state` gave."""
        plain = msgspec.msgpack.decode(state, type=_State)
        self.streams.load(plain.streams)
        self.alarms, self.changes = plain.alarms, plain.changes
        self.refused, self.crowded = plain.refused, plain.crowded
        self.spent = plain.spent
        self.strengths = {(app, column, dimension): value for app, column, dimension, value in plain.strengths}
        self.known_versions = set(plain.versions)
        self._grid = np.full((16, 16), -1, np.int64)
        self._reserve()
        used = np.flatnonzero(self.streams.segment[: self.streams.size] >= 0)
        self._grid[self.streams.segment[used], self.streams.column[used]] = used


class _State(msgspec.Struct, kw_only=True):
    streams: dict[str, bytes]
    alarms: dict[int, Alarm]
    strengths: list[tuple[int, int, str, float]]
    changes: dict[int, list[int]]
    versions: list[int]
    refused: int
    crowded: bool
    spent: Spent
