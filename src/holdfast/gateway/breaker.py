"""One circuit breaker as a value with a clock: closed, open, half-open, and back only on judged probes."""

from enum import StrEnum

import msgspec

from holdfast.control.snapshot import BreakerRule
from holdfast.core.clock import NS_PER_S

SLOTS = 10
MAX_COOL_FACTOR = 16
"""A breaker that trips again on its probes waits twice as long, up to this many times `cool_s`."""
QUIET_COOLS = 6
"""Closed for so many times `cool_s`, it is trusted again: the next trip waits `cool_s`."""
PROBE_PATIENCE_COOLS = 3
"""A probe that has not been judged for so many times `cool_s` is counted as lost, so that another can go."""


class BreakerState(StrEnum):
    """Closed: calls pass. Open: none does. Half-open: only probes do."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A change of state, as it is told to people: what was counted when it happened."""

    breaker: str
    target: str
    scope: str
    at_ns: int
    before: BreakerState
    after: BreakerState
    seen: int
    bad: int
    shadow: bool


class Window:
    """Counts of the last `window_s` seconds, in ten slots."""

    __slots__ = ("_bad", "_first", "_seen", "_slot_ns")

    def __init__(self, window_s: float) -> None:
        self._slot_ns = max(int(window_s * NS_PER_S / SLOTS), 1)
        self._seen, self._bad = [0] * SLOTS, [0] * SLOTS
        self._first = 0

    def add(self, bad: bool, now_ns: int) -> None:
        """Count one call."""
        self._forget(now_ns)
        at = (now_ns // self._slot_ns) % SLOTS
        self._seen[at] += 1
        self._bad[at] += bad

    def _forget(self, now_ns: int) -> None:
        slot = now_ns // self._slot_ns
        behind = slot - self._first
        if behind >= SLOTS or behind < 0:
            self._seen, self._bad = [0] * SLOTS, [0] * SLOTS
        else:
            for passed in range(self._first + 1, slot + 1):
                self._seen[passed % SLOTS] = self._bad[passed % SLOTS] = 0
        self._first = slot

    def counts(self, now_ns: int) -> tuple[int, int]:
        """(calls, bad ones) in the window."""
        self._forget(now_ns)
        return sum(self._seen), sum(self._bad)

    def clear(self) -> None:
        """Forget everything."""
        self._seen, self._bad = [0] * SLOTS, [0] * SLOTS


class Breaker:
    """The state of one rule on one target for one scope.

    `admits` says whether a call may pass; whoever lets a probe pass says so by `begin_probe`, and `record` judges it.
    """

    __slots__ = ("_cool_factor", "_lost_ns", "_out", "_probe_bad", "_probe_seen", "_since_ns", "_window", "rule", "state")

    def __init__(self, rule: BreakerRule, now_ns: int) -> None:
        self.rule = rule
        self.state = BreakerState.CLOSED
        self._window = Window(rule.window_s)
        self._since_ns = now_ns
        self._cool_factor = 1
        self._probe_seen = self._probe_bad = self._out = 0
        self._lost_ns = 0

    @property
    def since_ns(self) -> int:
        """When the present state began."""
        return self._since_ns

    def counts(self, now_ns: int) -> tuple[int, int]:
        """(calls, bad ones): of the window when closed, of the probes otherwise."""
        if self.state is BreakerState.CLOSED:
            return self._window.counts(now_ns)
        return self._probe_seen, self._probe_bad

    def look(self, now_ns: int) -> BreakerState:
        """The state now: an open breaker that has cooled is half-open."""
        if self.state is BreakerState.OPEN and now_ns - self._since_ns >= self._cool_ns:
            self._enter(BreakerState.HALF_OPEN, now_ns)
        return self.state

    @property
    def _cool_ns(self) -> int:
        return int(self.rule.cool_s * self._cool_factor * NS_PER_S)

    def wants_probe(self, now_ns: int) -> bool:
        """Whether one more probe is needed: half-open, and fewer are judged or under way than the rule asks for."""
        if self.look(now_ns) is not BreakerState.HALF_OPEN:
            return False
        if self._out and now_ns - self._lost_ns > PROBE_PATIENCE_COOLS * self._cool_ns:
            self._out = 0
        return self._probe_seen + self._out < self.rule.probes

    def begin_probe(self, now_ns: int) -> None:
        """A probe is under way."""
        self._out += 1
        self._lost_ns = now_ns

    def record(self, bad: bool, now_ns: int, probe: bool = False) -> tuple[BreakerState, BreakerState]:
        """Count a judged call; (state before, state after).

        What is judged while the breaker is open, or was sent before it opened, does not count: only probes close it.
        """
        before = self.look(now_ns)
        if before is BreakerState.CLOSED:
            self._window.add(bad, now_ns)
            if now_ns - self._since_ns > QUIET_COOLS * self._cool_ns:
                self._cool_factor = 1
            if bad:
                self._trip_if_due(now_ns)
        elif before is BreakerState.HALF_OPEN and probe:
            self._judge(bad, now_ns)
        return before, self.state

    def trip(self, now_ns: int) -> None:
        """Open on what somebody else has counted."""
        self._enter(BreakerState.OPEN, now_ns)
        self._probe_seen = self._probe_bad = 0

    def _trip_if_due(self, now_ns: int) -> None:
        seen, wrong = self._window.counts(now_ns)
        if seen >= self.rule.min_count and wrong >= self.rule.open_at * seen:
            self._enter(BreakerState.OPEN, now_ns)
            self._probe_seen, self._probe_bad = seen, wrong

    def _judge(self, bad: bool, now_ns: int) -> None:
        self._out = max(self._out - 1, 0)
        self._probe_seen += 1
        self._probe_bad += bad
        # As soon as the outcome cannot change any more: a sick target gets no more probes than it needs.
        if self._probe_bad >= max(self.rule.close_at * self.rule.probes, 1e-9) and self._probe_bad:
            self._cool_factor = min(self._cool_factor * 2, MAX_COOL_FACTOR)
            self._enter(BreakerState.OPEN, now_ns)
        elif self._probe_seen >= self.rule.probes:
            self._enter(BreakerState.CLOSED, now_ns)

    def _enter(self, state: BreakerState, now_ns: int) -> None:
        self.state, self._since_ns = state, now_ns
        self._out = 0
        if state is BreakerState.HALF_OPEN:
            self._probe_seen = self._probe_bad = 0
        if state is BreakerState.CLOSED:
            self._window.clear()
