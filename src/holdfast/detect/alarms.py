"""From a stream that crossed its threshold to a signal in words and numbers, and back again when it has recovered."""

import math
from collections import Counter
from collections.abc import Mapping
from functools import cached_property

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, rel_entr

from holdfast.core.clock import NS_PER_S
from holdfast.core.ids import derived_id
from holdfast.core.signal import Segment, Signal, SignalCleared, Verdict
from holdfast.core.spread import END_OF_ID, MOST_TRACES, MOST_VALUES, Spread
from holdfast.detect.baseline import null_mean
from holdfast.detect.columns import Column
from holdfast.detect.evidence import BadCall, exemplars
from holdfast.detect.reference import FAR
from holdfast.detect.standard import GRAVE, Effect, Outliers, judge
from holdfast.detect.streams import ALARMED, LEARNING, TIME, WATCHING, N, V, X
from holdfast.detect.watch import Alarm, Watch

MIX_DIMENSIONS = ("route", "tenant", "language", "region")
"""Dimensions whose mix belongs to the users. A shift towards a worse model or prompt is somebody's change, and a failure."""

MIX_QUANTILE = 0.02
DIGITS = 2
"""Decimals of scores that are no fine grades: rules and counts give such."""
MIN_MIX_CALLS = 50
MIN_MIX_TRACES = 20
QUESTIONS = "kinds of questions"
"""Name of that mix. What users ask excuses nothing that users do: see `DetectPolicy.user_metrics`."""
MIN_KIND_CALLS, KIND_STRENGTH = 10, 20.0
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
KNOWN_SHARE = 0.9
GROWTH = 2.0
MIN_NEW_CALLS = 30
RANK_OF = {Verdict.NOISE: 0, Verdict.ANOMALY: 1, Verdict.FAILURE: 2}


def raise_signal(watch: Watch, row: int, evidence: float, time_ns: int) -> Signal:
    """The signal of a stream that has just crossed; the stream then waits for recovery."""
    s, ground = watch.streams, watch.ground
    best = int(np.argmax(s.cusum[row]))
    onset = s.zero[row, best].copy()
    segment, column = ground.index.segments[int(s.segment[row])], ground.table.columns[int(s.column[row])]
    onset_ns = int(onset[TIME])
    signal = Signal(
        id=derived_id("sig", column.detector, column.metric, segment, onset_ns),
        detector=column.detector,
        metric=column.metric,
        segment=segment,
        onset_ns=onset_ns,
        detected_ns=time_ns,
        baseline=baseline_value(watch, row),
        observed=0.0,
        log_evidence=math.log(max(evidence, 1e-12)),
        threshold=math.log(s.threshold[row]),
        calls=0,
        bad=0.0,
        budget=float(watch.budgets(np.array([row]))[0]),
    )
    setting = _Setting(watch, row, (onset_ns, time_ns))
    signal = _measured(watch, row, signal, onset[:TIME], setting)
    watch.alarms[row] = Alarm(signal, onset[:TIME].tolist(), float(s.totals[row, N]), s.totals[row].tolist(), setting.usual)
    _await_recovery(watch, row, onset)
    return signal


def clear(watch: Watch, row: int, time_ns: int) -> SignalCleared:
    """The stream has recovered: it watches again, with the baseline that it had."""
    signal = watch.alarms.pop(row).signal
    watch.streams.mode[row] = WATCHING
    watch.streams.restart(np.array([row]))
    return SignalCleared(signal_id=signal.id, metric=signal.metric, segment=signal.segment, cleared_ns=time_ns)


def due(watch: Watch, row: int) -> float:
    """Calls of a stream that has alarmed, in all, with which it is judged again; infinity where nothing is worse.

    As soon as there are enough calls since onset where there were too few, then each time that they have doubled: O(log n)
    times, or each look would be another chance to be unlucky.
    """
    alarm = watch.alarms[row]
    if alarm.signal.verdict is Verdict.FAILURE:
        return math.inf
    began, judged = alarm.onset_totals[N], alarm.judged_totals[N]
    least = watch.ground.policy.standard.min_calls
    if judged - began < least:
        return began + least
    return judged + max(MIN_NEW_CALLS, (GROWTH - 1) * (judged - began))


