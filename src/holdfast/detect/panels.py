"""From a batch to panels: each value as a number in [0, 1] of which large is bad, by the columns that watch its metric."""

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.detect.alarms import describe
from holdfast.detect.batch import Batch
from holdfast.detect.evidence import Asked, BadCall
from holdfast.detect.observations import Panel
from holdfast.detect.protocol import Ground
from holdfast.detect.reference import Reference, Waiting

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

KIND = "question_kind"
"""The metric whose value is the number of the kind of question."""
BAD = 0.5
BAD_RANK = 0.95
"""From here on a call may be shown as an example: of a score, and of a rank, tail or outlier."""


class _Grid:
    """P places × C columns: x, the raw value, and the row of the score that told it, −1 where none did."""

    def __init__(self, places: int, columns: int) -> None:
        self.x = np.zeros((places, columns))
        self.value = np.zeros((places, columns))
        self.row = np.full((places, columns), -1, np.int64)

    def put(self, where: tuple[Ints, Ints | int], x: Floats, value: Floats, row: Ints) -> None:
        self.x[where], self.value[where], self.row[where] = x, value, row

    def panels(self, batch: Batch, ground: Ground) -> list[Panel]:
        """One for all columns that were told at the same places."""
        told = self.row >= 0
        columns = np.flatnonzero(told.any(axis=0))
        same: dict[bytes, list[int]] = {}
        for column, places in zip(columns.tolist(), np.packbits(told[:, columns], axis=0).T, strict=True):
            same.setdefault(places.tobytes(), []).append(column)
        return [self._panel(np.array(group), batch, ground) for group in same.values()]

    def _panel(self, columns: Ints, batch: Batch, ground: Ground) -> Panel:
        places = (self.row[:, columns[0]] >= 0).nonzero()[0]
        index, segment = ground.index.expand(batch.dimensions[places])
        x, value = self.x, self.value
        if (len(places), len(columns)) != x.shape:
            cells = places[:, None], columns
            x, value = x[cells], value[cells]
        return Panel(columns, x, value, batch.arrived_ns[places], places, index, segment)


