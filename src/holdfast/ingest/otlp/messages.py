"""Messages in every shape that instrumentations write: OTel parts, OpenAI, Anthropic, Gemini, LangChain, Vercel, trees."""

from typing import Any

from holdfast.core.call import Message, ToolCall
from holdfast.ingest.otlp.convert import json_text, structured
from holdfast.ingest.otlp.flattened import elements

_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool", "bot": "assistant"}
_TEXT = ("text", "input_text", "output_text", "")
_CALLS = ("tool_call", "tool-call", "tool_use", "server_tool_call", "server_tool_use", "function_call")
_RESPONSES = ("tool_call_response", "tool_result", "tool-result", "server_tool_call_response", "function_call_output")
_WRAPPERS = ("message", "kwargs", "data", "prompt", "completion")
_SIGNS = frozenset({"content", "contents", "parts", "role", "tool_calls", "text"})
_PLAIN = frozenset({"role", "parts", "content", "finish_reason"})
_REASONING = ("reasoning", "thinking")


def messages(value: Any, role: str = "user") -> tuple[Message, ...] | None:
    """Messages of a list, a single one, an object with `messages`, or plain text, which is one of `role`."""
    parsed = structured(value)
    if parsed is None:
        return (Message(role=role, content=value),) if isinstance(value, str) and value else None
    if isinstance(parsed, dict):
        parsed = next((parsed[k] for k in ("messages", "choices") if isinstance(parsed.get(k), list)), parsed)
    items = elements(parsed) or ([parsed] if isinstance(parsed, dict) else [])
    found: list[Message] = []
    for item in items:
        if isinstance(item, list):  # LangChain writes one list per prompt of a batch
            found += [m for inner in item for m in message(inner, role)]
        else:
            found += message(item, role)
    return tuple(found) or None


def prompt_messages(value: Any) -> tuple[Message, ...] | None:
    """Input messages: text is the user's."""
    return messages(value, "user")


def completion_messages(value: Any) -> tuple[Message, ...] | None:
    """Output messages: text is the assistant's."""
    return messages(value, "assistant")


def finish_reasons(value: Any) -> tuple[str, ...]:
    """Finish reasons that stand in the messages themselves, as OTel wrote them until the genai repository."""
    parsed = structured(value)
    return tuple(str(m["finish_reason"]) for m in elements(parsed) if isinstance(m, dict) and m.get("finish_reason"))


def tool_calls(value: Any) -> tuple[ToolCall, ...]:
    """The tool calls in a list of them, also spelt as JSON."""
    return tuple(call for entry in elements(structured(value)) if (call := _call(entry)))


def instructions(value: Any) -> str | None:
    """System instructions: text, or OTel's list of parts."""
    parsed = structured(value)
    if parsed is None:
        return value if isinstance(value, str) and value else None
    return content_text(parsed if isinstance(parsed, list) else [parsed]) or None


def message(item: Any, role: str) -> list[Message]:
    """One message; several where it answers several tool calls at once. Nothing for what is none."""
    if isinstance(item, str):
        return [Message(role=role, content=item)] if item else []
    if not isinstance(item, dict):
        return []
    plain = _plain(item)
    if plain is not None:
        return [plain]
    item = _unwrapped(item)
    own = str(item.get("role") or item.get("type") or role)
    own = _ROLES.get(own, own)
    if own in ("constructor", "message"):
        own = role
    parts = _parts(item)
    calls = [*_calls(item), *(c for p in parts if (c := _call_part(p)))]
    answers = [p for p in parts if isinstance(p, dict) and p.get("type") in _RESPONSES]
    answers += [p["functionResponse"] for p in parts if isinstance(p, dict) and isinstance(p.get("functionResponse"), dict)]
    said = content_text(parts)
    found = [_answer(part, item) for part in answers]
    if said or calls or not found:
        found.insert(0, _said(item, own, said, calls, parts))
    return found


def _plain(item: dict[str, Any]) -> Message | None:
    """A message of a role and one text: nearly all of them, and several times faster than the general way."""
    if len(item) == 1 and type(inner := item.get("message")) is dict:
        item = inner
    if not _PLAIN.issuperset(item):
        return None
    role, content, parts = item.get("role"), item.get("content"), item.get("parts")
    if type(parts) is list and len(parts) == 1 and type(part := parts[0]) is dict and part.get("type") == "text":
        content = part.get("content")
    elif parts is not None or (type(content) is str and content[:1] == "["):
        return None
    if type(role) is not str or type(content) is not str:
        return None
    return Message(_ROLES.get(role, role), content)


