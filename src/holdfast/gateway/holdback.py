"""The hold-back window: a streamed answer is let go only as far as the guards have read ahead of it. Pure."""

from collections import deque
from collections.abc import Callable, Iterable

from holdfast.gateway.dialects.protocol import Event, Heard

MIN_STRIDE = 32
MAX_HELD_BYTES = 8 * 1024 * 1024
"""Bytes that are held back at most; an answer that needs more than that to be judged is cut."""


class HoldBack:
    """Takes events and gives back those that may go out, unchanged and in order.

    Args:
        window: characters behind the front that stay held back: a violation of at most that length is seen before any of it is
            out. 0 holds everything until the end.
        objects: whether the answer so far must not go out; asked at each tool call, every quarter of a window, and at the end.
    """

    def __init__(self, window: int, objects: Callable[[bool], bool]) -> None:
        self._window = window
        self._stride = max(window // 4, MIN_STRIDE)
        self._objects = objects
        self._held: deque[tuple[bytes, int]] = deque()
        self._held_bytes = 0
        self._length = self._judged_to = self._clear_to = 0
        self.cut = False
        self.released_text = 0

    def feed(self, event: Event, heard: Heard) -> Iterable[bytes]:
        """The frames that may go out now that `event` is here. None do once `cut` is set."""
        if self.cut:
            return ()
        self._length += len(heard.text)
        self._held.append((event.raw, self._length))
        self._held_bytes += len(event.raw)
        due = self._length - self._judged_to >= self._stride and self._window > 0
        if heard.tool or heard.final or due:
            self._judge(heard.final)
        if not self.cut and self._held_bytes > MAX_HELD_BYTES:
            self.cut = True
        return () if self.cut else self._released()

    def end(self) -> Iterable[bytes]:
        """The stream is over: the last judgement, and what it lets go."""
        if not self.cut and self._held:
            self._judge(True)
        return () if self.cut else self._released()

    def _judge(self, final: bool) -> None:
        self._judged_to = self._length
        if self._objects(final):
            self.cut = True
            return
        self._clear_to = self._length if final else max(self._clear_to, self._length - self._window if self._window else 0)

    def _released(self) -> list[bytes]:
        found = []
        while self._held and (self._held[0][1] <= self._clear_to):
            raw, end = self._held.popleft()
            self._held_bytes -= len(raw)
            self.released_text = end
            found.append(raw)
        return found
