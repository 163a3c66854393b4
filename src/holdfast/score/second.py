"""How much second opinions may cost, and what stands in for one that is not asked."""

from collections.abc import Callable
from math import log
from time import thread_time
from typing import Protocol

import structlog

from holdfast.core.clock import NS_PER_S, Clock, SystemClock
from holdfast.score.protocol import NOTABLE
from holdfast.score.text import sigmoid

_log = structlog.get_logger(__name__)

SAVED_S = 5.0
"""CPU seconds that may be saved up: a burst of doubtful calls is judged whole."""
LEAST = 20
"""Second opinions of a metric from which their mean stands in."""
MEMORY = 500
"""Second opinions that the mean is about."""
SILENCE_S = 600.0
"""Seconds between two lines in the log."""


class SecondOpinions(Protocol):
    """Decides whether a second opinion is asked."""

    def ask(self, metric: str, first: float, work: Callable[[], float]) -> tuple[float, bool]:
        """Log-odds, and whether they are those of `work`, which costs milliseconds; `first` are those that are known already.

        Raises what `work` raises.
        """
        ...


class Unlimited:
    """All that are wanted, as a replay and an evaluation have it: there, the result must not depend on the machine."""

    def ask(self, metric: str, first: float, work: Callable[[], float]) -> tuple[float, bool]:
        """What `work` says."""
        return work(), True


class Limited:
    """At most `share` of one processor core; for the rest, the mean of the last second opinions of that metric stands in.

    Which calls are judged depends on the moment alone, not on what they say, and so the stand-in keeps the mean of a metric where
    it is when traffic grows: the first opinion alone would move it, and look like an incident.

    Args:
        share: CPU seconds a second, above 0.
        clock: fills the allowance.
        spent_s: CPU seconds of this thread so far.
    """

    def __init__(self, share: float, clock: Clock | None = None, spent_s: Callable[[], float] = thread_time) -> None:
        if share <= 0.0:
            raise ValueError(f"share is {share}, and must be above 0")
        self._share, self._clock, self._spent_s = share, clock or SystemClock(), spent_s
        self._means: dict[str, tuple[float, int]] = {}
        self._left_s, self._filled_ns = SAVED_S, self._clock.now_ns()
        self._told_ns = self._filled_ns - round(SILENCE_S * NS_PER_S)
        self.stood_in = 0
        """Opinions that were not asked."""

    def ask(self, metric: str, first: float, work: Callable[[], float]) -> tuple[float, bool]:
        """What `work` says while the allowance lasts."""
        self._fill()
        if self._left_s <= 0.0:
            return self._stand_in(metric, first), False
        began = self._spent_s()
        try:
            said = work()
        finally:
            self._left_s -= self._spent_s() - began
        self._learn(metric, sigmoid(said))
        return said, True

    def _fill(self) -> None:
        now = self._clock.now_ns()
        gone_s = max(now - self._filled_ns, 0) / NS_PER_S
        self._left_s = min(self._left_s + gone_s * self._share, SAVED_S)
        self._filled_ns = now

    def _learn(self, metric: str, value: float) -> None:
        mean, count = self._means.get(metric, (0.0, 0))
        count = min(count + 1, MEMORY)
        self._means[metric] = mean + (value - mean) / count, count

    def _stand_in(self, metric: str, first: float) -> float:
        self.stood_in += 1
        if self._filled_ns - self._told_ns >= SILENCE_S * NS_PER_S:
            self._told_ns = self._filled_ns
            _log.warning("second opinions are sampled: more are wanted than their share of the processor", stood_in=self.stood_in)
        mean, count = self._means.get(metric, (0.0, 0))
        return log(max(mean, 1e-9) / max(1.0 - mean, 1e-9)) if count >= LEAST else first


UNLIMITED = Unlimited()
STOOD_IN = "no time for a second opinion, the mean of the last ones"


def by(asked: bool, who: str) -> str:
    """Who judged: `who`, or the mean that stood in where nobody was asked."""
    return who if asked else STOOD_IN


def told(value: float, why: str) -> str:
    """`why`, of a notable score and of every one that was not judged: an opinion that was not asked must not look like a pass."""
    return why if value >= NOTABLE or STOOD_IN in why else ""
