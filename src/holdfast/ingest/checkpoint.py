"""How far the reader of a journal has come: a position, kept in a file that is replaced as a whole, as others are."""

import fcntl
import os
from pathlib import Path

import msgspec

from holdfast.core.errors import StoreError

FILE_NAME = "checkpoint"


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in a journal: everything before `offset` of `segment` and all of the segments before it has been read."""

    segment: int = 0
    offset: int = 0

    def __str__(self) -> str:
        """Such as ``12:4096``."""
        return f"{self.segment}:{self.offset}"


def load_checkpoint(directory: Path, default: Position) -> Position:
    """The position that was saved last, else `default`.

    Raises:
        StoreError: the file is there but holds no position.
    """
    path = directory / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Position)
    except FileNotFoundError:
        return default
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path}: no position of a journal: {error}") from error


def save_checkpoint(directory: Path, position: Position) -> None:
    """Replace the checkpoint, see `replace_file`."""
    replace_file(directory / FILE_NAME, msgspec.json.encode(position))


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in place of what `path` held; after a crash at any moment it holds the one or the other, whole.

    Only its owner can read the file.

    Raises:
        StoreError: it could not be written; names the file.
    """
    new = path.with_suffix(".new")
    try:
        # What a crash left half written may be anybody's: begin with a file of our own.
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error


def make_once(path: Path, data: bytes) -> None:
    """Put `data` at `path` unless a file is there; of several processes that want to at the same time one does.

    Raises:
        StoreError: it could not be written; names the file.
    """
    if path.exists():
        return
    try:
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # Held for one write of a small file, and let go by the system with the process.
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not path.exists():
                replace_file(path, data)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
