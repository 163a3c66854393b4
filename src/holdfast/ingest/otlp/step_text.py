"""The text that a step was given and gave back, out of the JSON that instrumentations wrap around it."""

from typing import Any

import orjson

from holdfast.ingest.otlp.convert import json_text, structured
from holdfast.ingest.otlp.messages import messages

_INPUT = ("question", "query", "user_input", "input", "prompt", "message", "user_message", "text", "content", "request", "q")
_OUTPUT = (
    "answer",
    "output",
    "response",
    "final_answer",
    "result",
    "reply",
    "text",
    "content",
    "message",
    "completion",
    "output_text",
)
_WRAPPERS = ("inputs", "outputs", "kwargs", "args")
_MAX_LEVELS = 8


def input_text(value: Any) -> str:
    """What a step was given, as text; the value itself where no text can be told from it."""
    return _plain(value, _INPUT)


def output_text(value: Any) -> str:
    """What a step gave back, as text; the value itself where no text can be told from it."""
    return _plain(value, _OUTPUT)


def arguments_text(value: Any) -> str:
    """Arguments of a tool as JSON text, without the wrapping of decorators (`{"args": […], "kwargs": {…}}`)."""
    parsed = structured(value)
    if isinstance(parsed, dict):
        for key in ("kwargs", "inputs", "args"):
            inner = parsed.get(key)
            if inner and set(parsed) <= {"args", "kwargs", "inputs", "tags", "metadata"}:
                return json_text(inner[0] if isinstance(inner, list) and len(inner) == 1 else inner)
    return unquoted(value)


def unquoted(value: Any) -> str:
    """Text; a JSON string without its quotes."""
    if not isinstance(value, str):
        return "" if value is None else json_text(value)
    if len(value) >= 2 and value[0] == value[-1] == '"':
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
        return parsed if isinstance(parsed, str) else value
    return value


def _plain(value: Any, keys: tuple[str, ...]) -> str:
    parsed = structured(value)
    if parsed is None:
        return unquoted(value)
    found = _search(parsed, keys, 0)
    return json_text(value) if found is None else found


def _search(value: Any, keys: tuple[str, ...], level: int) -> str | None:
    if isinstance(value, str):
        inner = structured(value)
        return value if inner is None or level > _MAX_LEVELS else _search(inner, keys, level + 1) or value
    if level > _MAX_LEVELS:
        return None
    if isinstance(value, list):
        return _of_list(value, keys, level)
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("messages"), list):
        return _last_said(value["messages"])
    for key in (*keys, *_WRAPPERS):
        inner = value.get(key)
        if inner not in (None, "", [], {}) and (found := _search(inner, keys, level + 1)) is not None:
            return found
    texts = [v for v in value.values() if isinstance(v, str) and v]
    return texts[0] if len(texts) == 1 and len(value) == 1 else None


def _of_list(value: list[Any], keys: tuple[str, ...], level: int) -> str | None:
    if not value:
        return None
    if all(isinstance(item, dict) and ("role" in item or "parts" in item) for item in value):
        return _last_said(value)
    if all(isinstance(item, str) for item in value):
        return value[0] if len(value) == 1 else None
    return next((found for item in value if (found := _search(item, keys, level + 1)) is not None), None)


def _last_said(items: list[Any]) -> str | None:
    return next((m.content for m in reversed(messages(items) or ()) if m.content), None)
