"""Which change did it: a Bayes factor per change from timing, exposure of the cohort, and exposed against unexposed calls.

BF = p(delay | cause) / rate of such changes x match of who was exposed with who is hurt x dose-response.
A benign change has the timing but not the match.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdfast.core.change import CONTROL, Change, ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.diagnose.cohort import Target, overlap
from holdfast.diagnose.frame import Bools, Condition, Floats, Frame
from holdfast.diagnose.onset import Onset

HOUR_NS = 3600 * NS_PER_S
LOOK_BACK_NS = 24 * HOUR_NS
"""Changes within this time before onset are weighed; they also give the rate of coincidences."""

DIMENSION_OF = {
    ChangeKind.PROMPT: "prompt.version",
    ChangeKind.MODEL: "model",
    ChangeKind.INDEX: "index.version",
    ChangeKind.TOOL: "tool",
    ChangeKind.DATA: "document.source",
}
"""The dimension whose value a change of this kind sets."""

IMPLIED = ("prompt.version", "model", "index.version")
"""Dimensions whose new value is a change even where nobody told of one."""

SWITCHES = frozenset({ChangeKind.FLAG, ChangeKind.CONFIG, ChangeKind.CODE})
"""Kinds of changes that may bring a new value of any dimension without saying so."""
BRINGS_NS = HOUR_NS // 2
"""A switch shows its value within this time, as soon as somebody calls."""
LEAST_HISTORY = 50
MOST_MATCH = 3.0
NEWNESS_NATS = 1.5
SAME_CALLS = 0.9
"""Overlap from which two sets of calls cannot be told apart."""
NEWNESS_NS = 3 * HOUR_NS // 2
"""A value that had been served for longer than this when the failure began is not new any more."""


@dataclass(frozen=True)
class Suspect:
    """A change with ln of its Bayes factor against coincidence; `change` is None where it is inferred from a new value."""

    kind: ChangeKind
    time_ns: int
    log_bayes: float
    change: Change | None = None
    condition: Condition | None = None
    why: str = ""

    @property
    def id(self) -> str:
        """The change's id; empty where nobody told of one."""
        return self.change.id if self.change else ""


@dataclass(frozen=True)
class Effect:
    """What a change has to explain: when, who (mask over the frame's calls, since onset), and the badness itself."""

    onset: Onset
    cohort: Mapping[str, str]
    inside: Bools
    targets: Sequence[Target]


def exposure(frame: Frame, change: Change) -> tuple[dict[str, str], Bools]:
    """The conditions that a change says it touches, and the calls that fulfil them."""
    conditions = {d: v for d, v in change.scope.items() if d != "service.name" and frame.mask((d, v)).any()}
    named = named_condition(frame, change)
    if named is not None:
        conditions[named[0]] = named[1]
    unseen = {d: v for d, v in change.scope.items() if d not in conditions and d != "service.name" and frame.values(d)}
    calls = frame.cohort(conditions)
    return conditions, calls & (not unseen)


def of_service(changes: Sequence[Change], service: str) -> list[Change]:
    """The changes that are of this application, or of none in particular."""
    return [c for c in changes if {c.service or service, c.scope.get("service.name", service)} == {service}]


def announced(frame: Frame, changes: Sequence[Change], inside: Bools, within_ns: tuple[int, int]) -> list[int]:
    """Times, in `within_ns`, of the changes that say that they touch just the calls of a part of the traffic.

    A failure of few calls an hour knows its beginning by hours only: that of such a change is the natural one. A remedy is for
    just the sick, too, and nothing began with it.
    """
    found = []
    late = inside & frame.after
    if inside.all() or not late.any():
        return []
    for change in changes:
        if within_ns[0] <= change.time_ns <= within_ns[1] and change.scope and change.source != CONTROL:
            conditions, calls = exposure(frame, change)
            if conditions and overlap(calls & frame.after, late) >= SAME_CALLS:
                found.append(change.time_ns)
    return found


