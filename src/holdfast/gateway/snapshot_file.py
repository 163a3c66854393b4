"""The last good snapshot on disk: what a gateway starts from when nobody else is there."""

from pathlib import Path

import msgspec

from holdfast.control.snapshot import Snapshot
from holdfast.control.validate import MAX_SNAPSHOT_BYTES, must_be_sound
from holdfast.core.errors import ConflictError, HoldfastError, InputError, TooLargeError
from holdfast.ingest.checkpoint import replace_file

FILE_NAME = "snapshot.json"

_decode = msgspec.json.Decoder(Snapshot).decode


def read_snapshot(data: bytes) -> Snapshot:
    """A snapshot from its JSON form, checked.

    Raises:
        TooLargeError: it is larger than any that is ever made.
        InputError: it is no snapshot, or one that makes no sense; says what and where.
    """
    if len(data) > MAX_SNAPSHOT_BYTES:
        raise TooLargeError(f"has {len(data)} bytes, at most {MAX_SNAPSHOT_BYTES} are allowed", "snapshot")
    try:
        snapshot = _decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InputError(f"is no snapshot: {error}", "snapshot") from error
    must_be_sound(snapshot)
    return snapshot


def newer(snapshot: Snapshot, running: Snapshot | None) -> bool:
    """Whether `snapshot` may take the place of `running`: the same version again changes nothing.

    Raises:
        ConflictError: it is older.
    """
    if running is not None and snapshot.version < running.version:
        raise ConflictError(f"snapshot {snapshot.version} is older than {running.version}, which is in force")
    return running is None or snapshot.version > running.version


class Watched:
    """A file that somebody else replaces."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """Whether the file is another one than at the last call, or gone since; cheap enough to ask ten times a second."""
        now: tuple[int, int, int] | None
        try:
            stat = self.path.stat()
            now = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        except FileNotFoundError:
            now = None
        except OSError:
            return False
        if now == self._seen:
            return False
        self._seen = now
        return True


class SnapshotFile(Watched):
    """The file in `directory`: written by whoever follows the server, read by every worker. Replaced as a whole, never edited."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / FILE_NAME)

    def save(self, snapshot: Snapshot) -> None:
        """Put `snapshot` there.

        Raises:
            StoreError: it could not be written.
        """
        replace_file(self.path, msgspec.json.encode(snapshot))

    def load(self) -> Snapshot | None:
        """The snapshot that is there; None where there is none.

        Raises:
            InputError: what is there is no snapshot, or cannot be read; names the file.
        """
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_SNAPSHOT_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{error.strerror}", str(self.path)) from error
        try:
            return read_snapshot(data)
        except HoldfastError as error:
            raise InputError(str(error), str(self.path)) from error
