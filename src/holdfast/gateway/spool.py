"""Telemetry on disk until the server has it: lines of OTLP/JSON in segments, bounded, with an honest count of what did not fit.

One writer a directory. A line is a whole OTLP request, so that what waits can also be read with `holdfast analyze`. Lines
are handed to the operating system before anything else is done: they outlive this process, though not a power cut.
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from holdfast.core.errors import StoreError
from holdfast.ingest.checkpoint import replace_file

log = structlog.get_logger(__name__)

SUFFIX = ".jsonl"
SHIPPED = "shipped"
MIB = 2**20


class SpoolLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds in bytes: of one segment, of all of them together, and of the disk space that must stay free."""

    segment_bytes: int = 8 * MIB
    max_bytes: int = 256 * MIB
    min_free_bytes: int = 64 * MIB


class Place(msgspec.Struct, frozen=True, order=True):
    """How far a spool has been sent: everything before `offset` of `segment`, and all segments before it."""

    segment: int = 0
    offset: int = 0


def segments(directory: Path) -> list[int]:
    """Numbers of the segments, ascending."""
    return sorted(int(p.stem) for p in directory.glob(f"*{SUFFIX}") if p.stem.isdecimal())


def segment_path(directory: Path, number: int) -> Path:
    """File of segment `number`."""
    return directory / f"{number:010d}{SUFFIX}"


class SpoolWriter:
    """Appends lines. Never raises: what cannot be kept is counted in `dropped`.

    Args:
        write: the system call that writes (tests give one that fails).

    Raises:
        StoreError: the directory cannot be made.
    """

    def __init__(self, directory: Path, limits: SpoolLimits | None = None, write: Callable[[int, bytes], int] = os.write) -> None:
        self._directory, self._limits, self._write = directory, limits or SpoolLimits(), write
        # Room is given back a segment at a time, and the bound is kept to a segment: several must fit.
        self._segment_bytes = min(self._limits.segment_bytes, max(self._limits.max_bytes // 4, 1))
        self.written = self.dropped = 0
        self.failure = ""
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._number = max([*segments(directory), _load(directory).segment])
        except OSError as error:
            raise StoreError(f"spool {directory}: {error.strerror}") from error
        self._file = -1
        self._offset = 0
        self._earlier_bytes = 0

    def append(self, lines: list[bytes]) -> None:
        """Keep these lines, or count them as dropped."""
        data = b"".join([line + b"\n" for line in lines])
        try:
            self._make_room(len(data))
            self._put(data)
        except OSError as error:
            self.dropped += len(lines)
            self._fail(f"spool {self._directory}: {error.strerror}")
            return
        self.written += len(lines)
        if self.failure:
            log.info("spool can be written again", directory=str(self._directory))
            self.failure = ""

    def _make_room(self, size: int) -> None:
        """Begin another segment where one is full, or where only what has been sent since the last one began makes room.

        Raises:
            OSError: there is no room, on the disk or by the bounds.
        """
        fits = self._offset + size <= self._segment_bytes and self._earlier_bytes + self._offset + size <= self._limits.max_bytes
        if self._file >= 0 and fits:
            return
        self._seal()
        self._earlier_bytes = waiting_bytes(self._directory)
        if self._earlier_bytes + size > self._limits.max_bytes:
            raise OSError(0, "full")
        space = os.statvfs(self._directory)
        if space.f_bavail * space.f_frsize < self._limits.min_free_bytes:
            raise OSError(0, "too little free space on the disk")
        self._number += 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(segment_path(self._directory, self._number), flags, 0o600)
        self._offset = 0

    def _put(self, data: bytes) -> None:
        rest = data
        while rest:
            try:
                rest = rest[self._write(self._file, rest) :]
            except OSError:
                os.ftruncate(self._file, self._offset)
                raise
        self._offset += len(data)

    def _fail(self, reason: str) -> None:
        if not self.failure:
            log.error("telemetry is dropped", reason=reason)
        self.failure = reason
        self._seal()

    def _seal(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def close(self) -> None:
        """Let the file go."""
        self._seal()


def waiting_bytes(directory: Path) -> int:
    """Bytes on disk in the segments of a spool."""
    return sum(p.stat().st_size for p in directory.glob(f"*{SUFFIX}"))


class SpoolReader:
    """Reads what the writer has appended, and forgets what was sent. May run in another process."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._place = _load(directory)

    @property
    def place(self) -> Place:
        """Everything before it has been sent."""
        return self._place

    def read(self, max_bytes: int = MIB) -> tuple[list[bytes], Place]:
        """Whole lines from the place on, about `max_bytes` of them, at least one where there is one; the place behind them."""
        lines: list[bytes] = []
        place, size = self._place, 0
        numbers = [n for n in segments(self._directory) if n >= place.segment]
        for number in numbers:
            at = Place(number, place.offset if number == place.segment else 0)
            found, end = _lines(segment_path(self._directory, number), at.offset, max_bytes - size)
            lines += found
            size += end - at.offset
            place = Place(number, end)
            if size >= max_bytes or number == numbers[-1]:
                break
        return lines, place

    def commit(self, place: Place) -> None:
        """What is before `place` has been sent: segments before it go.

        Raises:
            StoreError: the place could not be written; lines may then be sent twice, which the server notices by their ids.
        """
        replace_file(self._directory / SHIPPED, msgspec.json.encode(place))
        self._place = place
        numbers = segments(self._directory)
        for number in numbers:
            if number < place.segment:
                segment_path(self._directory, number).unlink(missing_ok=True)

    def waiting(self) -> int:
        """Bytes that have not been sent."""
        sizes = {
            n: segment_path(self._directory, n).stat().st_size for n in segments(self._directory) if n >= self._place.segment
        }
        return max(sum(sizes.values()) - (self._place.offset if self._place.segment in sizes else 0), 0)


def _load(directory: Path) -> Place:
    try:
        return msgspec.json.decode((directory / SHIPPED).read_bytes(), type=Place)
    except FileNotFoundError:
        return Place()
    except (msgspec.MsgspecError, OSError) as error:
        log.error("place of the spool is unreadable: everything is sent again", directory=str(directory), error=str(error))
        return Place()


def _lines(path: Path, offset: int, max_bytes: int) -> tuple[list[bytes], int]:
    """(whole lines from `offset`, the offset behind them); a last line without its end is still being written, or was torn."""
    found: list[bytes] = []
    try:
        with path.open("rb") as file:
            file.seek(offset)
            size = 0
            while size < max(max_bytes, 1) and (line := file.readline()).endswith(b"\n"):
                found.append(line[:-1])
                size += len(line)
                offset += len(line)
    except FileNotFoundError:
        return found, offset
    return found, offset
