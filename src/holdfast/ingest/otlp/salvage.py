"""What is good in a span, log record or metric that the parser refuses as a whole.

The parser gives up on all of a message for one string that is not UTF-8. This walks it by its descriptor and puts bad
strings right (U+FFFD). It runs only on such messages.
"""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from holdfast.core.errors import InputError
from holdfast.ingest.otlp.wire import BYTES, MAX_LEVELS, fields, varint


def salvage(data: memoryview, kind: Any) -> bytes:
    """A message of the descriptor `kind` with its bad strings put right.

    Raises:
        InputError: it is damaged otherwise.
    """
    return _message(data, kind, 0)


def _message(data: memoryview, kind: Any, level: int) -> bytes:
    if level > MAX_LEVELS:
        raise InputError("nested too deep")
    out = bytearray()
    for number, start, inner, end in fields(data):
        field = kind.fields_by_number.get(number)
        if field is None or inner is None or field.type not in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE):
            out += data[start:end]
            continue
        fixed = _field(data[inner:end], field, level)
        out += varint(number << 3 | BYTES) + varint(len(fixed)) + fixed
    return bytes(out)


def _field(data: memoryview, field: FieldDescriptor, level: int) -> bytes:
    if field.message_type is None:
        return bytes(data).decode("utf-8", "replace").encode()
    return _message(data, field.message_type, level + 1)
