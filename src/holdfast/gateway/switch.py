"""The kill switch: a file that a person writes, and that nothing but the gateway reads. It works when all else is down."""

from enum import StrEnum
from pathlib import Path

import structlog

from holdfast.core.errors import StoreError
from holdfast.ingest.checkpoint import replace_file

log = structlog.get_logger(__name__)

FILE_NAME = "switch"


class Position(StrEnum):
    """On: as the snapshot says. Off: nothing is changed, refused or judged. Template: every chat gets the template."""

    ON = "on"
    OFF = "off"
    TEMPLATE = "template"


def read_switch(directory: Path) -> Position:
    """The position that the file says. No file is `on`; a word that is none is `on`, and reported.

    An unreadable file changes nothing for the worse: the gateway goes on as the snapshot says.
    """
    try:
        word = (directory / FILE_NAME).read_bytes()[:64].decode("ascii", "replace").strip().lower()
    except FileNotFoundError:
        return Position.ON
    except OSError as error:
        log.error("kill switch cannot be read", error=str(error))
        return Position.ON
    try:
        return Position(word or "on")
    except ValueError:
        log.error("kill switch says no position", word=word, known=[p.value for p in Position])
        return Position.ON


def write_switch(directory: Path, position: Position) -> None:
    """Put the switch there.

    Raises:
        StoreError: the file could not be written.
    """
    path = directory / FILE_NAME
    if position is Position.ON:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}") from error
    else:
        replace_file(path, position.value.encode())
