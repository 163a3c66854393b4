"""When a failed attempt is tried again: back-off with full jitter, a budget, and what `Retry-After` says."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime

from holdfast.control.snapshot import Retries
from holdfast.core.clock import NS_PER_S

MAX_SAVED = 10.0
"""Retries that a quiet time may save up."""
MAX_RETRY_AFTER_S = 600.0


class RetryBudget:
    """At most `budget` retries per request in the long run, so that retries cannot multiply an overload."""

    __slots__ = ("_saved",)

    def __init__(self) -> None:
        self._saved = MAX_SAVED

    def request(self, budget: float) -> None:
        """A request arrived: it earns its share of a retry."""
        self._saved = min(self._saved + budget, MAX_SAVED)

    def spend(self) -> bool:
        """Take one retry; False where none is left."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True


def pause_s(policy: Retries, attempt: int, draw: Callable[[], float]) -> float:
    """Seconds before attempt number `attempt` (1 is the first retry): uniform in [0, min(cap, base * 2**(attempt-1))].

    "Full jitter" of M. Brooker, Exponential Backoff And Jitter (AWS Architecture Blog, 2015).
    """
    bound: float = min(policy.cap_s, policy.base_s * 2.0 ** min(attempt - 1, 30))
    return draw() * bound


def retry_after_s(value: str | None, now_ns: int) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number of them, or a date (RFC 9110 §10.2.3). None where it says neither.

    At most ten minutes: a target that asks for more is asked again anyway.
    """
    if not value:
        return None
    text = value.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now_ns / NS_PER_S
        except (ValueError, OverflowError):
            return None
    if seconds != seconds:
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
