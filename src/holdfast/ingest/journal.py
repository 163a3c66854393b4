"""The journal between receiver and pipeline: what was acknowledged is in it, and stays until the pipeline has taken it over.

One process writes (`Journal`, held by a lock), one reads (`JournalReader`) and says by a checkpoint how far it has come. Many
requests share one write and one fsync. A writer that starts never continues an old segment, and one whose write failed seals
it, so that a position in a segment means the same bytes for ever.
"""

import errno
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Self

import msgspec
import structlog

from holdfast.core.errors import BackpressureError, StoreError
from holdfast.ingest.checkpoint import Position, load_checkpoint
from holdfast.ingest.folder import hold_folder
from holdfast.ingest.frames import HEADER_BYTES, SegmentFile, frame, segment_header, segment_numbers, segment_path
from holdfast.ingest.record import Record, encode_record
from holdfast.ingest.tail import Damage, JournalReader

log = structlog.get_logger(__name__)

MIB = 2**20


class JournalLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of a journal.

    Args:
        segment_bytes: a segment that has reached this is followed by a new one.
        max_lag_bytes: bytes that the reader may be behind before senders are told to wait.
        max_pending_bytes: bytes that may wait in memory for the disk.
        min_free_bytes: free space of the file system below which nothing more is taken, so that reader and stores can still
            write, and thereby free, theirs.
        refresh_s: how often checkpoint and free space are looked at, in seconds.
    """

    segment_bytes: int = 64 * MIB
    max_lag_bytes: int = 512 * MIB
    max_pending_bytes: int = 64 * MIB
    min_free_bytes: int = 128 * MIB
    refresh_s: float = 0.1


class Journal:
    """Writes records to `directory` and says when they are on disk.

    `append` may be called from any thread. `write` is the system call that writes (tests give one that fails).

    Raises:
        StoreError: another process writes to this directory, or it cannot be used; the message says which.
    """

    def __init__(
        self,
        directory: Path,
        limits: JournalLimits | None = None,
        write: Callable[[int, memoryview], int] = os.write,
    ) -> None:
        self.directory = directory
        self._limits = limits or JournalLimits()
        self._write = write
        self._salt = secrets.randbits(32)
        self._wake = threading.Condition()
        self._pending: list[tuple[bytes, Future[None]]] = []
        self._pending_bytes = 0
        self._closing = False
        self._segment: int | None = None
        self._file = -1
        self._offset = 0
        self._failure = ""
        self._looked_at = 0.0
        self._checkpoint = Position()
        self._lock = hold_folder(directory, "journal")
        try:
            _cut_torn_tail(directory)
            self._sizes = {n: segment_path(directory, n).stat().st_size for n in segment_numbers(directory)}
            self._checkpoint = load_checkpoint(directory, Position())
        except OSError as error:
            os.close(self._lock)
            raise StoreError(f"journal {directory}: {error.strerror}") from error
        except StoreError:
            os.close(self._lock)
            raise
        self._look_around()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def lag_bytes(self) -> int:
        """Bytes that the reader has not yet taken over, those still waiting for the disk included."""
        behind = sum(size for number, size in self._sizes.copy().items() if number >= self._checkpoint.segment)
        read = self._checkpoint.offset if self._checkpoint.segment in self._sizes else 0
        return max(behind - read, 0) + self._pending_bytes

    @property
    def failure(self) -> str:
        """Why nothing can be written at present; empty when it can."""
        return self._failure

    def admit(self) -> None:
        """Say whether more is taken now.

        Raises:
            BackpressureError: the reader or the disk is too far behind.
            StoreError: nothing can be written at present.
        """
        if self._closing or not self._thread.is_alive():
            raise StoreError(f"journal {self.directory}: closed")
        if self._failure:
            raise StoreError(self._failure)
        if self.lag_bytes > self._limits.max_lag_bytes:
            raise BackpressureError(f"the pipeline is {self.lag_bytes} bytes behind", retry_after_s=5)
        if self._pending_bytes > self._limits.max_pending_bytes:
            raise BackpressureError(f"{self._pending_bytes} bytes wait for the disk", retry_after_s=1)

    def append(self, records: Iterable[Record]) -> Future[None]:
        """Hand over `records`; the future resolves when all of them are on disk, and raises `StoreError` when that failed.

        Raises:
            BackpressureError: full for now; nothing was kept.
            StoreError: nothing can be written at present.
            TooLargeError: a record is larger than a frame can be.
        """
        self.admit()
        return self.append_encoded([encode_record(record) for record in records])

    def append_encoded(self, payloads: Iterable[bytes]) -> Future[None]:
        """The same for what `encode_record` has made; raises as `append` does."""
        self.admit()
        data = b"".join([frame(payload, self._salt) for payload in payloads])
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        if not data:
            future.set_result(None)
            return future
        with self._wake:
            self.admit()
            self._pending.append((data, future))
            self._pending_bytes += len(data)
            self._wake.notify()
        return future

    def close(self, timeout_s: float = 30.0) -> None:
        """Write what waits, and let the directory go.

        Raises:
            StoreError: the disk did not finish within `timeout_s`; the lock is then kept.
        """
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise StoreError(f"journal {self.directory}: the disk did not finish within {timeout_s:g} s")
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: bool(self._pending) or self._closing, timeout=self._limits.refresh_s)
                batch, self._pending = self._pending, []
                if not batch and self._closing:
                    break
            if time.monotonic() - self._looked_at >= self._limits.refresh_s:
                self._look_around()
            if batch:
                self._commit(batch)
        self._seal()

    def _look_around(self) -> None:
        """See how far the reader is and whether the disk has room; after a failure, whether it works again."""
        self._looked_at = time.monotonic()
        try:
            self._refresh()
            if self._failure:
                self._begin_segment()
                log.info("journal can be written again", directory=str(self.directory))
                self._failure = ""
        except StoreError as error:
            self._failure = str(error)
        except OSError as error:
            self._fail(error)

    def _refresh(self) -> None:
        self._checkpoint = max(self._checkpoint, load_checkpoint(self.directory, Position()))
        for number in [n for n in self._sizes if n < self._checkpoint.segment]:
            segment_path(self.directory, number).unlink(missing_ok=True)
            del self._sizes[number]
        space = os.statvfs(self.directory)
        if space.f_bavail * space.f_frsize < self._limits.min_free_bytes:
            raise OSError(errno.ENOSPC, f"less than {self._limits.min_free_bytes} bytes are free")

    def _commit(self, batch: Sequence[tuple[bytes, Future[None]]]) -> None:
        size = sum(len(data) for data, _ in batch)
        failure: StoreError | None = None
        try:
            number = self._begin_segment()
            for data, _ in batch:
                self._write_all(data)
            os.fdatasync(self._file)
        except OSError as error:
            self._fail(error)
            failure = StoreError(self._failure)
        else:
            self._offset += size
            self._sizes[number] = self._offset
            if self._offset >= self._limits.segment_bytes:
                self._seal()
        with self._wake:
            self._pending_bytes -= size
        for _, future in batch:
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)

    def _begin_segment(self) -> int:
        """The number of the segment that is being written, a new one where there is none."""
        if self._segment is not None:
            return self._segment
        number = max([*self._sizes, self._checkpoint.segment, 0]) + 1
        path = segment_path(self.directory, number)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, segment_header(self._salt))
            os.fsync(file)
            _sync_directory(self.directory)
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        self._segment, self._file, self._offset = number, file, HEADER_BYTES
        self._sizes[number] = HEADER_BYTES
        return number

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._write(self._file, rest) :]

    def _fail(self, error: OSError) -> None:
        """Nothing behind the last fsync can be trusted, nor another fsync of the same file: cut it there, and seal it."""
        if not self._failure:
            log.error("journal cannot be written", directory=str(self.directory), error=str(error))
        self._failure = f"journal {self.directory}: {error.strerror}"
        if self._segment is not None:
            try:
                os.ftruncate(self._file, self._offset)
                os.fsync(self._file)
            except OSError as second:
                log.error("journal segment cannot be cut", segment=self._segment, error=str(second))
        self._seal()

    def _seal(self) -> None:
        if self._segment is not None:
            os.close(self._file)
            self._segment, self._file = None, -1


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cut_torn_tail(directory: Path) -> None:
    """Cut off what a killed writer left half written at the end of the last segment. None of it was acknowledged."""
    numbers = segment_numbers(directory)
    if not numbers:
        return
    path = segment_path(directory, numbers[-1])
    try:
        with SegmentFile(path) as segment:
            end, size = _last_intact(segment), segment.size
    except StoreError as error:
        log.error("journal segment is unreadable", error=str(error))
        return
    if end < size:
        log.warning("cut a torn tail", file=str(path), offset=end, bytes=size - end)
        with path.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())


def _last_intact(segment: SegmentFile) -> int:
    """End of the last intact frame. Damage with intact frames behind it is no torn tail: it stays, for the reader to report."""
    offset = HEADER_BYTES
    while True:
        if found := segment.frames(offset, limit=10_000):
            offset = found[-1].end
        elif (resumed := segment.resume_after(offset)) is not None:
            offset = resumed
        else:
            return min(offset, segment.size)


__all__ = ["Damage", "Journal", "JournalLimits", "JournalReader", "Position"]
