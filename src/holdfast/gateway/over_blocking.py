"""The over-blocking budget: how many harmless requests a guard stops, estimated live, and when it has stopped too many.

A guard's score is a calibrated probability that what it read is a violation, so 1 - score is the probability that a block hits a
harmless one. Their sum over the blocks, over the sum for all that was judged, is the share of harmless requests that are blocked.
Both sums are halved every `HALF_LIFE_S`. Blocks of one user count once in a half-life: nobody can spend the budget, and so switch
a guard off, by being blocked again and again. While a guard is relaxed it goes on judging, so that the estimate stays alive.
"""

import math

from holdfast.core.clock import NS_PER_S
from holdfast.gateway.bucket import Bounded

HALF_LIFE_S = 600.0
MIN_HARMLESS = 3.0
"""Harmless blocks, expected, below which no budget is called spent: a few requests say nothing."""
RESTORE_AT = 0.5
"""A relaxed guard is in force again when the share is below this part of its budget: hysteresis."""
MAX_USERS = 1000
"""Users whose latest block is remembered, per guard and segment."""


class OverBlocking:
    """The estimate for one guard in one segment."""

    __slots__ = ("_at_ns", "_blocked", "_judged", "_users", "relaxed")

    def __init__(self, now_ns: int) -> None:
        self._blocked = self._judged = 0.0
        self._at_ns = now_ns
        self._users: Bounded[list[int]] = Bounded(MAX_USERS)
        self.relaxed = False

    def _decay(self, now_ns: int) -> None:
        elapsed_s = max(now_ns - self._at_ns, 0) / NS_PER_S
        if elapsed_s >= 1.0:
            factor = math.exp2(-elapsed_s / HALF_LIFE_S)
            self._blocked *= factor
            self._judged *= factor
            self._at_ns = now_ns

    def share(self, now_ns: int) -> float:
        """Estimated share of harmless requests that were, or but for the budget would have been, blocked. In [0, 1]."""
        self._decay(now_ns)
        return self._blocked / self._judged if self._judged > 0 else 0.0

    def record(self, score: float, blocks: bool, user: str, budget: float, now_ns: int) -> bool:
        """Count one judged request; True while the guard is relaxed."""
        self._decay(now_ns)
        harmless = 1.0 - min(max(score, 0.0), 1.0)
        if not blocks:
            self._judged += harmless
        elif self._first_of(user, now_ns):
            self._judged += harmless
            self._blocked += harmless
        self._settle(budget)
        return self.relaxed

    def lifted(self, now_ns: int) -> None:
        """Somebody looked a block up and found it wrong: that one was harmless for certain."""
        self._decay(now_ns)
        self._blocked += 1.0
        self._judged += 1.0

    def _settle(self, budget: float) -> None:
        share = self._blocked / self._judged if self._judged > 0 else 0.0
        if self.relaxed:
            self.relaxed = share >= budget * RESTORE_AT
        else:
            self.relaxed = self._blocked >= MIN_HARMLESS and share > budget

    def _first_of(self, user: str, now_ns: int) -> bool:
        if not user:
            return True
        latest = self._users.get(user, lambda: [0])
        first = now_ns - latest[0] > HALF_LIFE_S * NS_PER_S or latest[0] == 0
        if first:
            latest[0] = now_ns
        return first
