"""Time as a value that is passed in, so that every decision can be replayed."""

import time
from datetime import UTC, datetime
from typing import Protocol

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """Tells the time. Live code gets `SystemClock`, replay the event time, tests `holdfast.testing.FakeClock`."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return time.time_ns()


def to_iso(ns: int) -> str:
    """RFC 3339 in UTC with millisecond precision, such as ``2026-11-23T04:05:06.789Z``."""
    moment = datetime.fromtimestamp(ns // NS_PER_S, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ns % NS_PER_S // NS_PER_MS:03d}Z"


def from_iso(text: str) -> int:
    """Nanoseconds since the Unix epoch of an RFC 3339 time; one without an offset is taken as UTC.

    Raises:
        ValueError: `text` is not a time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * NS_PER_S + moment.microsecond * 1000
