"""What the processes of one gateway say to each other over their pipes: a line of JSON each, bounded, and never waited for."""

import os
from select import PIPE_BUF

import msgspec

from holdfast.control.probes import ProbeVerdict
from holdfast.core.errors import InputError

MAX_LINE_BYTES = 65_536
MAX_SAID_BYTES = PIPE_BUF
"""As much as a pipe takes whole or not at all (POSIX, PIPE_BUF): lines of several writers do not mix."""


class Judged(msgspec.Struct, frozen=True, tag=True):
    """A judge elsewhere spoke of a probe."""

    verdict: ProbeVerdict


class Tripped(msgspec.Struct, frozen=True, tag=True):
    """A breaker of a sibling opened: the rule's name, the target, and the values of the rule's dimensions."""

    rule: str
    target: str
    scope: tuple[str, ...]


Word = Judged | Tripped
_decode = msgspec.json.Decoder(Word).decode


def encode_word(word: Word) -> bytes:
    """One line, with its end."""
    return msgspec.json.encode(word) + b"\n"


def decode_word(line: bytes) -> Word:
    """What `encode_word` gave.

    Raises:
        InputError: something else.
    """
    try:
        word: Word = _decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InputError(f"is nothing that a gateway says: {error}", "line") from error
    return word


class Lines:
    """Puts lines together out of what a pipe gives piece by piece; of a line that is too long the beginning is kept."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends."""
        *whole, begun = (self._begun + data).split(b"\n")
        self._begun = begun[:MAX_LINE_BYTES]
        return whole


def say(descriptor: int, word: Word) -> bool:
    """Write a word to a pipe that does not block; False where it was lost: nobody reads, or it is too long."""
    line = encode_word(word)
    if len(line) > MAX_SAID_BYTES:
        return False
    try:
        return os.write(descriptor, line) == len(line)
    except OSError:
        return False
