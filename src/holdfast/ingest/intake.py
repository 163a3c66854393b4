"""From a body to the journal: admission, decompression, decoding, and the wait for the disk, whatever brought the body."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from enum import StrEnum
from time import monotonic

import msgspec
import structlog

from holdfast.context.originals import MAX_ORIGINALS, Original
from holdfast.core.errors import BackpressureError, InputError, StoreError, TooLargeError
from holdfast.ingest.auth import IngestToken, restrict
from holdfast.ingest.journal import Journal
from holdfast.ingest.limits import gunzip_bounded
from holdfast.ingest.meters import Meters
from holdfast.ingest.otlp import Encoding
from holdfast.ingest.record import Decoded, Rejected, encode_record

log = structlog.get_logger(__name__)

MIB = 2**20
WRITE_BYTES = 4 * MIB
"""What is decoded of one body goes to the journal in writes of about this size."""
MAX_GROWTH = 8
"""How many times a body of the largest size may be as large in the journal."""
MAX_REJECTED = 100_000
"""Faults of one body that are told; one with more holds nothing of worth."""


class Feed(StrEnum):
    """What a body holds."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"
    CHANGES = "changes"


Decode = Callable[[bytes], Iterator[Decoded]]
"""Reads a body and gives out what is in it, part by part."""
Decoders = Mapping[tuple[Feed, Encoding], Decode]
Deposit = Callable[[Sequence[Original]], None]
"""Takes what is to be sealed, at once and whatever happens to it then: it neither waits nor raises."""


class IntakeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of what is taken at a time.

    Args:
        max_body_bytes: of one body, as it arrives and after decompression.
        max_buffered_bytes: of all bodies in memory together.
        max_requests: requests at a time.
        inline_bytes: larger bodies are decoded beside the event loop, one at a time, so that small ones need not wait.
        read_timeout_s: a body must have arrived within this.
        ack_timeout_s: a body must be on disk within this.
    """

    max_body_bytes: int = 64 * MIB
    max_buffered_bytes: int = 192 * MIB
    max_requests: int = 256
    inline_bytes: int = 2 * MIB
    read_timeout_s: float = 30.0
    ack_timeout_s: float = 30.0


class Body(msgspec.Struct, frozen=True):
    """A body as it arrived."""

    data: bytes
    gzip: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """What became of a body that was taken: items on disk, and what was refused of it."""

    accepted: int
    rejected: Sequence[Rejected]


class _Kept:
    """What of one body is on its way to the disk: in writes of bounded size, of which only two wait at a time."""

    def __init__(self, journal: Journal, limits: IntakeLimits) -> None:
        self._journal = journal
        self._limits = limits
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._bytes = 0
        self.records = 0
        self.rejected: list[Rejected] = []
        self.originals: dict[tuple[str, str, str], Original] = {}
        self.unsealed = 0
        self.last: Future[None] = Future()
        self.last.set_result(None)

    def add(self, part: Decoded) -> None:
        """Take over a part; raises as `Intake.take_encoded` does."""
        self.rejected += part.rejected
        self.unsealed += part.unsealed
        for original in part.originals:
            if len(self.originals) < MAX_ORIGINALS or original.key in self.originals:
                self.originals[original.key] = original
            else:
                self.unsealed += 1
        for record in part.records:
            payload = encode_record(record)
            self._waiting.append(payload)
            self._waiting_bytes += len(payload)
            if self._waiting_bytes >= WRITE_BYTES:
                self.flush()
        self.records += len(part.records)
        if len(self.rejected) > MAX_REJECTED:
            raise TooLargeError(f"more than {MAX_REJECTED} items of the body cannot be used")

    def flush(self) -> None:
        """Hand over what waits."""
        self._bytes += self._waiting_bytes
        if self._bytes > MAX_GROWTH * self._limits.max_body_bytes:
            # What a resource says is kept with each of its items: a small body can become a large one.
            raise TooLargeError(f"body would take more than {self._bytes} bytes of disk; send fewer items at a time")
        if self._waiting:
            before = self.last
            self.last = self._journal.append_encoded(self._waiting)
            self._waiting, self._waiting_bytes = [], 0
            try:
                before.result(self._limits.ack_timeout_s)
            except TimeoutError as error:
                raise StoreError(f"the disk did not answer within {self._limits.ack_timeout_s:g} s") from error


class BodyBudget:
    """Bounds the memory of all bodies together. Belongs to one event loop."""

    def __init__(self, limits: IntakeLimits) -> None:
        self._limits = limits
        self.bytes = 0
        self.requests = 0

    def open(self) -> "BodyHold":
        """A hold for one request.

        Raises:
            BackpressureError: as many as allowed are under way.
        """
        if self.requests >= self._limits.max_requests:
            raise BackpressureError(f"{self.requests} requests are under way", retry_after_s=1)
        return BodyHold(self)

    def take(self, size: int) -> None:
        """Account for `size` more bytes.

        Raises:
            BackpressureError: they do not fit.
        """
        if self.bytes + size > self._limits.max_buffered_bytes:
            raise BackpressureError(f"{self.bytes} bytes of bodies are under way", retry_after_s=1)
        self.bytes += size


class BodyHold:
    """What one request holds of the budget; given back at the end of the `with` block."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self._bytes = 0

    def __enter__(self) -> "BodyHold":
        self._budget.requests += 1
        return self

    def take(self, size: int) -> None:
        """Account for `size` more bytes of this request; raises as `BodyBudget.take` does."""
        self._budget.take(size)
        self._bytes += size

    def __exit__(self, *_: object) -> None:
        self._budget.requests -= 1
        self._budget.bytes -= self._bytes