def rejudge(watch: Watch, row: int) -> Signal | None:
    """The signal anew where it is due and what came since makes it worse than it was judged, None otherwise."""
    s, alarm = watch.streams, watch.alarms[row]
    if s.totals[row, N] < due(watch, row):
        return None
    time_ns = int(s.last_ns[row])
    setting = _Setting(watch, row, (alarm.signal.onset_ns, time_ns), alarm.usual)
    candidates = [_measured(watch, row, alarm.signal, np.array(t), setting) for t in (alarm.onset_totals, alarm.judged_totals)]
    alarm.judged_totals, alarm.usual = s.totals[row].tolist(), setting.usual
    worst = max(candidates, key=lambda c: RANK_OF[c.verdict])
    if RANK_OF[worst.verdict] <= RANK_OF[alarm.signal.verdict]:
        return None
    alarm.signal = msgspec.structs.replace(worst, detected_ns=time_ns)
    return alarm.signal


def baseline_value(watch: Watch, row: int) -> float:
    """Mean of the metric's own values while healthy: the stream's, helped by its application's while it is young."""
    s = watch.streams
    parent, strength = int(s.parent[row]), float(s.strength[row])
    total, calls = float(s.base[row, V]), float(s.base[row, N])
    if parent >= 0 and s.base[parent, N] > 0:
        total += strength * float(s.base[parent, V] / s.base[parent, N])
        calls += strength
    return total / calls if calls else 0.0


class _Setting:
    """What was seen around a stream in a period (both ends included), looked up once for all ways to judge it."""

    def __init__(self, watch: Watch, row: int, period_ns: tuple[int, int], usual: list[float] | None = None) -> None:
        self._watch = watch
        self._row = row
        self.period_ns = period_ns
        self.usual = usual
        """As of `Alarm`: what came before is forgotten while a failure goes on."""

    @cached_property
    def bad_calls(self) -> list[BadCall]:
        """Bad calls of the stream's segment."""
        s, ground = self._watch.streams, self._watch.ground
        segment = int(s.segment[self._row])
        return ground.evidence.bad_between(ground.index.app[segment], int(s.column[self._row]), segment, self.period_ns)

    @cached_property
    def failed(self) -> int:
        """Calls of the segment that the metric finds more likely bad than good, in whichever way it is watched.

        Graded scores that are equal to the last digit are of the same text: one opinion, however often it was asked for.
        """
        s, ground = self._watch.streams, self._watch.ground
        segment, column = int(s.segment[self._row]), int(s.column[self._row])
        metric = ground.table.metric_index(ground.table.columns[column].metric)
        plain = next((c for c in ground.table.of_metric[metric] if ground.table.columns[c].kind == "score"), column)
        bad = ground.evidence.bad_between(ground.index.app[segment], plain, segment, self.period_ns)
        return len({call.trace_id if round(call.badness, DIGITS) == call.badness else call.badness for call in bad})

    @cached_property
    def expected(self) -> dict[str, float]:
        """By dimension, the mean (of the column) that the traffic would have if each of its values were as before.

        A dimension is left out where it cannot say.
        """
        s, ground = self._watch.streams, self._watch.ground
        segment, column = int(s.segment[self._row]), int(s.column[self._row])
        seen = ground.evidence.traces_between(ground.index.app[segment], segment, self.period_ns)
        if len(seen) < MIN_MIX_TRACES:
            return {}
        own = ground.index.segments[segment].dimension
        parts = ground.index.values_of(seen, MIX_DIMENSIONS)
        known = np.unique(parts[parts >= 0])
        means = np.full(int(known[-1]) + 2 if len(known) else 1, np.nan)
        means[known] = [_mean_before(self._watch, part, column) for part in known.tolist()]
        expected = dict[str, float]()
        for at, dimension in enumerate(MIX_DIMENSIONS):
            values = means[parts[:, at]]
            values = values[~np.isnan(values)]
            if dimension != own and len(values) >= KNOWN_SHARE * len(seen):
                expected[dimension] = float(values.mean())
        metric = ground.table.columns[column].metric
        if metric not in ground.policy.user_metrics and (mean := self._expected_of_questions(segment, column)) is not None:
            expected[QUESTIONS] = mean
        return expected

    def _expected_of_questions(self, segment: int, column: int) -> float | None:
        """The same by the kinds of questions, of which no stream is kept: from the requests that are remembered.

        None where too few are of a kind that was known before.
        """
        ground, (first, last) = self._watch.ground, self.period_ns
        times, kinds, _ = ground.evidence.asked(ground.index.app[segment], column, segment, first)
        since = kinds[times <= last]
        if len(since) < MIN_MIX_TRACES:
            return None
        if self.usual is None:
            self.usual = self._usual(segment, column).tolist()
        means = np.append(self.usual, np.nan)[np.minimum(since, len(self.usual))]
        known = means[~np.isnan(means)]
        return float(known.mean()) if len(known) >= KNOWN_SHARE * len(since) else None

    def _usual(self, segment: int, column: int) -> Floats:
        """Mean by kind of question before the onset: the segment's own, helped by its application's; NaN of kinds that are
        not known well.
        """
        watch, evidence = self._watch, self._watch.ground.evidence
        app, first = watch.ground.index.app[segment], self.period_ns[0]
        stream = watch.find(app, column)
        alarm = watch.alarms.get(stream)
        known = alarm.usual if alarm is not None else None
        mean = np.array(known) if known is not None else _usual_of_all(watch, stream, *evidence.asked(app, column, app), first)
        times, kinds, x = evidence.asked(app, column, segment)
        told = (times < first) & (kinds < len(mean))
        calls, own = _by_kind(kinds[told], x[told], len(mean))
        return np.asarray((calls * own + KIND_STRENGTH * mean) / (calls + KIND_STRENGTH), np.float64)