def named_condition(frame: Frame, change: Change) -> Condition | None:
    """The dimension's value that a change set or touched, as far as calls carry it: new value, else target or subject."""
    own = DIMENSION_OF.get(change.kind)
    dimensions = [own] if own else ["prompt.version", "model", "index.version", "tool", "document.source"]
    told = [change.to_value, change.target, change.subject, *change.target.replace(":", "/").split("/")]
    for word in told:
        for dimension in dimensions:
            if word and frame.mask((dimension, word)).any():
                return dimension, word
    return None


def weigh(frame: Frame, changes: Sequence[Change], effect: Effect, service: str) -> list[Suspect]:
    """Every change and every inferred one, most suspicious first."""
    told = of_service(changes, service)
    new = _news(frame, effect)
    found = [_weigh_told(frame, c, effect, (_rate(told, c.kind), new)) for c in told]
    named = {s.condition for s in found if s.condition is not None and s.log_bayes > 0}
    implied = [_told_by(frame, s, told) for s in _implied(frame, effect) if s.condition not in named]
    spoken_for = {s.id for s in implied if s.id}
    return sorted([*(s for s in found if s.id not in spoken_for), *implied], key=lambda s: -s.log_bayes)


def _news(frame: Frame, effect: Effect) -> list[Condition]:
    """New values that the cohort is about, and those that came to the same calls: only time tells which of them did it."""
    appeared = [condition for condition, _ in new_values(frame, effect.onset)]
    if not any(effect.cohort.get(dimension) == value for dimension, value in appeared):
        return []
    hurt = effect.inside & frame.after
    return [
        (dimension, value)
        for dimension, value in appeared
        if effect.cohort.get(dimension) == value or overlap(frame.mask((dimension, value)) & frame.after, hurt) >= SAME_CALLS
    ]


def _told_by(frame: Frame, implied: Suspect, told: Sequence[Change]) -> Suspect:
    """The same suspect with the change that brought the new value, where one was announced just before it was first seen.

    A switch or a configuration does not say which value it brings. It is recognised by its scope, which must hold all calls that
    carry the value; one without a scope fits everything and so says nothing. Where several fit, none is named.
    """
    if implied.condition is None:
        return implied
    calls = frame.mask(implied.condition) & frame.after
    fitting = [
        c
        for c in told
        if c.kind in SWITCHES
        and implied.time_ns - BRINGS_NS <= c.time_ns <= implied.time_ns
        and (scope := {d: v for d, v in c.scope.items() if d != "service.name"})
        and bool(frame.cohort(scope)[calls].all())
    ]
    if len(fitting) != 1:
        return implied
    return replace(implied, change=fitting[0], why=f"{implied.why}; {fitting[0].kind} change of {fitting[0].target} just before")


def _rate(changes: Sequence[Change], kind: ChangeKind) -> float:
    """Changes of a kind per ns by coincidence: those seen and one more in a day and a half."""
    return (sum(c.kind is kind for c in changes) + 0.5) / (1.5 * LOOK_BACK_NS)


def _weigh_told(frame: Frame, change: Change, effect: Effect, known: tuple[float, Sequence[Condition]]) -> Suspect:
    rate, new = known
    conditions, calls = exposure(frame, change)
    condition = named_condition(frame, change)
    timing = timing_factor(change.time_ns, effect.onset, rate)
    match, words = _match(frame, conditions, calls, effect)
    match += _newness(new, conditions, overlap(calls & frame.after, effect.inside & frame.after))
    dose = _dose(calls & frame.after, effect) if conditions else 0.0
    total = timing + match + dose
    return Suspect(change.kind, change.time_ns, total, change, condition, words)


def _delays() -> Floats:
    """Quantiles of the time from a change to its effect, ns: half at once, a third over hours, the rest up to six hours."""
    q = (np.arange(100) + 0.5) / 100
    at_once, slow, late = -np.log1p(-q) * HOUR_NS / 15, -np.log1p(-q) * HOUR_NS * 1.5, q * HOUR_NS * 6
    return np.concatenate([at_once, at_once, at_once, slow, slow, late])


_DELAYS = _delays()


