"""The sequential detector: SR-mixture e-detectors on every stream, bounded scores as they are, others as ranks and tails."""

import math
from operator import itemgetter
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.detect.alarms import clear, due, raise_signal, rejudge
from holdfast.detect.batch import Batch
from holdfast.detect.budget import BudgetReport
from holdfast.detect.idle import NS_PER_DAY, forget_applications, forget_idle
from holdfast.detect.kernel import Bets, Rows, Run, run, stakes
from holdfast.detect.learning import SIBLINGS_EVERY, compare_siblings, learn
from holdfast.detect.observations import Observations, observations
from holdfast.detect.panels import Panels, PanelState
from holdfast.detect.protocol import Ground, SignalEvent, time_of
from holdfast.detect.requests import once
from holdfast.detect.streams import ALARMED, LEARNING, TIME, XX, K, N, V, X
from holdfast.detect.watch import Watch

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LARGEST = 1e100
"""Evidence is cut here between batches, far above any threshold, so that it cannot overflow."""
PAIR_EVERY = 4
"""Chunks between two looks at which segments have the same traffic."""
FORGET_EVERY = 16
"""Chunks between two looks at which segments nobody sees any more."""


class _Run(NamedTuple):
    """What a run of observations gave: which of their streams it was about, and (stream, number, M) of the first crossings."""

    watched: Ints
    rows: Rows | None
    result: Run | None
    crossed: list[tuple[int, int, float]]


