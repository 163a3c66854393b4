"""Puts records from files into order of event time with flat memory: sorted runs on disk, then a merge."""

import heapq
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from holdfast.ingest.record import Record, decode_record, encode_record, record_time_ns

_HEAD = struct.Struct("<qqI")
MERGE_WIDTH = 64


class Spool:
    """Takes records in any order and gives them back oldest first.

    Memory is bounded by `run_bytes` of encoded records while adding, and by one read buffer a run while reading back.
    Use it as a context manager: the temporary files go when it closes.
    """

    def __init__(self, run_bytes: int = 16 * 1024 * 1024, directory: Path | None = None) -> None:
        self._run_bytes = run_bytes
        self._folder = TemporaryDirectory(prefix="holdfast-spool-", dir=directory)
        self._runs: list[Path] = []
        self._pending: list[tuple[int, int, bytes]] = []
        self._pending_bytes = 0
        self._count = 0
        self._written = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def __len__(self) -> int:
        return self._count

    def add(self, record: Record) -> None:
        """Takes one record."""
        self.add_encoded(record_time_ns(record), encode_record(record))

    def add_encoded(self, time_ns: int, data: bytes) -> None:
        """Takes one record as `encode_record` wrote it; writes a run when the buffer is full."""
        self._pending.append((time_ns, self._count, data))
        self._count += 1
        self._pending_bytes += len(data)
        if self._pending_bytes >= self._run_bytes:
            self._write_run(iter(sorted(self._pending)))
            self._pending, self._pending_bytes = [], 0

    def __iter__(self) -> Iterator[tuple[int, Record]]:
        """(event time in ns, record), oldest first; equal times in the order of adding."""
        while len(self._runs) > MERGE_WIDTH:
            first, self._runs = self._runs[:MERGE_WIDTH], self._runs[MERGE_WIDTH:]
            self._write_run(heapq.merge(*(_read_run(path) for path in first)))
            for path in first:
                path.unlink()
        sources: list[Iterable[tuple[int, int, bytes]]] = [_read_run(path) for path in self._runs]
        for time_ns, _, data in heapq.merge(*sources, sorted(self._pending)):
            yield time_ns, decode_record(data)

    def _write_run(self, items: Iterator[tuple[int, int, bytes]]) -> None:
        path = Path(self._folder.name) / f"run-{self._written}"
        self._written += 1
        with path.open("wb") as file:
            for time_ns, order, data in items:
                file.write(_HEAD.pack(time_ns, order, len(data)))
                file.write(data)
        self._runs.append(path)


def _read_run(path: Path) -> Iterator[tuple[int, int, bytes]]:
    with path.open("rb", buffering=256 * 1024) as file:
        while start := file.read(_HEAD.size):
            time_ns, order, length = _HEAD.unpack(start)
            yield time_ns, order, _exactly(file, length)


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) != length:
        raise EOFError("a run of the spool was cut while in use")
    return data