def _usual_of_all(watch: Watch, stream: int, times: Ints, kinds: Ints, x: Floats, first: int) -> Floats:
    """Mean by kind before a time, over a whole application. All NaN where it was not healthy then: that excuses nothing."""
    earlier, most = times < first, int(kinds.max(initial=-1)) + 1
    column = watch.ground.table.columns[int(watch.streams.column[stream])]
    if stream < 0 or not earlier.any() or float(x[earlier].mean()) > _normal(_own_mean(watch, stream), column):
        return np.full(most, np.nan)
    calls, mean = _by_kind(kinds[earlier], x[earlier], most)
    return np.where(calls >= MIN_KIND_CALLS, mean, np.nan)


def _by_kind(kinds: Ints, x: Floats, most: int) -> tuple[Floats, Floats]:
    """How many requests of each kind (`most`) there are, and the mean of `x` over them."""
    calls = np.bincount(kinds, minlength=most).astype(np.float64)
    return calls, np.bincount(kinds, weights=x, minlength=most) / np.maximum(calls, 1.0)


def _mean_before(watch: Watch, segment: int, column: int) -> float:
    """Baseline of a segment's stream, NaN where it has none that is known well."""
    s, stream = watch.streams, watch.find(segment, column)
    if stream < 0 or s.mode[stream] == LEARNING or s.base[stream, N] < MIN_MIX_CALLS:
        return math.nan
    return _own_mean(watch, stream)


def _own_mean(watch: Watch, stream: int) -> float:
    """Baseline of a stream, without help."""
    total, calls = watch.streams.base[stream, [X, N]]
    return float(total / calls) if calls else 0.0


def _measured(watch: Watch, row: int, signal: Signal, start: npt.NDArray[np.float64], setting: _Setting) -> Signal:
    """The signal with numbers and verdict of what came since the totals `start`."""
    s, ground = watch.streams, watch.ground
    since = s.totals[row] - start
    calls = max(int(since[N]), 1)
    column = ground.table.columns[int(s.column[row])]
    observed = float(since[V]) / calls
    bad = float(since[X])
    if column.kind == "rank":
        bad = max(0.0, 2 * bad - calls)
    onset_ns, time_ns = setting.period_ns
    metric = ground.table.metric(signal.metric)
    effect = Effect(
        baseline=signal.baseline,
        observed=observed,
        calls=calls,
        bad=bad,
        duration_s=max(time_ns - onset_ns, 0) / NS_PER_S,
        users=len({c.user for c in setting.bad_calls if c.user}),
        certainty=_certainty(watch, row, float(since[X]), calls),
        outliers=_outliers(watch, row, float(since[X]) / calls, setting) if column.kind == "outlier" else None,
        sure=(_share_before(watch, row), float(since[X]) / calls) if column.kind == "sure" else None,
        failed=setting.failed if metric.harm >= GRAVE else None,
    )
    standard = ground.policy.standard
    verdict, reason = judge(metric, effect, standard)
    if verdict is Verdict.FAILURE:
        # The mix can only excuse, and is dear to ask for.
        mix = _mix(setting.expected, column, _at_least(float(since[X]), calls, MIX_QUANTILE))
        if mix:
            verdict, reason = judge(metric, msgspec.structs.replace(effect, mix=mix), standard)
    return msgspec.structs.replace(
        signal,
        observed=observed,
        calls=calls,
        bad=bad,
        verdict=verdict,
        reason=reason,
        exemplars=exemplars(setting.bad_calls),
        spread=None if column.kind == "rank" else _spread(watch, row, float(since[X]) / calls, setting),
    )


