"""Protobuf's wire format, walked without building anything: where the fields of a message begin and end.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from holdfast.core.errors import InputError
from holdfast.ingest.limits import MAX_VALUES

MAX_LEVELS = 90
"""Messages inside messages. The parser's own limit is 100."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_TEXTS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)


def fields(data: memoryview, where: str = "") -> Iterator[tuple[int, int, int | None, int]]:
    """(number, start of the tag, start of the content where it has a length, end) of every field.

    Raises:
        InputError: `data` is no message, or is cut off; names `where`.
    """
    at, size = 0, len(data)
    while at < size:
        start = at
        tag, at = _read_varint(data, at, where)
        number, wire = tag >> 3, tag & 7
        inner = None
        if wire == BYTES:
            length, at = _read_varint(data, at, where)
            inner, at = at, at + length
        elif wire == VARINT:
            _, at = _read_varint(data, at, where)
        elif wire in _FIXED:
            at += _FIXED[wire]
        else:
            raise InputError(f"body is not OTLP protobuf: wire type {wire} at byte {start}", where)
        if at > size or not number:
            raise InputError("body is not OTLP protobuf, or is cut off", where)
        yield number, start, inner, at


def _read_varint(data: memoryview, at: int, where: str) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise InputError("body is not OTLP protobuf, or is cut off", where)


def varint(value: int) -> bytes:
    """`value`, not negative, as a varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def check_values(data: memoryview, kind: Any) -> None:
    """Refuse a message of the descriptor `kind` that would take far more memory than its bytes.

    Two bytes are enough for an empty value that takes a hundred when it is parsed.

    Raises:
        InputError: more than `MAX_VALUES` values, nested too deep, or no message.
    """
    _values_left(data, kind, MAX_VALUES, 0)


def _values_left(data: memoryview, kind: Any, left: int, level: int) -> int:
    if level > MAX_LEVELS:
        raise InputError("nested too deep")
    for number, _, inner, end in fields(data):
        left -= 1
        field = kind.fields_by_number.get(number)
        if field is not None and inner is not None:
            if field.message_type is not None:
                left = _values_left(data[inner:end], field.message_type, left, level + 1)
            elif field.type not in _TEXTS:
                left -= end - inner  # packed numbers, at worst one a byte
        if left < 0:
            raise InputError(f"holds more than {MAX_VALUES} values")
    return left
