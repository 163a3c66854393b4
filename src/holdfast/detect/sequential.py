"""The sequential detector: SR-mixture e-detectors on every stream, bounded scores as they are, others as ranks and tails."""

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.detect.alarms import clear, describe, raise_signal, rejudge
from holdfast.detect.batch import Batch
from holdfast.detect.budget import BudgetReport
from holdfast.detect.columns import Column
from holdfast.detect.evidence import BadCall
from holdfast.detect.idle import forget_idle
from holdfast.detect.kernel import Layout, bets, layout, run, stakes
from holdfast.detect.learning import SIBLINGS_EVERY, compare_siblings, learn
from holdfast.detect.protocol import Ground, SignalEvent
from holdfast.detect.reference import Reference, Waiting
from holdfast.detect.streams import ALARMED, LEARNING, TIME, K, N
from holdfast.detect.watch import Watch

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LARGEST = 1e100
"""Evidence is cut here between batches, far above any threshold, so that it cannot overflow."""
PAIR_EVERY = 4
"""Chunks between two looks at which segments have the same traffic."""
FORGET_EVERY = 16
"""Chunks between two looks at which segments nobody sees any more."""
BAD = 0.5
BAD_RANK = 0.95


class Observed(NamedTuple):
    """M observations of streams: x in [0, 1], raw value, event time reached."""

    stream: Ints
    x: Floats
    value: Floats
    reached_ns: Ints

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Observed":
        """Some of them, in order."""
        return Observed(self.stream[rows], self.x[rows], self.value[rows], self.reached_ns[rows])


