"""Attribute values as OTLP/JSON has them."""

from collections.abc import Sequence
from typing import Any

Value = str | bool | int | float | Sequence["Value"]


def json_value(value: Value) -> dict[str, Any]:
    """An AnyValue of OTLP/JSON: whole numbers stand in strings, as its protobuf mapping asks."""
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"arrayValue": {"values": [json_value(item) for item in value]}}
