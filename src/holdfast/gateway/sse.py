"""Server-sent events out of the chunks in which they arrive, bounded; the bytes of each frame are kept as they came."""

import re

from holdfast.core.errors import TooLargeError
from holdfast.gateway.dialects.protocol import Event

MAX_FRAME_BYTES = 4 * 1024 * 1024
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE = re.compile(rb"\r\n|\n|\r")


class EventReader:
    """Splits a stream into events. The frames that it gives back, one behind the other, are the stream.

    Args:
        limit: bytes of one frame, at most.
    """

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._pending = bytearray()
        self._scanned = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes.

        Raises:
            TooLargeError: a frame is over the limit.
        """
        self._pending += chunk
        events = []
        start = 0
        for match in _END.finditer(self._pending, max(self._scanned - 3, 0)):
            raw = bytes(self._pending[start : match.end()])
            start = match.end()
            events.append(_event(raw))
        if start:
            del self._pending[:start]
        self._scanned = len(self._pending)
        if len(self._pending) > self._limit:
            raise TooLargeError(f"an event of the stream is larger than {self._limit} bytes")
        return events

    @property
    def rest(self) -> bytes:
        """What came behind the last whole event."""
        return bytes(self._pending)


def _event(raw: bytes) -> Event:
    name, data = "", []
    for line in _LINE.split(raw):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    return Event(name, b"\n".join(data), raw)
