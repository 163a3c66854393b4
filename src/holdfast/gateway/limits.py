"""Misuse limits: buckets of requests, tokens and cost, per key, user and tenant. They stop who uses too much, no one else."""

import msgspec

from holdfast.control.snapshot import RateLimit
from holdfast.core.clock import Clock
from holdfast.gateway.bucket import Bounded, Bucket
from holdfast.gateway.refusal import Reason

MAX_HOLDERS = 50_000
"""Keys, users and tenants whose use is remembered; over that the one not seen for longest starts anew."""
SECONDS_AN_HOUR = 3600.0
MIN_WAIT_S = 1.0
MAX_WAIT_S = 3600.0


class Buckets:
    """What one key, user or tenant has left."""

    __slots__ = ("requests", "tokens", "usd")

    def __init__(self) -> None:
        self.requests: Bucket | None = None
        self.tokens: Bucket | None = None
        self.usd: Bucket | None = None


class Excess(msgspec.Struct, frozen=True):
    """A limit that is used up: whose, of what, and the seconds until it is not."""

    reason: Reason
    what: str
    wait_s: float


def _adjusted(bucket: Bucket | None, per_s: float, burst_s: float, least: float, now_ns: int) -> Bucket | None:
    if per_s <= 0:
        return None
    capacity = max(per_s * burst_s, least)
    if bucket is None:
        return Bucket(per_s, capacity, now_ns)
    bucket.configure(per_s, capacity)
    return bucket


class Limits:
    """All buckets of one worker, which is given `1 / workers` of every limit."""

    def __init__(self, clock: Clock, workers: int = 1) -> None:
        self._clock, self._part = clock, 1.0 / workers
        self._holders: Bounded[Buckets] = Bounded(MAX_HOLDERS)

    def admit(self, reason: Reason, holder: tuple[str, ...], limit: RateLimit) -> Excess | None:
        """Take one request from `holder`'s buckets; what is used up, else None. Nothing is taken from who is refused."""
        if not (limit.requests_per_s or limit.tokens_per_s or limit.usd_per_hour):
            return None
        now_ns = self._clock.now_ns()
        held = self._configured(holder, limit, now_ns)
        for what, bucket, amount in (("requests", held.requests, 1.0), ("tokens", held.tokens, 0.0), ("cost", held.usd, 0.0)):
            if bucket is not None and (wait_s := bucket.wait_s(amount, now_ns)) > 0:
                return Excess(reason, what, min(max(wait_s, MIN_WAIT_S), MAX_WAIT_S))
        if held.requests is not None:
            held.requests.charge(1.0, now_ns)
        return None

    def charge(self, holder: tuple[str, ...], tokens: int, usd: float) -> None:
        """What an answer has used. A holder without limits has no buckets."""
        held = self._holders.peek(holder)
        if held is None:
            return
        now_ns = self._clock.now_ns()
        if held.tokens is not None:
            held.tokens.charge(tokens, now_ns)
        if held.usd is not None:
            held.usd.charge(usd, now_ns)

    def _configured(self, holder: tuple[str, ...], limit: RateLimit, now_ns: int) -> Buckets:
        held = self._holders.get(holder, Buckets)
        part, burst_s = self._part, limit.burst_s
        held.requests = _adjusted(held.requests, limit.requests_per_s * part, burst_s, 1.0, now_ns)
        held.tokens = _adjusted(held.tokens, limit.tokens_per_s * part, burst_s, 1.0, now_ns)
        held.usd = _adjusted(held.usd, limit.usd_per_hour / SECONDS_AN_HOUR * part, SECONDS_AN_HOUR, 1e-6, now_ns)
        return held