def _said(item: dict[str, Any], role: str, said: str, calls: list[ToolCall], parts: list[Any]) -> Message:
    reasoning = [str(p.get("content") or p.get(str(p.get("type"))) or p.get("text") or "") for p in parts if _is_reasoning(p)]
    own = item.get("reasoning_content") or item.get("reasoning")
    if isinstance(own, str):
        reasoning.insert(0, own)
    return Message(
        role=role,
        content=said or str(item.get("refusal") or ""),
        tool_calls=tuple(calls),
        tool_call_id=str(item.get("tool_call_id") or (item.get("id") if role == "tool" else "") or ""),
        name=str(item.get("name") or ""),
        reasoning="\n".join(r for r in reasoning if r),
    )


def _is_reasoning(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in _REASONING


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    """The message inside a choice event, OpenInference's `message.` level, or LangChain's serialised form."""
    for key in _WRAPPERS:
        inner = item.get(key)
        if isinstance(inner, dict) and not _SIGNS.isdisjoint(inner):
            return {**inner, "role": inner.get("role") or inner.get("type") or item.get("role") or _langchain_role(item)}
    return item


def _langchain_role(item: dict[str, Any]) -> str:
    path = item.get("id")
    last = str(path[-1]) if isinstance(path, list) and path else ""
    kind = last.removesuffix("Chunk").removesuffix("Message").lower()
    return kind if kind in ("human", "ai", "system", "tool", "function") else ""


def _parts(item: dict[str, Any]) -> list[Any]:
    for key in ("parts", "content", "contents", "text"):
        value = item.get(key)
        if value is None or value == "":
            continue
        if isinstance(value, str):
            # A list of content parts written as JSON into one attribute; other JSON is what the model answered.
            parsed = structured(value) if value[0] == "[" else None
            return parsed if isinstance(parsed, list) and parsed and all(_is_part(p) for p in parsed) else [value]
        if isinstance(value, dict):
            return elements(value) or [value]
        return value if isinstance(value, list) else [json_text(value)]
    return []


def _is_part(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("type"), str)


def content_text(parts: list[Any]) -> str:
    """The text of content parts, one per line."""
    return "\n".join(t for t in (_part_text(p) for p in parts) if t)


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    part = part.get("message_content") if isinstance(part.get("message_content"), dict) else part
    if part.get("type", "") not in _TEXT:
        return ""
    value = part.get("content", part.get("text", ""))
    if isinstance(value, dict):
        value = value.get("value", "")
    return value if isinstance(value, str) else json_text(value)


def _calls(item: dict[str, Any]) -> list[ToolCall]:
    found = [c for entry in elements(item.get("tool_calls")) if (c := _call(entry))]
    legacy = item.get("function_call")
    if isinstance(legacy, dict) and (call := _call(legacy)):
        found.append(call)
    if item.get("function_call_name"):
        found.append(ToolCall(str(item["function_call_name"]), str(item.get("function_call_arguments_json") or "")))
    return found


def _call_part(part: Any) -> ToolCall | None:
    if not isinstance(part, dict):
        return None
    if isinstance(part.get("functionCall"), dict):
        return _call(part["functionCall"])
    return _call(part) if part.get("type") in _CALLS else None


def _call(entry: Any) -> ToolCall | None:
    if not isinstance(entry, dict):
        return None
    inner = entry.get("tool_call")
    if isinstance(inner, dict):
        entry = inner
    function = entry.get("function")
    body = function if isinstance(function, dict) else entry
    name = body.get("name") or body.get("toolName")
    if not isinstance(name, str) or not name:
        return None
    arguments = next((body[k] for k in ("arguments", "args", "input") if body.get(k) is not None), "")
    return ToolCall(name, json_text(arguments), str(entry.get("id") or entry.get("call_id") or entry.get("toolCallId") or ""))


def _answer(part: dict[str, Any], item: dict[str, Any]) -> Message:
    value = next((part[k] for k in ("response", "result", "content", "output") if part.get(k) is not None), "")
    if (
        isinstance(value, dict) and _is_part(value) and "value" in value
    ):  # Vercel's output: {"type": "text" | "json" | "content" | …, "value": …}
        value = value["value"]
    said = content_text(value) if isinstance(value, list) and all(_is_part(p) for p in value) else json_text(value)
    identity = next((part[k] for k in ("id", "tool_use_id", "call_id", "toolCallId") if part.get(k)), item.get("tool_call_id"))
    name = part.get("name") or part.get("toolName") or item.get("name")
    return Message(role="tool", content=said, tool_call_id=str(identity or ""), name=str(name or ""))
