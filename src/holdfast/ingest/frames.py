"""Layout of a journal segment on disk, and the reading of one file of it.

A segment is a 16-byte header (magic, version, salt) and then frames: mark, length, checksum, kind, payload. The checksum is
CRC-32 seeded with the salt, which no sender knows: text inside a payload can look like a frame, but never pass for one when
reading starts again behind a damaged place.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple, Self

from holdfast.core.errors import StoreError, TooLargeError

MAGIC = b"HOLDFAST"
VERSION = 1
MARK = b"\xc1HF\xc1"
KIND_RECORD = 1
MAX_FRAME_BYTES = 512 * 2**20
"""Longest frame; a longer length field is damage, not a reason to allocate that much."""

_SEGMENT = struct.Struct("<8sII")
_FRAME = struct.Struct("<4sII")
HEADER_BYTES = _SEGMENT.size
FRAME_OVERHEAD = _FRAME.size + 1
WINDOW_BYTES = 2**20


class Frame(NamedTuple):
    """One intact frame: what it holds, and the offset in its segment at which the next one begins."""

    kind: int
    payload: bytes
    end: int


def segment_header(salt: int) -> bytes:
    """The first 16 bytes of a segment. `salt` is 32 bits."""
    return _SEGMENT.pack(MAGIC, VERSION, salt)


def frame(payload: bytes, salt: int, kind: int = KIND_RECORD) -> bytes:
    """`payload` as a frame.

    Raises:
        TooLargeError: it is over `MAX_FRAME_BYTES`.
    """
    if len(payload) >= MAX_FRAME_BYTES - FRAME_OVERHEAD:
        raise TooLargeError(f"a record of {len(payload)} bytes does not fit into a frame of {MAX_FRAME_BYTES}")
    body = bytes((kind,)) + payload
    return _FRAME.pack(MARK, len(body), zlib.crc32(body, salt)) + body


def intact_end(data: bytes, offset: int, salt: int) -> int | None:
    """End of the whole and undamaged frame that begins at `offset` of `data`, or None when there is none."""
    if len(data) - offset < FRAME_OVERHEAD:
        return None
    mark, length, checksum = _FRAME.unpack_from(data, offset)
    start = offset + _FRAME.size
    if mark != MARK or not 1 <= length <= min(MAX_FRAME_BYTES, len(data) - start):
        return None
    with memoryview(data) as view:
        return start + length if zlib.crc32(view[start : start + length], salt) == checksum else None


def next_intact(data: bytes, offset: int, salt: int) -> int | None:
    """Where in `data`, at `offset` or behind it, the next undamaged frame begins, or None."""
    while (offset := data.find(MARK, offset)) >= 0:
        if intact_end(data, offset, salt) is not None:
            return offset
        offset += 1
    return None


def segment_path(directory: Path, number: int) -> Path:
    """File of segment `number`."""
    return directory / f"{number:012d}.segment"


def segment_numbers(directory: Path) -> list[int]:
    """Numbers of the segments in `directory`, ascending."""
    return sorted(int(p.stem) for p in directory.glob("*.segment") if p.stem.isdecimal())


class SegmentFile:
    """One segment, open for reading. The writer may be adding to it at the same time.

    Raises:
        FileNotFoundError: it is gone.
        StoreError: it was written by another version of the layout, or its header is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.salt = self._read_salt()
        except StoreError:
            self.close()
            raise

    def _read_salt(self) -> int | None:
        header = os.pread(self._file, HEADER_BYTES, 0)
        if len(header) < HEADER_BYTES:
            return None
        magic, version, salt = _SEGMENT.unpack(header)
        if magic != MAGIC or version != VERSION:
            raise StoreError(f"{self.path}: not a journal segment of version {VERSION}")
        return int(salt)

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self._file).st_size

    def frames(self, offset: int, limit: int) -> list[Frame]:
        """At most `limit` intact frames from `offset` on, as many as one window holds; empty when the next is not (yet) whole."""
        salt = self._salt()
        if salt is None:
            return []
        data = self._window(offset)
        found: list[Frame] = []
        at = 0
        while len(found) < limit and (end := intact_end(data, at, salt)) is not None:
            found.append(Frame(data[at + _FRAME.size], data[at + FRAME_OVERHEAD : end], offset + end))
            at = end
        return found

    def resume_after(self, offset: int) -> int | None:
        """Where behind a bad frame at `offset` the next intact one begins, or None."""
        salt = self._salt()
        if salt is None:
            return None
        start = offset + 1
        found = next_intact(self._read(start, max(self.size - start, 0)), 0, salt)
        return None if found is None else start + found

    def _salt(self) -> int | None:
        if self.salt is None:
            self.salt = self._read_salt()
        return self.salt

    def _window(self, offset: int) -> bytes:
        data = self._read(offset, WINDOW_BYTES)
        if len(data) < FRAME_OVERHEAD:
            return data
        mark, length, _ = _FRAME.unpack_from(data)
        need = length + _FRAME.size
        if mark == MARK and len(data) < need <= min(MAX_FRAME_BYTES, self.size - offset):
            return self._read(offset, need)
        return data

    def _read(self, offset: int, length: int) -> bytes:
        parts: list[bytes] = []
        while length > 0 and (part := os.pread(self._file, length, offset)):
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Give the file descriptor back."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