class Panels:
    """Makes them, and holds what that needs: the frozen references, and what waits for them."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._references: dict[tuple[int, int], Reference] = {}
        self._waiting: dict[tuple[int, int], Waiting] = {}

    def of(self, batch: Batch) -> list[Panel]:
        """The panels of a batch; no segment and column is in two of them. Its bad calls are remembered as evidence."""
        grid = _Grid(len(batch.trace), len(self._ground.table.columns))
        self._put_scores(batch, grid)
        released = self._put_magnitudes(batch, grid)
        self._note_bad(batch, grid)
        self._note_asked(batch, grid)
        return [*grid.panels(batch, self._ground), *released, *self._users(batch)]

    def recalibrate(self, app: int, metric: int) -> None:
        """Values of this metric mean something else from now on."""
        self._references.pop((app, metric), None)
        self._waiting.pop((app, metric), None)

    def forget(self, gone: frozenset[int]) -> None:
        """Nothing that waits belongs to these segments any more."""
        for waiting in self._waiting.values():
            waiting.segments = [tuple([s for s in segments if s not in gone]) for segments in waiting.segments]

    def drop(self, apps: frozenset[int]) -> None:
        """Forget the references of these applications, and what waits for them."""
        self._references = {key: value for key, value in self._references.items() if key[0] not in apps}
        self._waiting = {key: value for key, value in self._waiting.items() if key[0] not in apps}

    def _put_scores(self, batch: Batch, grid: _Grid) -> None:
        """Bounded scores as they are, mirrored where low values are bad."""
        table = self._ground.table
        for column_of in table.arrays.scores:
            column = column_of[batch.metric]
            rows = np.flatnonzero(column >= 0)
            column, value = column[rows], batch.value[rows]
            x = np.minimum(value, 1.0)
            x = np.where(table.arrays.falling[column], 1 - x, x)
            grid.put((batch.place[rows], column), x, value, rows)

    def _put_magnitudes(self, batch: Batch, grid: _Grid) -> list[Panel]:
        """Ranks, tails and outliers, once their reference is frozen; returns the panels of what waited for that."""
        table, released = self._ground.table, list[Panel]()
        metrics = len(table.names)
        rows = np.flatnonzero(table.arrays.heavy[batch.metric])
        app = self._ground.index.services_of(batch.dimensions)[batch.place[rows]]
        key = app * metrics + batch.metric[rows]
        for number in np.flatnonzero(np.bincount(key)).tolist():
            here = divmod(number, metrics)
            reference = self._references.get(here)
            if reference is None:
                reference = self._references[here] = Reference(self._ground.policy.reference_calls)
            if reference.sorted is None:
                released += self._wait(batch, here, reference, rows[key == number])
            elif columns := self._telling(here, reference):
                self._put_ranked(batch, grid, reference, columns, rows[key == number])
        return released

    def _put_ranked(self, batch: Batch, grid: _Grid, reference: Reference, columns: list[int], rows: Ints) -> None:
        for number in columns:
            x, value = reference.seen(self._ground.table.columns[number], batch.value[rows])
            grid.put((batch.place[rows], number), x, value, rows)

    def _telling(self, here: tuple[int, int], reference: Reference) -> list[int]:
        """Columns of this metric of which this reference can say something."""
        return reference.telling(self._ground.table.of_metric[here[1]], self._ground.table.columns)

    def _wait(self, batch: Batch, here: tuple[int, int], reference: Reference, rows: Ints) -> list[Panel]:
        """Let these values wait for the reference; the panel of all that waited where they complete it."""
        waiting = self._waiting.setdefault(here, Waiting())
        waiting.value += batch.value[rows].tolist()
        waiting.reached_ns += batch.reached_ns[rows].tolist()
        profiles = self._ground.index.profiles
        waiting.segments += [profiles[profile] for profile in batch.profile[rows].tolist()]
        values = np.array(waiting.value)
        if not reference.offer(values):
            return []
        del self._waiting[here]
        columns = self._telling(here, reference)
        if not columns:
            return []
        seen = [reference.seen(self._ground.table.columns[number], values) for number in columns]
        x, value = (np.stack(parts, axis=1) for parts in zip(*seen, strict=True))
        index = np.repeat(np.arange(len(values)), [len(s) for s in waiting.segments])
        segment = np.array([s for segments in waiting.segments for s in segments], np.int64)
        order = np.full(len(values), batch.place[rows[0]])
        return [Panel(np.array(columns), x, value, np.array(waiting.reached_ns, np.int64), order, index, segment)]

    def _users(self, batch: Batch) -> list[Panel]:
        """Observations of users who did something bad: only they are watched one by one."""
        index, traces = self._ground.index, batch.traces
        column_of = self._ground.table.arrays.abuse
        rows = np.flatnonzero(column_of[batch.metric] >= 0)
        if not len(rows):
            return []
        bad = set(batch.trace[batch.place[rows[batch.value[rows] >= BAD]]].tolist())
        named = {(traces.app[t], traces.user[t]) for t in bad if traces.user[t]}
        suspect = [key in named or index.find_user(*key) >= 0 for key in zip(traces.app, traces.user, strict=True)]
        rows = rows[np.array(suspect, bool)[batch.trace[batch.place[rows]]]]
        found: dict[int, list[tuple[int, float, int, int]]] = {}
        for row in rows.tolist():
            place = int(batch.place[row])
            trace = int(batch.trace[place])
            app, user, reached_ns = traces.app[trace], traces.user[trace], traces.reached_ns[trace]
            segment, value = index.find_user(app, user), float(batch.value[row])
            if segment < 0:
                # The call that drew attention to a user is no evidence against them: it was selected.
                if value >= BAD:
                    index.saw({index.user(app, user): reached_ns})
                continue
            index.saw({segment: reached_ns})
            found.setdefault(int(column_of[batch.metric[row]]), []).append((segment, value, reached_ns, place))
        return [_of_one_column(column, told) for column, told in found.items()]

    def _note_bad(self, batch: Batch, grid: _Grid) -> None:
        """Remember the bad calls, for exemplars."""
        ground, traces = self._ground, batch.traces
        limit = np.where(ground.table.arrays.is_score, BAD, BAD_RANK)
        places, columns = np.nonzero(grid.x >= limit)
        cells = (columns, grid.row[places, columns], grid.x[places, columns], batch.trace[places], batch.dimensions[places])
        for column, row, badness, trace, profile in zip(*(cell.tolist() for cell in cells), strict=True):
            score, segments = batch.scores[row], ground.index.profiles[profile]
            why = score.why or describe(ground.table.columns[column], score.value)
            shown = (score.trace_id, score.span_id, why)
            call = BadCall(traces.reached_ns[trace], badness, *shown, segments, traces.user[trace])
            ground.evidence.found(segments[0], column, call)

    def _note_asked(self, batch: Batch, grid: _Grid) -> None:
        """Remember what was said of the requests whose question is of a known kind: of several calls, the worst."""
        number = self._ground.table.find(KIND)
        rows = np.flatnonzero(batch.metric == number) if number >= 0 else ()
        if not len(rows):
            return
        traces, profiles, evidence = batch.traces, self._ground.index.profiles, self._ground.evidence
        first = np.flatnonzero(np.diff(batch.trace, prepend=-1))
        x = np.fmax.reduceat(np.where(grid.row >= 0, grid.x, np.nan), first, axis=0).astype(np.float16)
        at = dict(zip(batch.trace[first].tolist(), range(len(first)), strict=True))
        of = batch.trace[batch.place[rows]].tolist()
        for trace, kind in zip(of, batch.value[rows].tolist(), strict=True):
            told = Asked(traces.reached_ns[trace], int(kind), profiles[traces.profile[trace]], x[at[trace]].tobytes())
            evidence.was_asked(traces.app[trace], told)

    def state(self) -> "PanelState":
        """For a snapshot."""
        return PanelState(
            [(a, m, r.sorted.tobytes()) for (a, m), r in self._references.items() if r.sorted is not None],
            [(a, m, w) for (a, m), w in self._waiting.items()],
        )

    def load(self, state: "PanelState") -> None:
        """Take over what `state` gave."""
        size = self._ground.policy.reference_calls
        self._references = {
            (app, metric): Reference(size, np.frombuffer(values, np.float64)) for app, metric, values in state.references
        }
        self._waiting = {(app, metric): waiting for app, metric, waiting in state.waiting}


class PanelState(msgspec.Struct):
    """What of them must survive a restart."""

    references: list[tuple[int, int, bytes]]
    waiting: list[tuple[int, int, Waiting]]


def _of_one_column(column: int, told: list[tuple[int, float, int, int]]) -> Panel:
    """A panel of (segment, value, event time, place) of calls that each count for one segment only."""
    segment, value, reached_ns, place = (np.array(each) for each in zip(*told, strict=True))
    raw = value[:, None]
    return Panel(np.array([column]), np.clip(raw, 0.0, 1.0), raw, reached_ns, place, np.arange(len(told)), segment)