def _spread(watch: Watch, row: int, share: float, setting: _Setting) -> Spread | None:
    """Where the remembered bad calls lie; None where there are none."""
    index, seen = watch.ground.index, setting.bad_calls
    counts = Counter(segment for call in seen for segment in call.segments if index.segments[segment].dimension)
    users = Counter(call.user for call in seen if call.user)
    named = [(*_condition(index.segments[segment]), count) for segment, count in counts.items()]
    ranked = sorted([*named, *(("user", user, count) for user, count in users.items())], key=lambda found: (-found[2], found))
    beyond = max(1 - _share_before(watch, row) / share, 0.0) if share > 0 else 0.0
    if not seen:
        return None
    latest = sorted(seen, key=lambda call: call.time_ns)[-MOST_TRACES:]
    traces = tuple([call.trace_id[-END_OF_ID:] for call in latest])
    return Spread(calls=len(seen), beyond=beyond, within=tuple(ranked[:MOST_VALUES]), traces=traces)


def _condition(segment: Segment) -> tuple[str, str]:
    return segment.dimension, segment.value


def _certainty(watch: Watch, row: int, bad: float, calls: int) -> float:
    """Ln of the likelihood ratio that the mean since onset is not the baseline (G/2 of two shares), the prior included."""
    total, known = _known_before(watch, row)
    if not known:
        return 0.0
    pooled = (total + bad) / (known + calls)
    return _log_likelihood(total, known, pooled) + _log_likelihood(bad, calls, pooled)


def _known_before(watch: Watch, row: int) -> tuple[float, float]:
    """Σx and n of the baseline, with what its application lends it."""
    s, parent, strength = watch.streams, int(watch.streams.parent[row]), float(watch.streams.strength[row])
    total, known = float(s.base[row, X]), float(s.base[row, N])
    if parent >= 0 and s.base[parent, N]:
        total, known = total + strength * float(s.base[parent, X] / s.base[parent, N]), known + strength
    return total, known


def _outliers(watch: Watch, row: int, share: float, setting: _Setting) -> Outliers:
    """Share of outliers before and since, and how many of those that are remembered are far."""
    far = [call.badness >= FAR for call in setting.bad_calls]
    return Outliers(_share_before(watch, row), share, sum(far) / len(far) if far else 1.0)


def _share_before(watch: Watch, row: int) -> float:
    total, known = _known_before(watch, row)
    return total / known if known else 0.0


def _log_likelihood(bad: float, calls: float, share: float) -> float:
    """Ln likelihood of a share that was seen, less that of `share`."""
    bad = min(max(bad, 0.0), calls)
    return float(rel_entr(bad, calls * share) + rel_entr(calls - bad, calls * (1 - share)))


def _at_least(bad: float, calls: float, quantile: float) -> float:
    """Lower bound of a share that was seen: what is measured up to an alarm is too high by selection."""
    return float(betaincinv(bad + 0.5, max(calls - bad, 0.0) + 0.5, quantile))


def _mix(expected: Mapping[str, float], column: Column, observed: float) -> str:
    """The dimension whose mix explains the observed mean (of the column), empty where none does."""
    return next((dimension for dimension, mean in expected.items() if observed <= _normal(mean, column)), "")


def _normal(mean: float, column: Column) -> float:
    """The largest mean that is still normal where `mean` is known for certain."""
    known = np.array([mean])
    return float(null_mean(known, known, np.array([column.margin]), np.array([column.floor]))[0])


def _await_recovery(watch: Watch, row: int, onset: npt.NDArray[np.float64]) -> None:
    """Set the recovery test: is the mean still above the middle between normal and what was seen?"""
    s = watch.streams
    since = s.totals[row] - onset[:TIME]
    observed = _at_least(float(since[X]), float(since[N]), 0.05)
    normal = float(s.base[row, X] / s.base[row, N]) if s.base[row, N] else float(s.null[row]) / 2
    null = float(s.null[row])
    middle = min(max(null, math.sqrt(null * observed)), 0.98)
    stake = max(middle - min(normal, 0.95 * middle), 0.01) / (middle * (1 - middle))
    s.mode[row] = ALARMED
    s.evidence[row] = 0.0
    s.middle[row] = middle
    s.stake[row] = min(stake, 0.9 / (1 - middle))


def describe(column: Column, value: float) -> str:
    """Why a call counts as bad, where its scorer did not say."""
    return f"{column.metric} {value:.3g}"
