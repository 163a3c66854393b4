"""All breakers of a gateway: one per rule, target and scope, bounded; which targets may be asked, and what each outcome means."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from holdfast.control.probes import ProbeVerdict
from holdfast.control.snapshot import BreakerRule, BreakerSignal
from holdfast.core.call import Dimensions
from holdfast.core.clock import Clock
from holdfast.gateway.breaker import Breaker, BreakerState, Transition
from holdfast.gateway.bucket import Bounded
from holdfast.gateway.siblings import Tripped

MAX_BREAKERS = 10_000
MAX_TRANSITIONS = 200
LIVE_PROBES = frozenset({BreakerSignal.TRANSPORT, BreakerSignal.LATENCY, BreakerSignal.COST})
"""Signals whose probes are users' own calls: a failed one is tried elsewhere. Probes of quality are copies that nobody sees."""


_Identity = tuple[str, str, tuple[str, ...]]
# What `Key` holds, as a plain tuple: one is made for every rule of every request, and a named one takes four times as long.


class Key(NamedTuple):
    """Identity of a breaker: rule, target, and the values of the rule's dimensions."""

    rule: str
    target: str
    scope: tuple[str, ...]


class Outcome(msgspec.Struct, frozen=True):
    """What became of a call, for one signal.

    `value`: seconds for latency, US dollars for cost, else 1 for a bad call and 0 for a good one. `guard`: who judged the
    quality; empty for what all guards said together.
    """

    signal: BreakerSignal
    value: float
    guard: str = ""

    def bad_for(self, rule: BreakerRule) -> bool | None:
        """Whether the call was bad by `rule`; None where this outcome is not what the rule watches."""
        if self.signal is not rule.signal:
            return None
        if self.signal is BreakerSignal.QUALITY:
            return self.value >= 1.0 if self.guard == rule.guard else None
        return self.value >= 1.0 if self.signal is BreakerSignal.TRANSPORT else self.value > rule.limit


class Admission(msgspec.Struct, frozen=True):
    """Whether a target may be asked: `probes` are the rules that the call is a probe of, `closed_by` those that forbid it.

    `copies` are rules that want a copy of the request as a probe.
    """

    target: str
    probes: tuple[str, ...] = ()
    closed_by: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    since_ns: int = 0


