"""`Spread`: where the bad calls lie that a signal was raised for."""

from collections.abc import Mapping

import msgspec
from scipy.special import bdtr

from holdfast.core.call import MACHINES

MOST_VALUES = 64
"""Values of dimensions that are remembered."""
MOST_TRACES = 64
END_OF_ID = 16
"""Characters of a trace id that are remembered: the last ones, for some senders begin all of them alike."""
LEAST_COMMON = 4
LEAST_CALLS = 5
"""Bad calls from which it is asked where they lie."""
HALF = 0.5
CHANCE = 0.01
SURE = 0.8
"""Confidence in a cohort from which it is relied on that calls outside it are others."""
OTHER = "other"
"""What values are told as that are beyond the bounds of their dimension."""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A bounded look at the bad calls of a signal.

    Args:
        calls: remembered traces with a bad call since onset, the latest ones.
        beyond: share of the badness since onset that is more than usual, in [0, 1].
        within: (dimension, value, how many of `calls` carry it), the commonest first, at most `MOST_VALUES`.
        traces: ends of the trace ids of the latest of them, at most `MOST_TRACES`.
    """

    calls: int
    beyond: float
    within: tuple[tuple[str, str, int], ...] = ()
    traces: tuple[str, ...] = ()

    def share(self, conditions: Mapping[str, str]) -> float:
        """Share of the calls that fulfil all conditions; an upper bound of it where there are several.

        Machines are not remembered: a condition on one may hold for all calls.
        """
        counts = [self._count(d, v) for d, v in conditions.items() if d not in MACHINES]
        return min(counts, default=self.calls) / max(self.calls, 1)

    def outside(self, conditions: Mapping[str, str]) -> bool:
        """Whether most of what is beyond the usual lies outside, by more than chance.

        Were all of it inside, `beyond` of the calls would be, and some of the usual ones; the lower tail of a binomial says
        whether so few may be chance.
        """
        share = self.share(conditions)
        if self.calls < LEAST_CALLS or share >= HALF * self.beyond:
            return False
        return float(bdtr(round(share * self.calls), self.calls, self.beyond)) < CHANCE

    def same_calls(self, other: "Spread") -> bool:
        """Whether both are about the same bad calls: so many in common are no chance."""
        common = len(set(self.traces) & set(other.traces))
        return common >= LEAST_COMMON and common >= HALF * min(len(self.traces), len(other.traces))

    def _count(self, dimension: str, value: str) -> int:
        counts = {told: count for name, told, count in self.within if name == dimension}
        return counts.get(value, counts.get(OTHER, 0))
