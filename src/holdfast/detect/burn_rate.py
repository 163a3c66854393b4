"""Burn rates: an objective whose budget of bad calls is being used up too fast. See `detect.objective`."""

from collections import deque

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.change import Change
from holdfast.core.ids import derived_id
from holdfast.core.score import Score
from holdfast.core.signal import Exemplar, Segment, Signal, SignalCleared, Verdict
from holdfast.detect.batch import Batch
from holdfast.detect.objective import MINUTE_NS, PAIRS, Budget, Count, Objective, Pair, Tally, TallyState
from holdfast.detect.protocol import Ground, SignalEvent, time_of
from holdfast.detect.standard import judge_burn

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DETECTOR = "burn_rate"
MAX_EXEMPLARS = 5
BAD = 0.5
CALM = 0.5
"""An alarm ends when the last calls burn at under half the rate that raised it."""
_Key = tuple[int, Segment]
"""Number of an objective, and the segment that it is counted in."""

RANK_OF = {Verdict.NOISE: 0, Verdict.ANOMALY: 1, Verdict.FAILURE: 2}


class WindowBurn(msgspec.Struct, frozen=True):
    """Burn rates over the long and the short window of a pair."""

    pair: Pair
    long: float
    short: float


class ObjectiveReport(msgspec.Struct, frozen=True, kw_only=True):
    """How an objective stands in one segment, as of the minute of its last call, which ended at `last_ns`.

    `windows` are the burn rates, fastest pair first; `alarm` is what the alarm that stands says, None where none does.
    """

    objective: str
    segment: Segment
    last_ns: int
    windows: tuple[WindowBurn, ...]
    budget: Budget
    alarm: Verdict | None = None

    @property
    def burn(self) -> float:
        """Burn rate of the last hour."""
        return self.windows[0].long


class _Standing(msgspec.Struct):
    signal: Signal
    pair: int


class _Watched:
    """One objective in one segment: its calls, the open minute, recent bad calls, and the alarm that stands."""

    def __init__(self, objective: Objective) -> None:
        self.tally = Tally(objective)
        self.minute = -1
        self.shown: deque[Exemplar] = deque(maxlen=MAX_EXEMPLARS)
        self.standing: _Standing | None = None