class Sequential:
    """See the module. Settings: `DetectPolicy`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._watch = Watch(ground)
        self._references: dict[tuple[int, int], Reference] = {}
        self._waiting: dict[tuple[int, int], Waiting] = {}
        self._touched: set[int] = set()
        self._settled = 0
        self._raised = 0

    def observe(self, batch: Batch) -> list[SignalEvent]:
        """Signals of the streams that crossed their thresholds."""
        self._note_seen(batch)
        for app, metric in sorted(batch.recalibrated):
            self._recalibrate(app, metric)
        if not batch.scores:
            return []
        parts = self._scores(batch) + self._magnitudes(batch) + self._users(batch)
        stream, x, value, reached = (np.concatenate(column) for column in zip(*parts, strict=True))
        there = stream >= 0
        observed = Observed(stream, x, value, reached).take(there)
        return self._advance(observed) if len(observed.stream) else []

    def changed(self, change: Change) -> None:
        """Give the applications that this may concern a head start, unless it is long past: then it has shown, or does not."""
        late_ns = int(self._ground.policy.late_s * NS_PER_S)
        for number, segment in enumerate(self._ground.index.segments):
            concerned = not segment.dimension and change.service in ("", segment.service)
            if concerned and change.time_ns >= self._ground.index.last_ns[number] - late_ns:
                self._watch.attend(number, change.time_ns)

    def settle(self) -> list[SignalEvent]:
        """Learn, and judge again what has alarmed."""
        rows = np.array(sorted(self._touched), np.int64)
        self._touched.clear()
        if not len(rows):
            return []
        self._settled += 1
        self._watch.settle_in()
        if self._settled % PAIR_EVERY == 1:
            self._pair(rows)
        if self._settled % SIBLINGS_EVERY == 0:
            compare_siblings(self._watch)
        self._watch.spent = self._watch.spent.plus(learn(self._watch, rows))
        if self._settled % FORGET_EVERY == 0:
            self._forget_idle()
        alarmed = rows[self._watch.streams.mode[rows] == ALARMED]
        return [signal for row in alarmed.tolist() if (signal := rejudge(self._watch, row)) is not None]

    def _pair(self, rows: Ints) -> None:
        """Look which segments of the applications of these streams have the same traffic."""
        for app in sorted({self._ground.index.app[segment] for segment in self._watch.streams.segment[rows].tolist()}):
            self._watch.pair(app)

    def _forget_idle(self) -> None:
        gone = forget_idle(self._watch)
        for waiting in self._waiting.values() if gone else ():
            waiting.segments = [tuple([s for s in segments if s not in gone]) for segments in waiting.segments]

    def tick(self, now_ns: int) -> list[SignalEvent]:
        """Time alone says nothing about scores."""
        return []

    def report(self) -> BudgetReport:
        """What of the budget was spent."""
        apps, segments = self._watch.counts()
        return BudgetReport(
            per_day=self._ground.policy.false_alarms_per_day,
            spent=self._watch.spent,
            alarms=self._raised,
            app_streams=apps,
            segment_streams=segments,
        )

    def _recalibrate(self, app: int, metric: int) -> None:
        """A scorer's version changed: what it says is no longer comparable with the baseline."""
        self._references.pop((app, metric), None)
        self._waiting.pop((app, metric), None)
        rows = self._watch.of_metric(app, metric)
        self._watch.streams.forget(rows[self._watch.streams.mode[rows] != ALARMED])

    def _scores(self, batch: Batch) -> list[Observed]:
        """Observations of bounded scores in all segments of their calls."""
        table, parts = self._ground.table, list[Observed]()
        for side in range(2):
            column = np.array(
                [_column(table.of_metric[m], side, table.columns, "score") for m in range(len(table.names))], np.int64
            )
            of = column[batch.metric]
            rows = np.flatnonzero(of >= 0)
            if not len(rows):
                continue
            value = batch.value[rows]
            x = np.clip(value, 0.0, 1.0)
            falling = np.array([c.falling for c in table.columns])[of[rows]]
            x = np.where(falling, 1 - x, x)
            self._note_bad(batch, rows, of[rows], x, BAD)
            index, segment = self._ground.index.expand(batch.profile[rows])
            reached = batch.reached_ns[rows][index]
            stream = self._watch.place(segment, of[rows][index], reached)
            parts.append(Observed(stream, x[index], value[index], reached))
        return parts or [_nothing()]

    def _magnitudes(self, batch: Batch) -> list[Observed]:
        """Observations of ranks and tails, once their reference is frozen."""
        table, index, parts = self._ground.table, self._ground.index, list[Observed]()
        heavy = np.array([any(table.columns[c].kind != "score" for c in cols) for cols in table.of_metric])
        rows = np.flatnonzero(heavy[batch.metric])
        if not len(rows):
            return parts
        key = index.services_of(batch.profile[rows]) * len(table.names) + batch.metric[rows]
        order = np.argsort(key, kind="stable")
        for mine in np.split(rows[order], np.flatnonzero(np.diff(key[order])) + 1):
            app, metric = index.service_of(int(batch.profile[mine[0]])), int(batch.metric[mine[0]])
            parts += self._ranked(batch, (app, metric), mine)
        return parts

    def _ranked(self, batch: Batch, key: tuple[int, int], rows: Ints) -> list[Observed]:
        reference = self._references.setdefault(key, Reference(self._ground.policy.reference_calls))
        if reference.sorted is None:
            waiting = self._waiting.setdefault(key, Waiting())
            for row in rows.tolist():
                waiting.value.append(float(batch.value[row]))
                waiting.reached_ns.append(int(batch.reached_ns[row]))
                waiting.segments.append(self._ground.index.profiles[int(batch.profile[row])])
            values = np.array(waiting.value)
            if not reference.offer(values, np.empty(0)):
                return []
            del self._waiting[key]
            counts = np.array([len(s) for s in waiting.segments])
            index = np.repeat(np.arange(len(values)), counts)
            segment = np.array([s for segments in waiting.segments for s in segments], np.int64)
            return self._columns_of(key, reference, values, np.array(waiting.reached_ns, np.int64), (index, segment), None)
        index, segment = self._ground.index.expand(batch.profile[rows])
        return self._columns_of(key, reference, batch.value[rows], batch.reached_ns[rows], (index, segment), (batch, rows))

    def _columns_of(
        self,
        key: tuple[int, int],
        reference: Reference,
        values: Floats,
        reached: Ints,
        expanded: tuple[Ints, Ints],
        shown: tuple[Batch, Ints] | None,
    ) -> list[Observed]:
        index, segment = expanded
        parts = list[Observed]()
        for number in self._ground.table.of_metric[key[1]]:
            column = self._ground.table.columns[number]
            x = _seen(column, reference, values)
            if x is None:
                continue
            value = values if column.kind == "outlier" else reference.clip(values)
            if shown is not None:
                self._note_bad(shown[0], shown[1], np.full(len(values), number), x, BAD_RANK)
            stream = self._watch.place(segment, np.full(len(segment), number), reached[index])
            parts.append(Observed(stream, x[index], value[index], reached[index]))
        return parts

    def _users(self, batch: Batch) -> list[Observed]:
        """Observations of users who did something bad: only they are watched one by one."""
        table, index = self._ground.table, self._ground.index
        watched = np.array([name in self._ground.policy.user_metrics for name in table.names])
        found: list[tuple[int, int, float, int]] = []
        for row in np.flatnonzero(watched[batch.metric]).tolist():
            trace = batch.traces[int(batch.trace[row])]
            columns = table.of_metric[int(batch.metric[row])]
            if not trace.user or not columns or table.columns[columns[0]].kind != "score":
                continue
            segment, value = index.find_user(trace.app, trace.user), float(batch.value[row])
            if segment < 0:
                # The call that drew attention to a user is no evidence against them: it was selected.
                if value >= BAD:
                    index.saw((index.user(trace.app, trace.user),), trace.time_ns)
                continue
            index.saw((segment,), trace.time_ns)
            found.append((segment, columns[0], value, int(batch.reached_ns[row])))
        if not found:
            return [_nothing()]
        segments, columns_, values, reached = (np.array(column) for column in zip(*found, strict=True))
        x = np.clip(values, 0.0, 1.0)
        return [Observed(self._watch.place(segments, columns_, reached), x, values, reached)]

    def _note_seen(self, batch: Batch) -> None:
        """Remember the traces, for the mix of traffic, and when each segment was seen."""
        index, latest = self._ground.index, dict[tuple[int, ...], int]()
        for row in batch.traces:
            if not row.addendum:
                self._ground.evidence.saw(row.app, row.time_ns, row.segments)
            latest[row.segments] = row.time_ns
        # A call may belong to an application of which the root of its trace knows nothing.
        reached = np.zeros(len(index.profiles), np.int64)
        reached[batch.profile] = batch.reached_ns
        for profile in np.flatnonzero(reached).tolist():
            latest.setdefault(index.profiles[profile], int(reached[profile]))
        for segments, time_ns in latest.items():
            index.saw(segments, time_ns)

    def _note_bad(self, batch: Batch, rows: Ints, column: Ints, x: Floats, limit: float) -> None:
        """Remember the bad calls, for exemplars."""
        for i in np.flatnonzero(x >= limit).tolist():
            row = int(rows[i])
            score, profile = batch.scores[row], int(batch.profile[row])
            segments = self._ground.index.profiles[profile]
            why = score.why or describe(self._ground.table.columns[int(column[i])], score.value)
            call = BadCall(
                int(batch.reached_ns[row]),
                float(x[i]),
                score.trace_id,
                score.span_id,
                why,
                segments,
                batch.traces[int(batch.trace[row])].user,
            )
            self._ground.evidence.found(segments[0], int(column[i]), call)

    def _advance(self, observed: Observed) -> list[SignalEvent]:
        """Run all observations; what follows a crossing runs again under the stream's new mode."""
        events: list[tuple[int, SignalEvent]] = []
        self._touched.update(np.flatnonzero(np.bincount(observed.stream)).tolist())
        while len(observed.stream):
            plan = layout(observed.stream)
            factors = self._factors(observed, plan)
            s = self._watch.streams
            result = run(s.evidence[plan.groups], s.cusum[plan.groups], factors, plan.offsets)
            crossed = self._crossings(observed, plan, result.mixture)
            if not len(crossed):
                self._store(observed, plan, result.evidence, result.cusum, result.zero)
                break
            observed, rest_events = self._stop_at(observed, plan, crossed, result.mixture)
            events += rest_events
        return [event for _, event in sorted(events, key=lambda e: e[0])]

    def _factors(self, observed: Observed, plan: Layout) -> Floats:
        """Betting factors in row order, by mode of the stream."""
        s = self._watch.streams
        x, stream = observed.x[plan.at], plan.groups[plan.group]
        null = s.null[plan.groups]
        factors = bets(x, null[plan.group], stakes(null)[plan.group])
        mode = s.mode[stream]
        factors[mode == LEARNING] = 1.0
        alarmed = mode == ALARMED
        if alarmed.any():
            factors[alarmed] = 0.0
            rows = stream[alarmed]
            factors[alarmed, 0] = 1 + s.stake[rows] * (s.middle[rows] - x[alarmed])
        return factors

    def _crossings(self, observed: Observed, plan: Layout, mixture: Floats) -> Ints:
        """Rows at which streams cross for the first time."""
        s, policy = self._watch.streams, self._ground.policy
        stream = plan.groups[plan.group]
        mode = s.mode[stream]
        limit = np.where(mode == ALARMED, policy.clear_evidence / K, s.threshold[stream])
        over = np.flatnonzero((mixture >= limit) & (mode != LEARNING))
        over = np.array([row for row in over.tolist() if self._may_cross(observed, plan, row)], np.int64)
        _, first = np.unique(plan.group[over], return_index=True)
        # Rows are ordered by position, so the first row of a group is its earliest.
        return over[np.sort(first)]

    def _may_cross(self, observed: Observed, plan: Layout, row: int) -> bool:
        """A recovery needs calls and time, so that a fault that flaps quickly stays one."""
        alarm = self._watch.alarms.get(int(plan.groups[plan.group[row]]))
        if alarm is None:
            return True
        s, policy = self._watch.streams, self._ground.policy
        stream = int(plan.groups[plan.group[row]])
        calls = s.totals[stream, N] + plan.position[row] + 1 - alarm.calls_at_alarm
        waited = int(observed.reached_ns[plan.at[row]]) - alarm.signal.detected_ns
        return bool(calls >= policy.clear_calls and waited >= policy.clear_s * NS_PER_S)

    def _stop_at(
        self, observed: Observed, plan: Layout, crossed: Ints, mixture: Floats
    ) -> tuple[Observed, list[tuple[int, SignalEvent]]]:
        """Run everything up to the crossings, raise or clear there, and return what is left of the streams that crossed."""
        last = np.full(len(plan.groups), np.iinfo(np.int64).max)
        last[plan.group[crossed]] = plan.position[crossed]
        keep = np.zeros(len(observed.stream), bool)
        keep[plan.at] = plan.position <= last[plan.group]
        before = observed.take(keep)
        again = layout(before.stream)
        s = self._watch.streams
        result = run(s.evidence[again.groups], s.cusum[again.groups], self._factors(before, again), again.offsets)
        self._store(before, again, result.evidence, result.cusum, result.zero)
        events = []
        for row in crossed.tolist():
            stream, time_ns = int(plan.groups[plan.group[row]]), int(observed.reached_ns[plan.at[row]])
            events.append((time_ns, self._cross(stream, float(mixture[row]), time_ns)))
        return observed.take(~keep), events

    def _cross(self, stream: int, evidence: float, time_ns: int) -> SignalEvent:
        if stream in self._watch.alarms:
            return clear(self._watch, stream, time_ns)
        self._raised += 1
        return raise_signal(self._watch, stream, evidence, time_ns)

    def _store(self, observed: Observed, plan: Layout, evidence: Floats, cusum: Floats, zero: Ints) -> None:
        """Write R, W, totals, and where W was last at zero, back to the streams."""
        s, groups = self._watch.streams, plan.groups
        counts = np.bincount(plan.group)
        starts = np.cumsum(counts) - counts
        at = np.empty_like(plan.at)
        at[starts[plan.group] + plan.position] = plan.at
        x, value = observed.x[at], observed.value[at]
        sums = np.cumsum(np.stack((np.ones(len(x)), x, x * x, value), axis=1), axis=0)
        before = np.concatenate((np.zeros((1, 4)), sums))[starts]
        ends = starts + counts - 1
        group, ratio = np.nonzero(zero >= 0)
        where = starts[group] + zero[group, ratio]
        rows = groups[group]
        s.zero[rows, ratio, :TIME] = s.totals[rows] + sums[where] - before[group]
        s.zero[rows, ratio, TIME] = observed.reached_ns[at][where]
        s.totals[groups] += sums[ends] - before
        s.last_ns[groups] = np.maximum(s.last_ns[groups], observed.reached_ns[at][ends])
        s.evidence[groups] = np.minimum(evidence, LARGEST)
        s.cusum[groups] = np.minimum(cusum, LARGEST)

    def snapshot(self) -> bytes:
        """All state."""
        references = [(a, m, r.sorted.tobytes()) for (a, m), r in self._references.items() if r.sorted is not None]
        return msgspec.msgpack.encode(
            _State(
                watch=self._watch.state(),
                references=references,
                waiting=[(a, m, w) for (a, m), w in self._waiting.items()],
                touched=sorted(self._touched),
                settled=self._settled,
                raised=self._raised,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take over a snapshot."""
        plain = msgspec.msgpack.decode(state, type=_State)
        self._watch.load(plain.watch)
        size = self._ground.policy.reference_calls
        self._references = {}
        for app, metric, values in plain.references:
            self._references[app, metric] = Reference(size)
            self._references[app, metric].sorted = np.frombuffer(values, np.float64)
        self._waiting = {(app, metric): waiting for app, metric, waiting in plain.waiting}
        self._touched = set(plain.touched)
        self._settled, self._raised = plain.settled, plain.raised


class _State(msgspec.Struct, kw_only=True):
    watch: bytes
    references: list[tuple[int, int, bytes]]
    waiting: list[tuple[int, int, Waiting]]
    touched: list[int]
    settled: int
    raised: int


def _seen(column: Column, reference: Reference, values: Floats) -> Floats | None:
    """What a column makes of values that need a reference; None where it has nothing to say."""
    if column.kind == "outlier":
        return reference.outliers(values, column.falling)
    if column.kind == "tail":
        return (values > reference.tail).astype(np.float64)
    if column.kind == "rank":
        rank = reference.rank(values)
        return 1 - rank if column.falling else rank
    return None


def _column(columns: tuple[int, ...], side: int, table: list[Column], kind: str) -> int:
    of_kind = [c for c in columns if table[c].kind == kind]
    return of_kind[side] if side < len(of_kind) else -1


def _nothing() -> Observed:
    empty = np.empty(0)
    return Observed(np.empty(0, np.int64), empty, empty, np.empty(0, np.int64))
