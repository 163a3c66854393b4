"""One process owns a folder: a lock that the system lets go with the process, however that ends."""

import fcntl
import os
from pathlib import Path

from holdfast.core.errors import StoreError


def hold_folder(directory: Path, whose: str) -> int:
    """Make the folder if need be and hold the one lock of it, as long as the descriptor that is returned is open.

    Processes that are started later do not inherit it, so that they do not keep it when this one is killed.

    Args:
        directory: the folder; its file `lock` names the process that holds it.
        whose: what the folder is for, for the message: ``journal``.

    Raises:
        StoreError: another process holds it, or it cannot be made; names the folder and the process.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{whose} {directory}: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(handle, 32, 0).decode("ascii", "replace") or "unknown"
        os.close(handle)
        raise StoreError(f"{whose} {directory}: process {owner} writes to it already; end it, or use another folder") from error
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle
