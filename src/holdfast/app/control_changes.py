"""What the control plane changed, for the pipeline: a lease or a rolled back prompt is looked at as any other deploy is."""

import structlog

from holdfast.control.changes import Announcer
from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import StoreError
from holdfast.core.stream import EventStream

log = structlog.get_logger(__name__)

EVERY_NS = NS_PER_S
"""Between two looks at the stream."""


class ControlChanges:
    """Called, it gives the changes since it was last called; at first also the last ones from before, known by their ids.

    Not for several threads at a time.

    A control stream that cannot be read stops nothing: its changes are missing here until it can be, and that is logged.
    """

    def __init__(self, stream: EventStream, clock: Clock) -> None:
        self._stream, self._clock = stream, clock
        self._announcer: Announcer | None = None
        self._found: list[Change] = []
        self._due_ns = 0
        self._broken = False

    def __call__(self) -> list[Change]:
        """Oldest first; mostly none."""
        now_ns = self._clock.now_ns()
        if now_ns < self._due_ns:
            return []
        self._due_ns = now_ns + EVERY_NS
        try:
            if self._announcer is None:
                self._announcer = Announcer(self._stream, self._found.extend)
            self._announcer.catch_up()
            self._broken = False
        except StoreError as error:
            if not self._broken:
                log.error("changes of the control plane are not seen by detection", error=str(error))
            self._broken = True
        found, self._found[:] = [*self._found], []
        return found
