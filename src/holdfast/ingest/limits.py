"""How much of anything is taken, and decompression that stops there."""

import zlib

from holdfast.core.errors import InputError, TooLargeError

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Of one body or line, after decompression: the figure that the OTLP specification recommends."""
MAX_ITEMS = 100_000
"""Spans, log records or metrics of one body. More than that is a body of nothing but overhead."""
MAX_ITEM_BYTES = 16 * 1024 * 1024
"""Of one span, log record or metric."""
MAX_HEAD_BYTES = 1024 * 1024
"""Of one resource or scope: what is in it is kept with every item of it."""
MAX_VALUES = 500_000
"""Of one item, at all depths together, where it is large enough to hold that many."""
MAX_WEIGHT_BYTES = 512 * 1024 * 1024
"""Memory that one JSON document may take once it is parsed, see `weight_bytes`."""
MAX_ATTRIBUTES = 10_000
"""Per span, log record or data point."""
MAX_EVENTS = 10_000
"""Per span."""
MAX_DEPTH = 32
"""Levels of lists and maps inside one attribute."""
MAX_FUTURE_NS = 24 * 3600 * 1_000_000_000
"""A span that starts later than this after now has a broken clock."""
MAX_TIME_NS = 2**63 - 1
"""Times are kept as signed 64-bit nanoseconds; this one is in the year 2262."""
MAX_DIMENSION_CHARS = 256
MAX_DIMENSION_VALUES = 32
"""Values of one dimension on one call."""
MAX_LIST = 10_000
"""Messages, documents or evaluations of one span."""

MAX_GZIP_MEMBERS = 1024
"""Of one body. Each costs a new decoder; nobody sends telemetry in thousands of tiny ones."""

_DICT_BYTES, _LIST_BYTES, _VALUE_BYTES = 192, 64, 64
_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 64 * 1024


def weight_bytes(text: str | bytes) -> int:
    """At most about how much memory JSON takes once it is parsed, beside its texts: told by its brackets and commas.

    ``{"":0},`` is 7 bytes as JSON and about 190 as a value; brackets and commas inside texts are counted too.
    """
    if isinstance(text, str):
        return _DICT_BYTES * text.count("{") + _LIST_BYTES * text.count("[") + _VALUE_BYTES * text.count(",")
    return _DICT_BYTES * text.count(b"{") + _LIST_BYTES * text.count(b"[") + _VALUE_BYTES * text.count(b",")


def gunzip_bounded(data: bytes, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Decompress gzip, several members too, never holding more than `max_bytes` of output.

    Raises:
        TooLargeError: it would be larger than `max_bytes`.
        InputError: it is not gzip, is cut off, or has more than `MAX_GZIP_MEMBERS` members.
    """
    parts: list[bytes] = []
    left = max_bytes
    members = 0
    decoder = zlib.decompressobj(_GZIP)
    for at in range(0, len(data), _PIECE):
        # In pieces: what lies behind a member is copied by the decoder.
        piece = data[at : at + _PIECE]
        while piece:
            if decoder.eof:
                piece = piece.lstrip(b"\0")
                if not piece:
                    break
                members += 1
                if members >= MAX_GZIP_MEMBERS:
                    raise InputError(f"gzip body has more than {MAX_GZIP_MEMBERS} members")
                decoder = zlib.decompressobj(_GZIP)
            part = _decompress(decoder, piece, left + 1)
            left -= len(part)
            if left < 0:
                raise TooLargeError(f"body is larger than {max_bytes} bytes after decompression")
            parts.append(part)
            piece = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    if not decoder.eof:
        raise InputError("gzip body is cut off")
    return b"".join(parts)


def _decompress(decoder: "zlib._Decompress", data: bytes, max_length: int) -> bytes:
    try:
        return decoder.decompress(data, max_length)
    except zlib.error as error:
        raise InputError(f"body is not gzip: {error}") from error
