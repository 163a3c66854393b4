"""What JSON from elsewhere may cost: bounds that are kept before it is parsed, and before its items are read."""

from collections.abc import Iterator
from typing import Any

import orjson

from holdfast.core.errors import InputError, TooLargeError
from holdfast.ingest.limits import MAX_ITEMS, MAX_WEIGHT_BYTES, weight_bytes

LEVELS = (
    ("resourceSpans", "scopeSpans", "spans"),
    ("resourceLogs", "scopeLogs", "logRecords"),
    ("resourceMetrics", "scopeMetrics", "metrics"),
)
_WEIGHED_BYTES = 1024 * 1024


def check_weight(body: bytes, max_bytes: int = MAX_WEIGHT_BYTES) -> None:
    """Refuse JSON that is small as text but would take more than `max_bytes` of memory once it is parsed.

    Raises:
        TooLargeError: it would.
    """
    if len(body) > _WEIGHED_BYTES and (weight := weight_bytes(body)) > max_bytes:
        raise TooLargeError(f"body would take about {weight} bytes of memory, more than {max_bytes}; send less at a time")


def check_count(document: dict[str, Any]) -> None:
    """Refuse an OTLP/JSON request with more than `MAX_ITEMS` items and groups.

    Raises:
        TooLargeError: it has.
    """
    count = 0
    for groups, scopes, items in LEVELS:
        for group in _members(document, groups):
            for scoped in _members(group, scopes):
                held = scoped.get(items)
                count += 1 + (len(held) if isinstance(held, list) else 0)
                if items == "metrics":
                    count += sum(_points(metric) for metric in _members(scoped, items))
                if count > 2 * MAX_ITEMS:
                    raise TooLargeError(f"body holds more than {MAX_ITEMS} items; send fewer at a time")


def _points(metric: dict[str, Any]) -> int:
    """Data points of a metric of any kind."""
    points = [data.get("dataPoints") for data in metric.values() if isinstance(data, dict)]
    return sum(len(held) for held in points if isinstance(held, list))


def check_size(part: dict[str, Any], max_bytes: int) -> None:
    """Refuse a part of a request that is larger than `max_bytes`.

    Raises:
        InputError: it is.
    """
    try:
        size = len(orjson.dumps(part))
    except TypeError:  # nested too deep to be written, or holds an integer over 64 bits: reading it will say so
        return
    if size > max_bytes:
        raise InputError(f"{size} bytes are more than {max_bytes}")


def _members(parent: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    held = parent.get(name)
    if isinstance(held, list):
        yield from (member for member in held if isinstance(member, dict))
