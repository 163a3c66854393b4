"""Streams: facts that are not of an incident, in order, in the same hash chain. Whoever owns a stream folds it."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class StreamEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event with who and when. `body` is JSON text, an object whose `type` is `type`."""

    time_ns: int
    actor: str
    type: str
    body: str


class StreamEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the ledger keeps it. `seq` counts over the ledger, `version` over the stream, both from 1."""

    seq: int
    version: int
    event: StreamEvent
    prev_hash: str
    hash: str


class EventStream(Protocol):
    """An append-only sequence with compare-and-swap on its length; `holdfast.ledger.streams.Stream` is the durable one."""

    def version(self) -> int:
        """Events so far."""
        ...

    def read(self, after: int = 0, limit: int = 1_000) -> list[StreamEntry]:
        """Events with a version above `after`, oldest first, at most `limit`.

        Raises:
            IntegrityError: an event cannot be read, or one is missing.
        """
        ...

    def append(self, events: Sequence[StreamEvent], expected_version: int | None = None) -> list[StreamEntry]:
        """Writes events in this order, all or none.

        Raises:
            ConflictError: the stream is not at `expected_version`.
            InputError: an event cannot be kept.
        """
        ...
