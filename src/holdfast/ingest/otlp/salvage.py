"""What is good in a protobuf body that the parser refuses as a whole.

The parser gives up on all of a body for one string that is not UTF-8 or one value nested too deep. This walks the wire
format by the message's descriptor, puts bad strings right (U+FFFD), and empties spans, log records and metrics that
cannot be read (emptied, not left out: the places of those after them must stay true). It runs only on such bodies.
Source: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from holdfast.core.errors import InputError
from holdfast.ingest.record import Rejected

_UNITS = ("opentelemetry.proto.trace.v1.Span", "opentelemetry.proto.logs.v1.LogRecord", "opentelemetry.proto.metrics.v1.Metric")
"""Messages that are lost alone; damage around them loses the body."""
_MAX_LEVELS = 90
"""The parser's own limit is 100."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}


def salvage(body: bytes, kind: Any, rejected: list[Rejected]) -> bytes:
    """`body` with the items that cannot be read emptied, each of which is added to `rejected` with its place.

    Raises:
        InputError: the damage is outside any one item.
    """
    return _message(memoryview(body), kind, "", rejected, 0)


def _message(data: memoryview, kind: Any, where: str, rejected: list[Rejected], level: int) -> bytes:
    if level > _MAX_LEVELS:
        raise InputError("nested too deep", where)
    out = bytearray()
    seen: dict[int, int] = {}
    for number, start, inner, end in _fields(data, where):
        field = kind.fields_by_number.get(number)
        if field is None or inner is None or field.type not in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE):
            out += data[start:end]
            continue
        index = seen.get(number, 0)
        seen[number] = index + 1
        fixed = _field(data[inner:end], field, _place(where, field, index), rejected, level)
        out += _varint(number << 3 | _BYTES) + _varint(len(fixed)) + fixed
    return bytes(out)


def _field(data: memoryview, field: FieldDescriptor, where: str, rejected: list[Rejected], level: int) -> bytes:
    kind = field.message_type
    if kind is None:
        return bytes(data).decode("utf-8", "replace").encode()
    if kind.full_name not in _UNITS:
        return _message(data, kind, where, rejected, level + 1)
    try:
        return _message(data, kind, where, rejected, level + 1)
    except InputError as error:
        rejected.append(Rejected(where, error.message))
        return b""


def _place(where: str, field: FieldDescriptor, index: int) -> str:
    name = field.camelcase_name + (f"[{index}]" if field.is_repeated else "")
    return f"{where}.{name}" if where else name


def _fields(data: memoryview, where: str) -> Iterator[tuple[int, int, int | None, int]]:
    """(number, start of the tag, start of the content where it has a length, end) of every field."""
    at, size = 0, len(data)
    while at < size:
        start = at
        tag, at = _read_varint(data, at, where)
        number, wire = tag >> 3, tag & 7
        inner = None
        if wire == _VARINT:
            _, at = _read_varint(data, at, where)
        elif wire == _BYTES:
            length, at = _read_varint(data, at, where)
            inner, at = at, at + length
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


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
