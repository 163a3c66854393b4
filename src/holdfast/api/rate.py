"""How many requests one user or token may send: a token bucket each, in bounded memory."""

from collections import OrderedDict
from threading import Lock

import msgspec

from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import BackpressureError


class RatePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Requests a second that may go on for ever, and how many at once beyond them. Writes count ten times."""

    per_s: float = 100.0
    burst: float = 500.0
    write_cost: float = 10.0
    remembered: int = 10_000


class RateLimit:
    """Buckets by actor. Safe to use from several threads."""

    def __init__(self, clock: Clock, policy: RatePolicy | None = None) -> None:
        self._clock = clock
        self._policy = policy or RatePolicy()
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def take(self, actor: str, writing: bool) -> None:
        """Lets one request pass.

        Raises:
            BackpressureError: the bucket is empty; says when it is not.
        """
        policy, now = self._policy, self._clock.now_ns()
        cost = policy.write_cost if writing else 1.0
        with self._lock:
            level, last_ns = self._buckets.get(actor, (policy.burst, now))
            level = min(policy.burst, level + max(now - last_ns, 0) / NS_PER_S * policy.per_s)
            enough = level >= cost
            self._buckets[actor] = (level - cost if enough else level, now)
            self._buckets.move_to_end(actor)
            while len(self._buckets) > policy.remembered:
                self._buckets.popitem(last=False)
        if not enough:
            raise BackpressureError("too many requests", (cost - level) / policy.per_s)