class Breakers:
    """The breakers of one worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._table: Bounded[Breaker] = Bounded(MAX_BREAKERS)
        self.transitions: deque[Transition] = deque(maxlen=MAX_TRANSITIONS)
        self.tripped = 0
        self.on_trip: Callable[[Tripped], object] = lambda tripped: None
        """Told of each breaker in force that opens on what this worker itself saw."""

    def _of(self, rule: BreakerRule, target: str, dimensions: Dimensions) -> Breaker:
        key = _key(rule, target, dimensions)
        now_ns = self._clock.now_ns()
        breaker = self._table.get(key, lambda: Breaker(rule, now_ns))
        if breaker.rule is not rule and breaker.rule != rule:
            breaker.rule = rule
        return breaker

    def admission(self, rules: Sequence[BreakerRule], target: str, dimensions: Dimensions) -> Admission:
        """Whether `target` may be asked now. Shadow breakers never forbid; one that only wants probes lets a probe pass."""
        probes, closed, copies = [], [], []
        since_ns = 0
        now_ns = self._clock.now_ns()
        for rule in rules:
            known = self._table.peek(_key(rule, target, dimensions))
            if known is None or known.look(now_ns) is BreakerState.CLOSED:
                continue
            wanted = known.wants_probe(now_ns)
            if rule.shadow or (wanted and rule.signal in LIVE_PROBES):
                if wanted:
                    probes.append(rule.name)
                continue
            if wanted:
                copies.append(rule.name)
            closed.append(rule.name)
            since_ns = max(since_ns, known.since_ns)
        return Admission(target, tuple(probes), tuple(closed), tuple(copies), since_ns)

    def begin_probes(self, rules: Iterable[BreakerRule], names: Sequence[str], target: str, dimensions: Dimensions) -> None:
        """The call that is now sent to `target` is a probe of these rules."""
        for rule in rules:
            if rule.name in names:
                self._of(rule, target, dimensions).begin_probe(self._clock.now_ns())

    def record(
        self,
        rules: Iterable[BreakerRule],
        target: str,
        dimensions: Dimensions,
        outcomes: Sequence[Outcome],
        probes: Sequence[str] = (),
    ) -> None:
        """Tell the breakers of `target` what became of a call."""
        now_ns = self._clock.now_ns()
        for rule in rules:
            for outcome in outcomes:
                if outcome.signal is not rule.signal or (bad := outcome.bad_for(rule)) is None:
                    continue
                breaker = self._of(rule, target, dimensions)
                before, after = breaker.record(bad, now_ns, rule.name in probes)
                if before is not after:
                    self._note(breaker, rule, target, dimensions, before)
                if before is BreakerState.CLOSED and after is BreakerState.OPEN and not rule.shadow:
                    self.on_trip(Tripped(rule.name, target, _key(rule, target, dimensions)[2]))

    def tripped_elsewhere(self, rules: Iterable[BreakerRule], tripped: Tripped) -> None:
        """A sibling saw enough of this target to open its breaker: this worker's opens too, and closes on its own probes."""
        now_ns = self._clock.now_ns()
        for rule in rules:
            if rule.shadow or len(rule.dimensions) != len(tripped.scope):
                continue
            dimensions: Dimensions = {name: (value,) for name, value in zip(rule.dimensions, tripped.scope, strict=True)}
            breaker = self._of(rule, tripped.target, dimensions)
            before = breaker.look(now_ns)
            if before is BreakerState.CLOSED:
                breaker.trip(now_ns)
                self._note(breaker, rule, tripped.target, dimensions, before)

    def judged(self, rules: Iterable[BreakerRule], verdict: ProbeVerdict) -> None:
        """Count what a judge elsewhere says of a probe.

        It counts for a half-open breaker on quality whose guard has the judge's name; a verdict alone makes none, and trips none.
        """
        if verdict.good is None:
            return
        now_ns = self._clock.now_ns()
        dimensions: Dimensions = {name: (value,) for name, value in verdict.dimensions.items()}
        for rule in rules:
            if rule.signal is not BreakerSignal.QUALITY or rule.guard != verdict.judge:
                continue
            breaker = self._table.peek(_key(rule, verdict.target, dimensions))
            if breaker is None or breaker.look(now_ns) is not BreakerState.HALF_OPEN:
                continue
            before, after = breaker.record(not verdict.good, now_ns, probe=True)
            if before is not after:
                self._note(breaker, rule, verdict.target, dimensions, before)

    def _note(self, breaker: Breaker, rule: BreakerRule, target: str, dimensions: Dimensions, before: BreakerState) -> None:
        now_ns = self._clock.now_ns()
        seen, bad = breaker.counts(now_ns)
        self.tripped += breaker.state is BreakerState.OPEN
        self.transitions.append(
            Transition(
                breaker=rule.name,
                target=target,
                scope=_scope(rule, dimensions),
                at_ns=now_ns,
                before=before,
                after=breaker.state,
                seen=seen,
                bad=bad,
                shadow=rule.shadow,
            )
        )

    def states(self) -> list[tuple[Key, BreakerState, int, int, int]]:
        """(key, state, since when, calls, bad ones) of all breakers."""
        now_ns = self._clock.now_ns()
        found = []
        for key, breaker in self._table.items():
            if isinstance(key, tuple):
                found.append((Key(*key), breaker.look(now_ns), breaker.since_ns, *breaker.counts(now_ns)))
        return found


def _key(rule: BreakerRule, target: str, dimensions: Dimensions) -> _Identity:
    names = rule.dimensions
    return rule.name, target, tuple([dimensions.get(name, ("",))[0] for name in names]) if names else ()


def _scope(rule: BreakerRule, dimensions: Dimensions) -> str:
    return ",".join(f"{name}={dimensions.get(name, ('',))[0]}" for name in rule.dimensions)
