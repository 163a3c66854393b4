"""`Allowance`: what may be spent in an hour, in requests and in US dollars."""

import threading
from collections import OrderedDict

import msgspec

from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import BackpressureError

MINUTE_NS = 60 * NS_PER_S
MINUTES = 60


class _Spent(msgspec.Struct):
    calls: int = 0
    usd: float = 0.0


class Allowance:
    """A rolling hour, minute by minute. Safe to use from several threads."""

    def __init__(self, calls_per_hour: int, usd_per_hour: float, clock: Clock) -> None:
        self._calls, self._usd, self._clock = calls_per_hour, usd_per_hour, clock
        self._minutes: OrderedDict[int, _Spent] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, usd: float) -> None:
        """Sets aside one request that costs `usd` at most.

        Raises:
            BackpressureError: it would be more than the hour allows; nothing was set aside.
        """
        with self._lock:
            minute = self._clock.now_ns() // MINUTE_NS
            self._forget(minute)
            calls = sum(m.calls for m in self._minutes.values())
            spent = sum(m.usd for m in self._minutes.values())
            if calls + 1 > self._calls:
                raise BackpressureError(f"{calls} requests in this hour: calls_per_hour allows no more", self._wait_s(minute))
            if usd > 0 and spent + usd > self._usd:
                raise BackpressureError(f"${spent:.4f} spent in this hour: usd_per_hour allows no more", self._wait_s(minute))
            now = self._minutes.setdefault(minute, _Spent())
            now.calls += 1
            now.usd += usd

    def correct(self, usd: float) -> None:
        """Adds the difference between what a request did cost and what was set aside for it."""
        with self._lock:
            self._minutes.setdefault(self._clock.now_ns() // MINUTE_NS, _Spent()).usd += usd

    def _forget(self, minute: int) -> None:
        while self._minutes and next(iter(self._minutes)) <= minute - MINUTES:
            self._minutes.popitem(last=False)

    def _wait_s(self, minute: int) -> float:
        oldest = next(iter(self._minutes), minute)
        return float(max(oldest + MINUTES - minute, 1) * 60)
