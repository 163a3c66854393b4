"""The kill switch: a file that a person writes, and that nothing but the gateway reads. It works when all else is down."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from holdfast.core.errors import StoreError
from holdfast.ingest.checkpoint import replace_file

FILE_NAME = "switch"


class Position(StrEnum):
    """On: as the snapshot says. Off: nothing is changed, refused or judged. Template: every chat gets the template."""

    ON = "on"
    OFF = "off"
    TEMPLATE = "template"


def read_switch(directory: Path, complain: Callable[[str], None] = lambda reason: None) -> Position:
    """The position that the file says. No file is `on`; a word that is none is `on`, and `complain` is told.

    An unreadable file changes nothing for the worse: the gateway goes on as the snapshot says.
    """
    try:
        word = (directory / FILE_NAME).read_bytes()[:64].decode("ascii", "replace").strip().lower()
    except FileNotFoundError:
        return Position.ON
    except OSError as error:
        complain(f"{FILE_NAME}: {error.strerror}")
        return Position.ON
    try:
        return Position(word or "on")
    except ValueError:
        complain(f"{FILE_NAME} says {word!r}, which is none of {', '.join(Position)}")
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
