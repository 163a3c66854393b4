"""`JournalReader`: follows a journal while its writer runs, and says how far it has come."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import msgspec
import structlog

from holdfast.core.errors import InputError, StoreError
from holdfast.ingest.checkpoint import Position, load_checkpoint, save_checkpoint
from holdfast.ingest.frames import HEADER_BYTES, KIND_RECORD, Frame, SegmentFile, segment_numbers, segment_path
from holdfast.ingest.record import Record, decode_record

log = structlog.get_logger(__name__)

SHORTEST_PAUSE_S = 0.001
LONGEST_PAUSE_S = 0.02


class Damage(msgspec.Struct, frozen=True):
    """Bytes of a journal that could not be read: `length` of them at `offset` of `file`. Their records are lost."""

    file: str
    offset: int
    length: int
    reason: str


def log_damage(damage: Damage) -> None:
    """Write `damage` to the log as an error."""
    log.error("journal is damaged", file=damage.file, offset=damage.offset, bytes=damage.length, reason=damage.reason)


class JournalReader:
    """Reads the records of the journal in `directory` in the order in which they were acknowledged.

    It begins at `position`, by default at the checkpoint. What cannot be read is given to `on_damage` and stepped over, up to
    the next intact frame. `sleep` takes seconds.

    Raises:
        StoreError: the checkpoint holds no position.
    """

    def __init__(
        self,
        directory: Path,
        position: Position | None = None,
        on_damage: Callable[[Damage], None] = log_damage,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._directory = directory
        self._on_damage = on_damage
        self._sleep = sleep
        self._position = load_checkpoint(directory, Position()) if position is None else position
        self._segment: SegmentFile | None = None
        self._searched = (Position(), 0)

    @property
    def position(self) -> Position:
        """Where the next `read` goes on."""
        return self._position

    def read(self, max_records: int = 1000, timeout: float = 1.0) -> list[tuple[Position, Record]]:
        """Up to `max_records` of the next records, each with the position behind it: committing that takes it over.

        A record begins where the one before it ends, the first one at `position` as it was before the call.
        Waits up to `timeout` seconds for the first one; empty when none came. One call returns at most about 1 MiB of records,
        or a single larger one.
        """
        deadline = time.monotonic() + timeout
        pause = SHORTEST_PAUSE_S
        while not (batch := self._available(max_records)):
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            self._sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE_S)
        return batch

    def commit(self, position: Position) -> None:
        """Say that everything before `position` is kept elsewhere: the writer may delete it.

        Raises:
            StoreError: the checkpoint could not be written.
        """
        save_checkpoint(self._directory, position)

    def close(self) -> None:
        """Give the file descriptor back."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _available(self, limit: int) -> list[tuple[Position, Record]]:
        while segment := self._segment or self._open():
            if frames := segment.frames(self._position.offset, limit):
                if batch := self._decoded(frames):
                    return batch
            elif not self._step(segment):
                break
        return []

    def _decoded(self, frames: list[Frame]) -> list[tuple[Position, Record]]:
        batch: list[tuple[Position, Record]] = []
        for kind, payload, end in frames:
            begin, self._position = self._position, Position(self._position.segment, end)
            if kind != KIND_RECORD:
                self._report(begin, end, f"a frame of unknown kind {kind}")
                continue
            try:
                batch.append((self._position, decode_record(payload)))
            except InputError as error:
                self._report(begin, end, str(error))
        return batch

    def _open(self) -> SegmentFile | None:
        """Open the segment of the position, or the first readable one behind it; None while there is none.

        Raises:
            StoreError: the only segment there is cannot be read.
        """
        candidates = [n for n in segment_numbers(self._directory) if n >= self._position.segment]
        for number in candidates:
            path = segment_path(self._directory, number)
            try:
                self._segment = SegmentFile(path)
            except FileNotFoundError:
                break
            except StoreError as error:
                if number == candidates[-1]:
                    raise
                self._report(Position(number, 0), path.stat().st_size, str(error))
                continue
            if number != self._position.segment or self._position.offset < HEADER_BYTES:
                self._position = Position(number, HEADER_BYTES)
            return self._segment
        return None

    def _step(self, segment: SegmentFile) -> bool:
        """Go on behind a place that holds no intact frame; False when there may be one later.

        A bad frame with an intact one behind it is damage. With nothing behind it, it is a frame that is being written, unless
        a later segment exists: whoever begins one has finished the one before.
        """
        here = self._position
        following = next((n for n in segment_numbers(self._directory) if n > here.segment), None)
        size = segment.size
        if here.offset < size and (following is not None or self._searched != (here, size)):
            self._searched = (here, size)
            if segment.frames(here.offset, 1):
                return True
            resumed = segment.resume_after(here.offset)
            if resumed is not None or following is not None:
                self._report(here, resumed or size, "a frame is damaged")
                here = self._position = Position(here.segment, resumed or size)
                return True
        if following is None or here.offset < size:
            return False
        self.close()
        self._position = Position(following, HEADER_BYTES)
        return True

    def _report(self, begin: Position, end: int, reason: str) -> None:
        path = segment_path(self._directory, begin.segment)
        self._on_damage(Damage(str(path), begin.offset, end - begin.offset, reason))
