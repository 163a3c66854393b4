"""Converters: an attribute's value → a field's. Each returns None for what is no such value, so that the next source is tried."""

import math
from collections.abc import Callable
from typing import Any

import orjson

from holdfast.ingest.limits import weight_bytes

Converter = Callable[[Any], Any]

_WEIGHED_CHARS = 1024 * 1024
_MAX_WEIGHT_BYTES = 128 * 1024 * 1024
"""Of JSON in one attribute, once it is parsed; what would take more stays a text."""


def structured(value: Any) -> Any:
    """The list or dict that a value is or spells as JSON, else None."""
    if isinstance(value, str):
        if value[:1] not in ("{", "["):
            stripped = value.lstrip()
            if stripped[:1] not in ("{", "["):
                return None
            value = stripped
        if len(value) > _WEIGHED_CHARS and weight_bytes(value) > _MAX_WEIGHT_BYTES:
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
    return value if isinstance(value, list | dict) else None


def text(value: Any) -> str | None:
    """A string that is not empty; a number as it is written; a structure as JSON."""
    if type(value) is str:
        return value or None
    if value is None:
        return None
    return json_text(value)


def json_text(value: Any) -> str:
    """A value as the JSON text that it came from or would be."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError):
        return _repr(value)


def _repr(value: Any) -> str:
    # JSON is read to 1024 levels but written to 254; so deep a value is nobody's message.
    try:
        return str(value)
    except RecursionError:
        return "nested too deep"


def label(value: Any) -> str | None:
    """A scalar as text: what a dimension's value can be."""
    return None if isinstance(value, list | dict) else text(value)


def integer(value: Any) -> int | None:
    """A count. Strings of digits are taken, and floats without a fraction."""
    if type(value) is int:
        return value
    number = real(value)
    return None if number is None or number != int(number) else int(number)


def count(value: Any) -> int | None:
    """An integer that is not negative."""
    number = integer(value)
    return number if number is not None and 0 <= number < 2**63 else None


def real(value: Any) -> float | None:
    """A finite number, also in a string; booleans are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def milliseconds(value: Any) -> float | None:
    """Seconds as milliseconds, not negative."""
    number = real(value)
    return number * 1000 if number is not None and number >= 0 else None


def amount(value: Any) -> float | None:
    """A number that is not negative."""
    number = real(value)
    return number if number is not None and number >= 0 else None


_TRUE = frozenset({"true", "1", "yes", "hit", "on"})
_FALSE = frozenset({"false", "0", "no", "miss", "off"})


def boolean(value: Any) -> bool | None:
    """True or false, also spelt, also ``hit`` and ``miss``."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def strings(value: Any) -> tuple[str, ...] | None:
    """Several strings: a list, one spelt as JSON, or a single one."""
    parsed = structured(value)
    if isinstance(parsed, list):
        return tuple(str(v) for v in parsed if v not in (None, "")) or None
    found = text(value)
    return (found,) if found else None


def scalar(value: Any) -> float | int | str | bool | None:
    """A request parameter: a scalar as it is, a structure as JSON text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return json_text(value)


def mapping(value: Any) -> dict[str, Any] | None:
    """A dict, also spelt as JSON."""
    parsed = structured(value)
    return parsed if isinstance(parsed, dict) and parsed else None


def text_mapping(value: Any) -> dict[str, str] | None:
    """A dict of strings, also spelt as JSON: template variables."""
    parsed = mapping(value)
    return {str(k): json_text(v) for k, v in parsed.items()} if parsed else None


_OUTPUT_TYPES = {"json_object": "json", "json_schema": "json", "json": "json", "text": "text"}


def output_type(value: Any) -> str | None:
    """`gen_ai.output.type`, or OpenAI's response_format: a word, or an object with `type`."""
    parsed = structured(value)
    word = parsed.get("type") if isinstance(parsed, dict) else value
    return _OUTPUT_TYPES.get(str(word).lower(), str(word)) if word else None


def output_schema(value: Any) -> str | None:
    """The JSON schema in OpenAI's response_format, or a schema by itself."""
    parsed = structured(value)
    if not isinstance(parsed, dict) or not parsed:
        return None
    wrapped = parsed.get("json_schema")
    if isinstance(wrapped, dict):
        return json_text(wrapped.get("schema", wrapped))
    if "type" in parsed and parsed["type"] in ("json_object", "text"):
        return None
    return json_text(parsed)


def tool_names(value: Any) -> tuple[str, ...] | None:
    """Names in a list of tool definitions, of OpenAI's, Anthropic's and OTel's shape; plain names too."""
    parsed = structured(value)
    items = parsed if isinstance(parsed, list) else [parsed] if isinstance(parsed, dict) else []
    return tuple(name for item in items if (name := tool_name(item))) or None


def tool_name(item: Any) -> str:
    """The name in one tool definition, else empty."""
    parsed = structured(item)
    if parsed is None:
        return item if isinstance(item, str) else ""
    if isinstance(parsed, dict):
        inner = parsed.get("function")
        name = parsed.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
        return name if isinstance(name, str) else ""
    return ""


def mean_logprob(value: Any) -> float | None:
    """Mean natural log probability of the tokens: a number, a list of them, or OpenAI's ``{"content":[{"logprob"}]}``."""
    direct = real(value)
    if direct is not None:
        return direct if direct <= 0 else None
    parsed = structured(value)
    if isinstance(parsed, dict):
        parsed = parsed.get("content") or parsed.get("token_logprobs") or parsed.get("logprobs")
    if not isinstance(parsed, list):
        return None
    numbers = [real(item.get("logprob") if isinstance(item, dict) else item) for item in parsed]
    finite = [n for n in numbers if n is not None and n <= 0]
    return sum(finite) / len(finite) if finite else None
