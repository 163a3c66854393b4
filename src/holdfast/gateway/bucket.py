"""Token buckets: how much of something may be used at once, and how fast it comes back. Values and a clock, nothing else."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from holdfast.core.clock import NS_PER_S


class Bucket:
    """Holds at most `capacity`, refilled by `per_s` a second. What is used afterwards (`charge`) may leave it in debt."""

    __slots__ = ("_at_ns", "capacity", "level", "per_s")

    def __init__(self, per_s: float, capacity: float, now_ns: int) -> None:
        self.per_s, self.capacity = per_s, capacity
        self.level = capacity
        self._at_ns = now_ns

    def refill(self, now_ns: int) -> float:
        """The level now. A clock that steps back refills nothing."""
        elapsed_s = max(now_ns - self._at_ns, 0) / NS_PER_S
        self._at_ns = now_ns
        self.level = min(self.capacity, self.level + elapsed_s * self.per_s)
        return self.level

    def wait_s(self, amount: float, now_ns: int) -> float:
        """Seconds until `amount` is there; 0 where it is."""
        missing = min(amount, self.capacity) - self.refill(now_ns)
        return 0.0 if missing <= 1e-9 else missing / self.per_s if self.per_s > 0 else float("inf")

    def charge(self, amount: float, now_ns: int) -> None:
        """Use `amount`, whether it is there or not. Debt is bounded by ten times the capacity."""
        self.level = max(self.refill(now_ns) - amount, -10.0 * self.capacity)

    def configure(self, per_s: float, capacity: float) -> None:
        """Other bounds from now on; what is used stays used."""
        if (per_s, capacity) != (self.per_s, self.capacity):
            self.level = min(self.level, capacity) if capacity < self.capacity else self.level + capacity - self.capacity
            self.per_s, self.capacity = per_s, capacity


Thing = TypeVar("Thing")


class Bounded(Generic[Thing]):
    """A table of at most `size` things by key, made on first use; the one that was not used for longest gives way."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._things: dict[Hashable, Thing] = {}
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._things)

    def get(self, key: Hashable, make: Callable[[], Thing]) -> Thing:
        """The thing of `key`."""
        thing = self._things.pop(key, None)
        if thing is None:
            thing = make()
            if len(self._things) >= self._size:
                self._things.pop(next(iter(self._things)))
                self.forgotten += 1
        self._things[key] = thing
        return thing

    def peek(self, key: Hashable) -> Thing | None:
        """The thing of `key` where there is one; its place in the order stays."""
        return self._things.get(key)

    def items(self) -> list[tuple[Hashable, Thing]]:
        """All of them, the one not used for longest first."""
        return list(self._things.items())
