"""`Diagnoser`: from an incident to who is hurt, since when, after which change, in which layer, and why we think so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from holdfast.core.change import Change
from holdfast.core.diagnosis import Diagnosis
from holdfast.core.incident import Incident
from holdfast.core.observations import Telemetry
from holdfast.core.score import Metric, Unit
from holdfast.core.signal import Signal, Verdict
from holdfast.diagnose import narrate
from holdfast.diagnose.apart import Apart, opener, others_sick
from holdfast.diagnose.attackers import campaign, cohort_of
from holdfast.diagnose.badness import Watched, falls, watch
from holdfast.diagnose.calibration import Calibration, shipped
from holdfast.diagnose.changes import (
    HOUR_NS,
    LOOK_BACK_NS,
    Effect,
    announced,
    exposure,
    new_values,
    of_service,
    timing_factor,
    weigh,
)
from holdfast.diagnose.cohort import NEW_VALUE_BONUS, Cohort, CohortScan, everywhere, overlap
from holdfast.diagnose.evidence.composite import Scene
from holdfast.diagnose.evidence.registry import METRICS_READ, read_all
from holdfast.diagnose.findings import Findings
from holdfast.diagnose.frame import Bools, Condition, Frame
from holdfast.diagnose.moves import measure, reference, steps
from holdfast.diagnose.onset import Onset, estimate
from holdfast.diagnose.posterior import VERSIONS, Model, primary
from holdfast.diagnose.venn_abers import lower_bound

HISTORY_NS = 24 * HOUR_NS
LONG_HISTORY_NS = 7 * HISTORY_NS
ANNOUNCED_NS = 12 * HOUR_NS
ENOUGH_HISTORY = 300
MOST_ROWS = 20_000
PROBE_NS = 2 * HOUR_NS
"""How far before onset the amount of traffic is measured, so that no more is read than is needed."""
SCANNED_METRICS = 3
LEADING_CALLS = 30
CHANGE_BONUS = 1.5
SAME_CALLS = 0.9
COMMON = 0.95
"""Share of the calls of a known language from which one is that of everybody, if it is that of `MOST` of all calls."""
MOST = 0.5
DOMAIN, PART = 0.97, 0.8
"""Share of the calls of a metric that have a value that they are all about, and of all calls at most for it to say something."""


class Diagnoser:
    """Pure: the same incident and telemetry give the same diagnosis.

    Args:
        metrics: what is known of each metric; others are taken by the look of their values.
        calibration: the fitted numbers; the shipped ones by default.
    """

    def __init__(self, metrics: Mapping[str, Metric], calibration: Calibration | None = None) -> None:
        self.metrics = metrics
        self.model = Model(calibration or shipped())

    def diagnose(self, incident: Incident, telemetry: Telemetry, now_ns: int, others: Sequence[Incident] = ()) -> Diagnosis:
        """What is believed at `now_ns`; with nothing to go by, `unknown` in the proportions of the prior.

        `others` are incidents that go on at the same time: calls that only they are about are left out.
        """
        rest = Apart(telemetry, others_sick(incident, others))
        told = narrate.diagnosis(self.find(incident, rest, now_ns), now_ns)
        low = lower_bound(self.model.calibration.lower, told.confidence)
        # Drills are not the world: where they were kinder than the posterior, that is no reason to be surer.
        return narrate.bounded(told, min(low, told.confidence))

    def find(self, incident: Incident, telemetry: Telemetry, now_ns: int) -> Findings:
        """The findings behind `diagnose`."""
        signals = leading(incident.signals, self.metrics)
        guess = min((s.onset_ns for s in signals), default=incident.started_ns)
        frame = self._frame(incident, telemetry, signals, guess, now_ns)
        # What came after it was seen has not caused it.
        changes = telemetry.changes(guess - LOOK_BACK_NS, min(now_ns, incident.detected_ns + 1))
        watched = tuple(self._watch(frame, s) for s in signals if s.metric in frame.columns)
        frame, onset, cohort = self._locate(frame, watched, changes, incident)
        if watched and cohort.conditions and everywhere(watched[0].since(onset.time_ns), frame.cohort(cohort.conditions)):
            cohort = Cohort()
        inside = frame.cohort(cohort.conditions)
        attack = campaign(frame, watched) if watched else None
        if attack is not None:
            onset = estimate(watched, attack.inside, (guess - 6 * HOUR_NS, incident.detected_ns), guess)
            frame = frame.since(onset.time_ns)
            attack = campaign(frame, watched) or attack
            cohort, inside = cohort_of(attack, frame, cohort)
        new = [condition for condition, _ in new_values(frame, onset)]
        replaced = next((d for d, v in cohort.conditions.items() if (d, v) in new), "")
        healthy = reference(frame, inside, replaced, cohort.conditions)
        moves = measure(frame, self.metrics, inside, healthy)
        failing = tuple(w.column.metric for w in watched)
        readings = read_all(Scene(frame, inside, healthy, moves, steps(moves), failing, cohort.conditions))
        effect = Effect(onset, cohort.conditions, inside, [w.since(onset.time_ns) for w in watched])
        suspects = tuple(weigh(frame, changes, effect, incident.service)) if len(frame) else ()
        dimensions = self._dimensions(frame, onset, cohort, inside) if watched else {}
        if attack is not None and not cohort.conditions:
            dimensions = {"user": 1.0}
        posterior = self.model.posterior(readings, dimensions, suspects)
        return Findings(incident, frame, watched, onset, cohort, inside, dimensions, suspects, readings, posterior, attack)

    def _frame(self, incident: Incident, telemetry: Telemetry, signals: Sequence[Signal], guess: int, now_ns: int) -> Frame:
        """Everything scored from a day before onset (longer where little was, shorter where very much was) until now."""
        own = [s.metric for s in signals]
        names = list(dict.fromkeys([*own, *(name for name in METRICS_READ if name in self.metrics)]))
        start = guess - HISTORY_NS
        probe = telemetry.observations(incident.service, own[:1], guess - PROBE_NS, now_ns) if own else {}
        seen = max((len(rows) for rows in probe.values()), default=0)
        if seen * HISTORY_NS > MOST_ROWS * (now_ns - guess + PROBE_NS):
            start = guess - max(HOUR_NS, (now_ns - guess + PROBE_NS) * MOST_ROWS // seen - (now_ns - guess))
        found = telemetry.observations(incident.service, names, start, now_ns + 1)
        most = found.get(own[0]) if own else max(found.values(), key=len, default=None)
        if start == guess - HISTORY_NS and (most is None or int((most.time_ns < guess).sum()) < ENOUGH_HISTORY):
            found = telemetry.observations(incident.service, names, guess - LONG_HISTORY_NS, now_ns + 1)
        return Frame(found, guess)

    def _watch(self, frame: Frame, signal: Signal) -> Watched:
        known = self.metrics.get(signal.metric)
        return watch(frame, frame.columns[signal.metric], known, falls(known, signal.baseline, signal.observed))

    def _locate(
        self,
        frame: Frame,
        watched: Sequence[Watched],
        changes: Sequence[Change],
        incident: Incident,
    ) -> tuple[Frame, Onset, Cohort]:
        """Onset and cohort in turns: each is sharper for knowing the other. It began before it was seen."""
        guess, seen_ns, apart = frame.onset_ns, incident.detected_ns, refused(frame, incident.signals)
        if not watched:
            return frame, Onset(guess, HOUR_NS // 6, 0.0), Cohort()
        conditions: Mapping[str, str] = leading(incident.signals, self.metrics)[0].segment.conditions
        cohort, opened = Cohort(), incident.signals[0].segment
        told = (opened.dimension, opened.value) if opened.dimension else None
        for turn in range(2):
            onset = estimate(watched, frame.cohort(conditions), (guess - 6 * HOUR_NS, seen_ns), guess)
            located = frame.since(onset.time_ns)
            favoured = self._favoured(located, onset, changes)
            scan = CohortScan(located, [w.since(onset.time_ns) for w in watched], favoured, refused=apart)
            cohort = scan.run(resample=turn > 0, told=told)
            if turn:
                break
            if cohort.conditions == dict(conditions):
                cohort = scan.run(told=told)
                break
            conditions = cohort.conditions
        if not cohort.conditions:
            cohort = replace(cohort, conditions=_domain(located, watched))
        inside = frame.cohort(cohort.conditions)
        began = _began(located, onset, cohort.conditions, inside)
        own = of_service(changes, incident.service)
        natural = [
            *[first for _, first in began],
            *_brought(located, onset, inside),
            *announced(frame, own, inside, (guess - ANNOUNCED_NS, seen_ns)),
        ]
        onset = estimate(watched, inside, (min([guess - 6 * HOUR_NS, *natural]), seen_ns), guess, natural)
        if began and len(cohort.conditions) == 1:
            nearest, _ = min(began, key=lambda value: abs(value[1] - onset.time_ns))
            cohort = replace(cohort, conditions=dict([nearest]))
        return frame.since(onset.time_ns), onset, _of_user(cohort)

    @staticmethod
    def _dimensions(frame: Frame, onset: Onset, cohort: Cohort, inside: Bools) -> dict[str, float]:
        """Which dimension the cohort is about, by weight: several where conditions hold the same calls.

        A new value weighs as much as its timing is unlikely by chance; one that was always there weighs 1: it may be the one
        that is hurt, with the new value there by chance. A condition without which the new value does no harm shares equally.
        """
        late = inside & frame.after
        same = [(c, first) for c, first in new_values(frame, onset) if overlap(frame.mask(c) & late, late) >= SAME_CALLS]
        new = [c for c, _ in same]
        told = primary(cohort.conditions, new)
        if told not in {c[0] for c in new}:
            return {told: 1.0}
        old = [c for c in frame.conditions if c not in new and c[0] not in VERSIONS and c[0] != "model"]
        weights = {c[0]: 1.0 for c in old if overlap(frame.mask(c) & frame.after, late) >= SAME_CALLS}
        weights |= {c[0]: float(np.exp(timing_factor(first, onset, 1 / LOOK_BACK_NS))) for c, first in same}
        needed = [d for d, v in cohort.conditions.items() if (d, v) in old and d not in weights]
        share = 1 / (1 + len(needed))
        return {d: share * w / sum(weights.values()) for d, w in weights.items()} | dict.fromkeys(needed, share)

    @staticmethod
    def _favoured(frame: Frame, onset: Onset, changes: Sequence[Change]) -> dict[Condition, float]:
        """Nats for conditions that a recent change touches, and more for values that are new."""
        near = [
            c for c in changes if onset.time_ns - 6 * HOUR_NS <= c.time_ns <= onset.time_ns + 2 * onset.error_ns + HOUR_NS // 6
        ]
        favoured: dict[Condition, float] = {}
        for c in near:
            bonus = CHANGE_BONUS * float(np.exp(-max(onset.time_ns - c.time_ns, 0) / HOUR_NS))
            for condition in exposure(frame, c)[0].items():
                favoured[condition] = max(favoured.get(condition, 0.0), bonus)
        for condition, first in new_values(frame, onset):
            late = abs(first - onset.time_ns) / max(onset.error_ns, HOUR_NS // 4)
            favoured[condition] = NEW_VALUE_BONUS + float(np.exp(-late))
        return favoured


def _of_user(cohort: Cohort) -> Cohort:
    """What a user does is about that user: what else those calls share is only where the user happened to ask."""
    user = cohort.conditions.get("user")
    return cohort if user is None else replace(cohort, conditions={"user": user})


def _domain(frame: Frame, watched: Sequence[Watched]) -> dict[str, str]:
    """The value that all calls have of which the failing metrics tell at all, where others do not: a tool, for what tools do.

    Empty where there is none, or where nearly all calls have it.
    """
    told = np.zeros(len(frame), dtype=np.bool_)
    for one in watched:
        told[one.column.call] = True
    told &= frame.after
    least, most = DOMAIN * int(told.sum()), PART * int(frame.after.sum())
    found = [(int((mask & frame.after).sum()), c) for c in frame.conditions if int((mask := frame.mask(c))[told].sum()) >= least]
    size, condition = min(found, default=(0, ("", "")), key=lambda f: f[0])
    return dict([condition]) if 0 < size <= most else {}


def _began(frame: Frame, onset: Onset, conditions: Mapping[str, str], inside: Bools) -> list[tuple[Condition, int]]:
    """The new value that a cohort is about, and those that came to the same calls, with the time of the first call of each.

    Several things are often deployed together: which of them it was is told by when the failure began.
    """
    new = new_values(frame, onset)
    if not any(conditions.get(dimension) == value for (dimension, value), _ in new):
        return []
    late = inside & frame.after
    return [
        (condition, first)
        for condition, first in new
        if conditions.get(condition[0]) == condition[1] or overlap(frame.mask(condition) & frame.after, late) >= SAME_CALLS
    ]


def _brought(frame: Frame, onset: Onset, inside: Bools) -> list[int]:
    """Times of the first calls of new values that nearly all calls of a cohort have had since, and others have, too.

    A new prompt of everybody may do harm in one language only.
    """
    found = []
    for condition, first in new_values(frame, replace(onset, error_ns=max(onset.error_ns, HOUR_NS // 2))):
        since = inside & (frame.time_ns >= max(first, frame.onset_ns))
        if since.any() and float(frame.mask(condition)[since].mean()) >= DOMAIN:
            found.append(first)
    return found


def refused(frame: Frame, signals: Sequence[Signal]) -> frozenset[Condition]:
    """Conditions outside of which the bad calls lie that the incident was opened for, and the language of nearly everybody.

    Another fault may be the louder one by now, and has its own incident: the cohort of this one must hold what was first seen.
    A language is only found out where there are words enough: one that all others have, too, leaves out short requests.
    """
    spread, spoken = opener(signals), frame.carries("language")
    outside = {c for c in frame.conditions if spread is not None and spread.outside(dict([c]))}
    least = max(COMMON * int((spoken & frame.after).sum()), MOST * int(frame.after.sum()))
    common = {c for c in frame.conditions if c[0] == "language" and int((frame.mask(c) & frame.after).sum()) >= least}
    return frozenset(outside | common)


def leading(signals: Sequence[Signal], metrics: Mapping[str, Metric]) -> list[Signal]:
    """The clearest signal of each metric, at most three: of failures where there are any, and of those of rates of bad calls.

    Where it hurts is read off what hurts; latency, length and cost move for many harmless reasons, and loudly. Clear is what took
    few calls for each nat of evidence: how far an alarm is beyond its threshold is chance. A signal of hardly any calls leads,
    but not where it came after one of many: a small segment that was drawn in late.
    """

    def kind(signal: Signal) -> tuple[bool, bool]:
        known = metrics.get(signal.metric)
        return signal.verdict is not Verdict.FAILURE, known is not None and known.unit is not Unit.PROBABILITY

    worst = min(map(kind, signals), default=(False, False))
    chosen = [s for s in signals if kind(s) == worst]
    known_ns = min((s.detected_ns for s in chosen if s.calls >= LEADING_CALLS), default=None)
    late = {s.id for s in chosen if s.calls < LEADING_CALLS and known_ns is not None and s.detected_ns > known_ns}
    ranked = sorted(chosen, key=lambda s: (s.id not in late, s.log_evidence / max(s.calls, 1)), reverse=True)
    first: dict[str, Signal] = {}
    for signal in ranked:
        first.setdefault(signal.metric, signal)
    return list(first.values())[:SCANNED_METRICS]