def timing_factor(change_ns: int, onset: Onset, rate: float) -> float:
    """ln p(delay | cause) - ln p(delay | coincidence): the onset must follow, soon after or within hours."""
    error = max(onset.error_ns, 30 * NS_PER_S)
    z = (onset.time_ns - change_ns - _DELAYS) / error
    density = float((np.exp(-0.5 * np.minimum(z * z, 700.0)) / (error * np.sqrt(2 * np.pi))).mean())
    return float(np.log(max(density, 1e-4 * rate) / rate))


def _match(frame: Frame, conditions: Mapping[str, str], calls: Bools, effect: Effect) -> tuple[float, str]:
    """Nats for how well the exposed calls since onset are the ones that are hurt."""
    exposed, hurt = calls & frame.after, effect.inside & frame.after
    both, n_exposed, n_hurt = int((exposed & hurt).sum()), int(exposed.sum()), int(hurt.sum())
    if not conditions and calls.all():
        return (0.3, "it is not limited to a cohort") if not effect.cohort else (-0.7, "it is wider than the cohort")
    if not n_hurt or both < 0.5 * n_hurt:
        return -5.0, "most of the affected calls were not exposed to it"
    jaccard = both / max(n_exposed + n_hurt - both, 1)
    # The match is as telling as it is unlikely by chance: a change that exposed half of the traffic fits half of all failures.
    surprise = min(-float(np.log(n_exposed / max(int(frame.after.sum()), 1))), MOST_MATCH)
    told = ", ".join(f"{d}={v}" for d, v in conditions.items())
    return surprise * jaccard, f"{both / n_hurt:.0%} of the affected calls carry {told}"


def _newness(new: Sequence[Condition], conditions: Mapping[str, str], same: float) -> float:
    """Nats for having set the very value that is new in the cohort; a change of something else leaves it unexplained.

    Unless that exposed the `same` calls (as a share of either): then the new value may just happen to be there, too.
    """
    if not new:
        return 0.0
    if any(conditions.get(d) == v for d, v in new):
        return NEWNESS_NATS
    return 0.0 if same >= SAME_CALLS and conditions else -NEWNESS_NATS


def _dose(exposed: Bools, effect: Effect) -> float:
    """Nats for exposed calls being worse than unexposed ones since onset, where both exist."""
    best = 0.0
    for target in effect.targets[:1]:
        inside = exposed[target.call]
        if min(int(inside.sum()), int((~inside).sum())) < 20:
            return 0.0
        excess = target.observed - target.expected
        spread = float(np.sqrt(excess[inside].var() / inside.sum() + excess[~inside].var() / (~inside).sum()))
        z = float(excess[inside].mean() - excess[~inside].mean()) / max(spread, 1e-9)
        best = 1.0 if z > 3 else (-2.0 if z < 1 else 0.0)
    return best


def new_values(frame: Frame, onset: Onset, dimensions: Sequence[str] = IMPLIED) -> list[tuple[Condition, int]]:
    """Values that calls carry since about the onset and did not carry before, with the time of the first one."""
    found = []
    earliest = int(frame.time_ns.min()) if len(frame) else 0
    for condition in frame.conditions:
        if condition[0] not in dimensions:
            continue
        first = frame.first_seen_ns(condition)
        near = onset.time_ns - NEWNESS_NS - 3 * onset.error_ns <= first <= onset.time_ns + 3 * onset.error_ns + HOUR_NS // 2
        history = int((frame.time_ns < first).sum())
        since = int((frame.mask(condition) & frame.after).sum())
        if near and first > earliest and history >= LEAST_HISTORY and since >= max(5, 0.05 * int(frame.after.sum())):
            found.append((condition, first))
    return found


def _implied(frame: Frame, effect: Effect) -> list[Suspect]:
    kinds = {dimension: kind for kind, dimension in DIMENSION_OF.items()}
    found = []
    for condition, first in new_values(frame, effect.onset):
        calls = frame.mask(condition)
        match, words = _match(frame, dict([condition]), calls, effect)
        total = timing_factor(first, effect.onset, 0.5 / (1.5 * LOOK_BACK_NS)) + match + _dose(calls & frame.after, effect)
        found.append(Suspect(kinds[condition[0]], first, total, None, condition, words))
    return found