class Sequential:
    """See the module. Settings: `DetectPolicy`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._watch = Watch(ground)
        self._panels = Panels(ground)
        self._touched: set[int] = set()
        self._arrived: set[int] = set()
        self._arrived_ns: dict[int, int] = {}
        self._settled = 0
        self._raised = 0

    def observe(self, batch: Batch) -> list[SignalEvent]:
        """Signals of the streams that crossed their thresholds."""
        self._note_seen(batch)
        for app, metric in sorted(batch.recalibrated):
            self._recalibrate(app, metric)
        panels = self._panels.of(once(batch, self._ground.table)) if batch.scores else []
        return self._advance(observations(panels, self._watch.place)) if panels else []

    def changed(self, change: Change) -> None:
        """Give the applications that this may concern a head start, unless it is long past: then it has shown, or does not."""
        late_ns = int(self._ground.policy.late_s * NS_PER_S)
        for number, segment in enumerate(self._ground.index.segments):
            concerned = not segment.dimension and change.service in ("", segment.service)
            if concerned and change.time_ns >= self._ground.index.last_ns[number] - late_ns:
                self._watch.attend(number, change.time_ns, change.scope)

    def settle(self) -> list[SignalEvent]:
        """Learn."""
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
        return []

    def _pair(self, rows: Ints) -> None:
        """Look which segments of the applications of these streams have the same traffic."""
        for app in sorted({self._ground.index.app[segment] for segment in self._watch.streams.segment[rows].tolist()}):
            self._watch.pair(app)

    def _forget_idle(self) -> None:
        gone = forget_idle(self._watch)
        if gone:
            self._panels.forget(gone)

    def tick(self, now_ns: int) -> list[SignalEvent]:
        """Time alone says nothing about scores, but that nothing came of an application for long is a reason to forget it."""
        self._arrived_ns.update(dict.fromkeys(sorted(self._arrived), now_ns))
        self._arrived.clear()
        idle_ns = self._ground.policy.idle_application_days * NS_PER_DAY
        idle = [app for app, time_ns in self._arrived_ns.items() if now_ns - time_ns > idle_ns]
        if idle:
            self._forget_applications(idle)
        return []

    def _forget_applications(self, idle: list[int]) -> None:
        s = self._watch.streams
        apps, segments = forget_applications(self._watch, idle)
        self._panels.forget(segments)
        self._panels.drop(apps)
        self._touched = {row for row in self._touched if s.segment[row] >= 0}
        self._arrived_ns = {app: time_ns for app, time_ns in self._arrived_ns.items() if app not in apps}

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
        self._panels.recalibrate(app, metric)
        rows = self._watch.of_metric(app, metric)
        self._watch.streams.forget(rows[self._watch.streams.mode[rows] != ALARMED])

    def _note_seen(self, batch: Batch) -> None:
        """Remember the traces, for the mix of traffic, and when each segment was seen."""
        index, traces = self._ground.index, batch.traces
        seen = [*zip(traces.reached_ns, map(index.profiles.__getitem__, traces.profile), strict=True)]
        self._arrived.update(traces.by_app)
        for app, rows in traces.by_app.items():
            self._ground.evidence.saw(app, [seen[row] for row in rows[traces.requests[rows]].tolist()])
        latest = dict(zip(traces.profile, traces.reached_ns, strict=True))
        places = batch.dimensions.tolist()
        if places != traces.profile:
            # A call may belong to an application of which the root of its trace knows nothing.
            latest = {**dict(zip(places, batch.arrived_ns.tolist(), strict=True)), **latest}
        last_ns = dict[int, int]()
        for profile, time_ns in sorted(latest.items(), key=itemgetter(1)):
            last_ns.update(dict.fromkeys(index.profiles[profile], time_ns))
        index.saw(last_ns)

    def _advance(self, seen: Observations) -> list[SignalEvent]:
        """Run all observations; what follows a crossing, or the call with which an alarm is due to be judged, runs again."""
        events: list[SignalEvent] = []
        self._touched.update(seen.stream.tolist())
        while len(seen.stream):
            went = self._run(seen)
            crossed = {group: (rank, evidence) for group, rank, evidence in went.crossed}
            judged = {group: rank for group, rank in self._due(seen) if rank < crossed.get(group, (math.inf,))[0]}
            if not crossed and not judged:
                self._store(seen, went)
                break
            stops = {group: rank for group, (rank, _) in crossed.items()} | judged
            count = seen.calls.copy()
            count[list(stops)] = [rank + 1 for rank in stops.values()]
            until = seen.first(count)
            self._store(until, self._run(until))
            for group, rank in stops.items():
                stream = int(seen.stream[group])
                if group in judged:
                    events += [signal] if (signal := rejudge(self._watch, stream)) is not None else []
                else:
                    events.append(self._cross(stream, crossed[group][1], int(seen.reached_ns[seen.time_at[group] + rank])))
            seen = seen.after(count)
        return sorted(events, key=time_of)

    def _due(self, seen: Observations) -> list[tuple[int, int]]:
        """(stream, number) of the observations with which alarms are due to be judged again."""
        s = self._watch.streams
        found = list[tuple[int, int]]()
        for group in np.flatnonzero(s.mode[seen.stream] == ALARMED).tolist():
            stream = int(seen.stream[group])
            missing = due(self._watch, stream) - s.totals[stream, N]
            if missing <= seen.calls[group]:
                found.append((group, max(math.ceil(missing) - 1, 0)))
        return found

    def _run(self, seen: Observations) -> "_Run":
        """Run the streams that may alarm or recover, and find where they cross for the first time."""
        s, policy = self._watch.streams, self._ground.policy
        watched = np.flatnonzero(s.mode[seen.stream] != LEARNING)
        if not len(watched):
            return _Run(watched, None, None, [])
        part = seen if len(watched) == len(seen.stream) else seen.of(watched)
        alarmed = s.mode[part.stream] == ALARMED
        bets = self._bets(part.stream, alarmed)
        limit = np.where(alarmed, policy.clear_evidence, s.threshold[part.stream])
        before = s.evidence[part.stream]
        rows = part.rows(bets.foldable(limit) & (before.sum(axis=1) / K < limit))
        result = run(before, s.cusum[part.stream], bets, rows)
        over = np.flatnonzero((result.mixture >= limit[rows.group]) & ~rows.ends)
        crossed = dict[int, tuple[int, float]]()
        for row in over.tolist():
            group, rank = int(watched[rows.group[row]]), int(rows.rank[row])
            if group not in crossed and self._may_cross(seen, group, rank):
                crossed[group] = rank, float(result.mixture[row])
        return _Run(watched, rows, result, [(group, *found) for group, found in crossed.items()])

    def _bets(self, stream: Ints, alarmed: npt.NDArray[np.bool_]) -> Bets:
        """What is bet against what: on a rise, and by streams that have alarmed on recovery."""
        s = self._watch.streams
        null = s.null[stream]
        if not alarmed.any():
            return Bets(null, stakes(null))
        stake = np.where(alarmed[:, None], -s.stake[stream][:, None], stakes(null))
        return Bets(np.where(alarmed, s.middle[stream], null), stake)

    def _may_cross(self, seen: Observations, group: int, rank: int) -> bool:
        """A recovery needs calls and time, so that a fault that flaps quickly stays one."""
        stream = int(seen.stream[group])
        alarm = self._watch.alarms.get(stream)
        if alarm is None:
            return True
        policy = self._ground.policy
        calls = self._watch.streams.totals[stream, N] + rank + 1 - alarm.calls_at_alarm
        waited = int(seen.reached_ns[seen.time_at[group] + rank]) - alarm.signal.detected_ns
        return bool(calls >= policy.clear_calls and waited >= policy.clear_s * NS_PER_S)

    def _cross(self, stream: int, evidence: float, time_ns: int) -> SignalEvent:
        if stream in self._watch.alarms:
            return clear(self._watch, stream, time_ns)
        self._raised += 1
        return raise_signal(self._watch, stream, evidence, time_ns)

    def _store(self, seen: Observations, went: "_Run") -> None:
        """Write R, W, totals, and where W was last at its lowest, back to the streams."""
        s, every = self._watch.streams, np.arange(len(seen.stream))
        before, last_ns = s.totals[seen.stream], seen.time(every, seen.calls - 1)
        totals = np.empty_like(before)
        totals[:, N] = seen.calls
        totals[:, X] = np.bincount(seen.group, weights=seen.x, minlength=len(every))
        totals[:, XX] = np.bincount(seen.group, weights=seen.x * seen.x, minlength=len(every))
        totals[:, V] = seen.value(every, seen.calls)
        totals += before
        s.totals[seen.stream] = totals
        s.last_ns[seen.stream] = np.maximum(s.last_ns[seen.stream], last_ns)
        if went.rows is None or went.result is None:
            return
        stream, zero = seen.stream[went.watched], went.result.zero
        s.evidence[stream] = np.minimum(went.result.evidence, LARGEST)
        s.cusum[stream] = np.minimum(went.result.cusum, LARGEST)
        # Most streams are healthy, and so at their lowest after the last observation.
        ends = zero == 2 * np.cumsum(np.bincount(went.rows.group, minlength=len(stream)))[:, None] - 1
        part, ratio = np.nonzero(ends)
        s.zero[stream[part], ratio] = np.column_stack((totals, last_ns))[went.watched[part]]
        zero[ends] = -1
        self._store_zeros(seen, went, before, zero)

    def _store_zeros(self, seen: Observations, went: "_Run", before: Floats, zero: Ints) -> None:
        """The same where W was lowest earlier; `before` are the totals before these observations."""
        part, ratio = np.nonzero(zero >= 0)
        if went.rows is None or not len(part):
            return
        rows, (row, after) = went.rows, np.divmod(zero[part, ratio], 2)
        group, count = went.watched[part], rows.rank[row] + after
        begins = np.searchsorted(rows.group, part)
        sums = np.zeros((len(rows.x) + 1, 2))
        np.cumsum(np.stack((rows.x, rows.x * rows.x), axis=1), axis=0, out=sums[1:])
        at = np.empty((len(row), TIME + 1))
        at[:, N] = count
        at[:, X : XX + 1] = sums[row + after] - sums[begins]
        at[:, V] = seen.value(group, count)
        at[:, :TIME] += before[group]
        at[:, TIME] = seen.time(group, count - 1)
        self._watch.streams.zero[seen.stream[group], ratio] = at

    def snapshot(self) -> bytes:
        """All state."""
        return msgspec.msgpack.encode(
            _State(
                watch=self._watch.state(),
                panels=self._panels.state(),
                touched=sorted(self._touched),
                arrived=sorted(self._arrived),
                arrived_ns=self._arrived_ns,
                settled=self._settled,
                raised=self._raised,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take over a snapshot."""
        plain = msgspec.msgpack.decode(state, type=_State)
        self._watch.load(plain.watch)
        self._panels.load(plain.panels)
        self._touched = set(plain.touched)
        self._arrived, self._arrived_ns = set(plain.arrived), plain.arrived_ns
        self._settled, self._raised = plain.settled, plain.raised


class _State(msgspec.Struct, kw_only=True):
    watch: bytes
    panels: PanelState
    touched: list[int]
    arrived: list[int]
    arrived_ns: dict[int, int]
    settled: int
    raised: int
