"""A clock that stands still until a test moves it."""

from holdfast.core.clock import NS_PER_S


class FakeClock:
    """A `holdfast.core.clock.Clock` for tests.

    Args:
        start_ns: first answer, in nanoseconds since the Unix epoch.
    """

    def __init__(self, start_ns: int = 1_800_000_000 * NS_PER_S) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, as set."""
        return self._now_ns

    def advance(self, seconds: float) -> int:
        """Moves time on by `seconds`, and returns the new time.

        Raises:
            ValueError: `seconds` is negative: time does not run backwards.
        """
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds} s")
        self._now_ns += round(seconds * NS_PER_S)
        return self._now_ns