class BurnRate:
    """Signals of `DetectPolicy.objectives`, judged whenever a minute of their calls is over. Without objectives there are none.

    Raises:
        ConfigurationError: an objective is about a metric that cannot be counted.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._objectives = ground.policy.objectives
        self._watched: dict[_Key, _Watched] = {}
        for objective in self._objectives:
            objective.check(ground.metrics)

    def observe(self, batch: Batch) -> list[SignalEvent]:
        """Count calls, and judge each minute that is over."""
        found = list[SignalEvent]()
        for number, objective in enumerate(self._objectives):
            rows = np.flatnonzero(batch.metric == self._ground.table.metric_index(objective.metric))
            profiles = batch.profile[rows].tolist()
            known = {profile: self._segment(objective, profile) for profile in set(profiles)}
            segments = np.array([known[profile] for profile in profiles], np.int64)
            for segment in np.unique(segments[segments >= 0]).tolist():
                # Numbers of segments are used again; what they stand for is not.
                key = (number, self._ground.index.segments[segment])
                found += self._count(key, batch, rows[segments == segment])
        return sorted(found, key=time_of)

    def _segment(self, objective: Objective, profile: int) -> int:
        """The segment that an objective counts a profile in, −1 where it does not."""
        index = self._ground.index
        app = index.service_of(profile)
        if objective.service not in ("", index.segments[app].service):
            return -1
        for dimension, value in objective.where.items():
            number = index.find(Segment(index.segments[app].service, dimension, value))
            return number if number in index.profiles[profile] else -1
        return app

    def _count(self, key: _Key, batch: Batch, rows: Ints) -> list[SignalEvent]:
        objective, found = self._objectives[key[0]], list[SignalEvent]()
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = _Watched(objective)
        bad = objective.bad(batch.value[rows], self._ground.table.metric(objective.metric))
        minutes = batch.reached_ns[rows] // MINUTE_NS
        for part in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(minutes)) + 1):
            minute = int(minutes[part[0]])
            if minute > watched.minute >= 0:
                found += self._judge(key, watched, watched.minute, int(batch.reached_ns[rows[part[0]]]))
            # An application whose clock was ahead goes back once.
            watched.minute = minute
            total = float(batch.value[rows[part]].sum())
            watched.tally.add(minute, Count(float(len(part)), float(bad[part].sum()), total))
            for at in part[bad[part] >= BAD][-MAX_EXEMPLARS:].tolist():
                watched.shown.append(_exemplar(batch.scores[int(rows[at])]))
        return found

    def _judge(self, key: _Key, watched: _Watched, minute: int, now_ns: int) -> list[SignalEvent]:
        """What the windows that end with this minute say."""
        standing = watched.standing
        for number, pair in enumerate(PAIRS[: standing.pair if standing else None]):
            signal = self._alarm(key, watched, pair, (minute, now_ns))
            if signal is None:
                continue
            if standing is not None and RANK_OF[signal.verdict] <= RANK_OF[standing.signal.verdict]:
                break
            watched.standing = _Standing(signal, number)
            return [signal]
        if standing is None:
            return []
        if not self._calm(watched, PAIRS[standing.pair], minute):
            return []
        watched.standing = None
        return [_cleared(standing.signal, now_ns)]

    def _calm(self, watched: _Watched, pair: Pair, minute: int) -> bool:
        """Whether the last calls burn slowly: those of the short window, or further back, for a few calls prove nothing."""
        length = pair.short_min
        recent = watched.tally.last(minute, length)
        if recent.burn(watched.tally.objective.allowed) >= pair.rate:
            # It would be raised again at once, however calm it was further back.
            return False
        while recent.calls < self._ground.policy.clear_calls and length < pair.long_min:
            length = min(2 * length, pair.long_min)
            recent = watched.tally.last(minute, length)
        # Silence is no recovery.
        return recent.calls > 0 and recent.burn(watched.tally.objective.allowed) < CALM * pair.rate

    def _alarm(self, key: _Key, watched: _Watched, pair: Pair, when: tuple[int, int]) -> Signal | None:
        """The signal of a pair of windows, None where either does not burn so fast or it may be luck."""
        objective, (minute, now_ns) = self._objectives[key[0]], when
        if not watched.tally.full(minute, pair):
            return None
        short, long = (watched.tally.last(minute, minutes) for minutes in (pair.short_min, pair.long_min))
        allowed, standard = objective.allowed, self._ground.policy.standard
        if min(short.burn(allowed), long.burn(allowed)) < pair.rate:
            return None
        seen = (int(long.calls), long.bad / long.calls)
        verdict, why = judge_burn(pair.rate, seen, long.certainty(allowed), standard)
        if verdict is Verdict.NOISE:
            return None
        onset_ns = watched.tally.onset_ns(minute, pair)
        since = watched.tally.last(minute, minute - onset_ns // MINUTE_NS + 1)
        before = watched.tally.period(minute).less(since)
        budget = watched.tally.budget(minute, long.burn(allowed))
        return Signal(
            id=watched.standing.signal.id if watched.standing else derived_id("sig", DETECTOR, objective.name, key[1], onset_ns),
            detector=DETECTOR,
            metric=objective.metric,
            segment=key[1],
            onset_ns=onset_ns,
            detected_ns=now_ns,
            baseline=before.total / before.calls if before.calls >= 1 else _promised(objective),
            observed=since.total / since.calls,
            log_evidence=long.certainty(allowed),
            threshold=standard.certainty,
            calls=int(since.calls),
            bad=since.bad,
            budget=0.0,
            verdict=verdict,
            reason=f"objective {objective.name} ({_promise(objective)}) burns {pair}: {why}; {budget}",
            exemplars=tuple(watched.shown),
        )

    def changed(self, change: Change) -> None:
        """A promise holds with or without a change."""

    def settle(self) -> list[SignalEvent]:
        """There is nothing to learn: the promise is given."""
        return []

    def tick(self, now_ns: int) -> list[SignalEvent]:
        """Judge what ended its minute without a further call."""
        found = list[SignalEvent]()
        for key, watched in self._watched.items():
            if 0 <= watched.minute < now_ns // MINUTE_NS:
                found += self._judge(key, watched, watched.minute, now_ns)
        return found

    def report(self) -> list[ObjectiveReport]:
        """How each objective stands in each segment that it was counted in."""
        found = []
        for (number, segment), watched in sorted(self._watched.items()):
            windows = tuple(_window_burn(watched, pair) for pair in PAIRS)
            found.append(
                ObjectiveReport(
                    objective=self._objectives[number].name,
                    segment=segment,
                    last_ns=(watched.minute + 1) * MINUTE_NS,
                    windows=windows,
                    budget=watched.tally.budget(watched.minute, windows[0].long),
                    alarm=watched.standing.signal.verdict if watched.standing else None,
                )
            )
        return found

    def snapshot(self) -> bytes:
        """All state."""
        return msgspec.msgpack.encode(
            [
                _State(self._objectives[n].name, s, w.tally.state(), w.minute, list(w.shown), w.standing)
                for (n, s), w in self._watched.items()
            ]
        )

    def restore(self, state: bytes) -> None:
        """Take over a snapshot; objectives that are no longer configured are forgotten, new ones begin."""
        numbers = {objective.name: number for number, objective in enumerate(self._objectives)}
        self._watched = {}
        for plain in msgspec.msgpack.decode(state, type=list[_State]):
            number = numbers.get(plain.objective)
            if number is not None:
                watched = self._watched[number, plain.segment] = _Watched(self._objectives[number])
                watched.tally.load(plain.tally)
                watched.minute, watched.standing = plain.minute, plain.standing
                watched.shown.extend(plain.shown)


class _State(msgspec.Struct):
    objective: str
    segment: Segment
    tally: TallyState
    minute: int
    shown: list[Exemplar]
    standing: _Standing | None


def _window_burn(watched: _Watched, pair: Pair) -> WindowBurn:
    long, short = (watched.tally.last(watched.minute, minutes) for minutes in (pair.long_min, pair.short_min))
    allowed = watched.tally.objective.allowed
    return WindowBurn(pair, long.burn(allowed), short.burn(allowed))


def _promise(objective: Objective) -> str:
    bad = "" if objective.bad_from is None else f" {objective.bad_from:g}"
    return f"{objective.metric}{bad} in at most {objective.allowed:.3g} of calls in {objective.days:g} d"


def _promised(objective: Objective) -> float:
    """The worst mean that keeps the promise, where none is known, in the metric's unit."""
    return objective.allowed if objective.bad_from is None else objective.bad_from


def _exemplar(score: Score) -> Exemplar:
    return Exemplar(score.trace_id, score.span_id, score.why or f"{score.metric} {score.value:.4g}")


def _cleared(signal: Signal, now_ns: int) -> SignalCleared:
    return SignalCleared(signal_id=signal.id, metric=signal.metric, segment=signal.segment, cleared_ns=now_ns)