class Intake:
    """Takes bodies and acknowledges them when what is in them is on disk."""

    def __init__(
        self, journal: Journal, decoders: Decoders, limits: IntakeLimits, meters: Meters, deposit: Deposit = lambda _: None
    ) -> None:
        self._journal = journal
        self._decoders = decoders
        self._deposit = deposit
        self.limits = limits
        self.meters = meters
        self.budget = BodyBudget(limits)
        self._beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode")

    def admit(self) -> None:
        """Refuse before any work is done; raises as `Journal.admit` does."""
        self._journal.admit()

    @property
    def failure(self) -> str:
        """Why nothing can be taken at present; empty when it can."""
        return self._journal.failure

    async def take_encoded(self, feed: Feed, encoding: Encoding, body: Body, token: IngestToken | None) -> Outcome:
        """Take one OTLP body. Returns when it is on disk.

        Raises:
            InputError, TooLargeError: the body as a whole cannot be used.
            BackpressureError: full for now; nothing was kept.
            StoreError: the journal cannot be written.
        """
        decode = self._decoders[feed, encoding]
        return await self.take(feed, body, lambda plain: (restrict(part, token) for part in decode(plain)))

    async def take(self, feed: Feed, body: Body, decode: Decode) -> Outcome:
        """Take what `decode` makes of `body`; raises as `take_encoded` does.

        What it makes is written while it is made, and acknowledged when the last of it is on disk. If that fails half way, the
        sender sends all of it again: ids are unique, so that nothing is there twice.
        """
        self._journal.admit()
        began = monotonic()
        self.meters.body_bytes.labels(feed).inc(len(body.data))
        plain = self._small(body)
        if plain is not None:
            kept = self._keep(plain, decode)
        else:
            loop = asyncio.get_running_loop()
            kept = await loop.run_in_executor(self._beside, lambda: self._keep(self._plain(body), decode))
        try:
            async with asyncio.timeout(self.limits.ack_timeout_s):
                await asyncio.wrap_future(kept.last)
        except TimeoutError as error:
            raise StoreError(f"the disk did not answer within {self.limits.ack_timeout_s:g} s") from error
        self._count(feed, kept, monotonic() - began)
        if kept.originals:
            self._deposit(tuple(kept.originals.values()))
        self.meters.originals.labels("dropped").inc(kept.unsealed)
        return Outcome(kept.records, kept.rejected)

    def _small(self, body: Body) -> bytes | None:
        """The body, decompressed, if it is small enough to be decoded on the event loop."""
        limit = min(self.limits.inline_bytes, self.limits.max_body_bytes)
        if len(body.data) > limit:
            return None
        try:
            return gunzip_bounded(body.data, limit) if body.gzip else body.data
        except TooLargeError:
            return None

    def _plain(self, body: Body) -> bytes:
        limit = self.limits.max_body_bytes
        if len(body.data) > limit:
            raise TooLargeError(f"body is larger than {limit} bytes")
        return gunzip_bounded(body.data, limit) if body.gzip else body.data

    def _keep(self, plain: bytes, decode: Decode) -> "_Kept":
        kept = _Kept(self._journal, self.limits)
        try:
            for part in decode(plain):
                kept.add(part)
        except RecursionError as error:
            raise InputError("body is nested too deep") from error
        kept.flush()
        return kept

    def _count(self, feed: Feed, kept: "_Kept", seconds: float) -> None:
        self.meters.accepted.labels(feed).inc(kept.records)
        for rejected in kept.rejected:
            self.meters.rejected.labels(feed, "ignored" if rejected.ignored else "invalid").inc()
        self.meters.ack_seconds.labels(feed).observe(seconds)

    def refresh_meters(self) -> None:
        """Bring the gauges up to now."""
        self.meters.lag_bytes.set(self._journal.lag_bytes)
        self.meters.buffered_bytes.set(self.budget.bytes)
        self.meters.journal_failing.set(1 if self._journal.failure else 0)

    def close(self) -> None:
        """Finish the body that is being decoded, and take no further one."""
        self._beside.shutdown(wait=True, cancel_futures=True)
