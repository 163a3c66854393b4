"""What a worker and its guard process say to each other: frames of MessagePack over a socket that only the two of them have."""

from collections.abc import Sequence
from typing import Any

import msgspec

from holdfast.control.snapshot import Guard
from holdfast.core.call import Dimensions
from holdfast.core.errors import TooLargeError
from holdfast.gateway.dialects.protocol import Asked, Said
from holdfast.gateway.guarding import Opinion, Ready
from holdfast.gateway.guards.protocol import Seen
from holdfast.score.calibrator import Calibration

MAX_QUESTION_BYTES = 2**20
"""Of one request and answer: what is longer is judged by the worker itself, which reads as much of it as a guard does anyway."""
MAX_FRAME_BYTES = 2**26
_LENGTH = 4

Wanted = tuple[tuple[str, float], ...]
"""Guards by name, each with the threshold at which this request meets it."""


class Arm(msgspec.Struct, frozen=True, tag="arm"):
    """These guards are to judge from now on, by these calibrations. It is answered by an empty list when they can."""

    guards: tuple[Guard, ...]
    calibrations: tuple[Calibration, ...] = ()


class Question(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What `before` say of a request, and `after` of the answer to it."""

    before: Wanted
    after: Wanted
    asked: Asked
    said: Said | None
    dimensions: Dimensions


class Batch(msgspec.Struct, frozen=True, tag="batch"):
    """Questions, encoded each for itself, that are answered together."""

    questions: tuple[msgspec.Raw, ...]


Said_ = list[list[Opinion | None]]
"""For each question the opinions of `before`, then of `after`; None for a guard that the process does not know."""

_encoder = msgspec.msgpack.Encoder()
_order = msgspec.msgpack.Decoder(Arm | Batch)
_question = msgspec.msgpack.Decoder(Question)
_answers = msgspec.msgpack.Decoder(Said_)


def wanted(guards: Sequence[Ready]) -> Wanted:
    """`guards` as a question names them."""
    return tuple([(one.armed.guard.name, one.threshold) for one in guards])


def encode_question(before: Sequence[Ready], after: Sequence[Ready], seen: Seen) -> bytes | None:
    """The question; None for one that is too long, or holds what cannot be written."""
    question = Question(wanted(before), wanted(after), seen.asked, seen.said, seen.dimensions)
    try:
        found = _encoder.encode(question)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if len(found) <= MAX_QUESTION_BYTES else None


def framed(value: Any) -> bytes:
    """`value` as a frame: its length in four bytes, and behind it the value.

    Raises:
        TypeError, ValueError, OverflowError: it cannot be written.
    """
    data = _encoder.encode(value)
    return len(data).to_bytes(_LENGTH) + data


def decode_order(frame: bytes) -> Arm | Batch:
    """What a worker says.

    Raises:
        msgspec.MsgspecError: something else.
    """
    order: Arm | Batch = _order.decode(frame)
    return order


def decode_question(data: msgspec.Raw) -> Question:
    """What a worker asks.

    Raises:
        msgspec.MsgspecError: something else.
    """
    return _question.decode(data)


def decode_answers(frame: bytes) -> Said_:
    """What the guard process says.

    Raises:
        msgspec.MsgspecError: something else.
    """
    return _answers.decode(frame)


class Frames:
    """Puts frames together out of what a socket gives piece by piece."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that `data` completes, without their lengths.

        Raises:
            TooLargeError: one says that it is longer than any that is ever sent.
        """
        begun = self._begun
        begun += data
        found: list[bytes] = []
        at = 0
        while len(begun) - at >= _LENGTH:
            size = int.from_bytes(begun[at : at + _LENGTH])
            if size > MAX_FRAME_BYTES:
                raise TooLargeError(f"has {size} bytes, at most {MAX_FRAME_BYTES} are allowed", "frame")
            if len(begun) - at - _LENGTH < size:
                break
            found.append(bytes(begun[at + _LENGTH : at + _LENGTH + size]))
            at += _LENGTH + size
        del begun[:at]
        return found
