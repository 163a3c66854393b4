"""A stream of events in memory, with the compare-and-swap of the durable one."""

from collections.abc import Callable, Sequence
from threading import Lock

from holdfast.core.errors import ConflictError
from holdfast.core.stream import StreamEntry, StreamEvent


class MemoryStream:
    """Keeps events as long as it lives. Several stores may share one, as several servers share a ledger."""

    def __init__(self) -> None:
        self._entries: list[StreamEntry] = []
        self._lock = Lock()
        self.before_append: Callable[[], None] = lambda: None
        """Called before each append: where a test lets somebody else be first, or the store fail."""

    def version(self) -> int:
        """Events so far."""
        return len(self._entries)

    def read(self, after: int = 0, limit: int = 1_000) -> list[StreamEntry]:
        """Events with a version above `after`, oldest first, at most `limit`."""
        return self._entries[after : after + limit]

    def append(self, events: Sequence[StreamEvent], expected_version: int | None = None) -> list[StreamEntry]:
        """Writes events in this order, all or none.

        Raises:
            ConflictError: the stream is not at `expected_version`.
        """
        self.before_append()
        with self._lock:
            version = len(self._entries)
            if expected_version is not None and version != expected_version:
                raise ConflictError(f"at version {version}, not {expected_version}")
            added = [
                StreamEntry(seq=at, version=at, event=event, prev_hash="", hash="")
                for at, event in enumerate(events, version + 1)
            ]
            self._entries += added
        return added
