"""Messages of chats as every dialect writes them: a text, or a list of typed parts."""

from typing import Any

import orjson

from holdfast.core.call import Message, ToolCall
from holdfast.gateway.dialects.protocol import Json, members, part_of, text_in

TEXT_PARTS = frozenset({"text", "input_text", "output_text", "summary_text", "refusal"})
SILENT_PARTS = frozenset({"thinking", "redacted_thinking", "reasoning", "tool_use", "function_call", "item_reference"})
"""Parts that are read elsewhere, or that no client wrote."""


def text_of(content: Any, unseen: dict[str, None]) -> str:
    """The text of a message's content; the kinds of parts that hold none are noted in `unseen`."""
    if isinstance(content, str):
        return content
    pieces = []
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            pieces.append(part)
        elif isinstance(part, dict):
            pieces.append(_of_part(part, unseen))
    return "\n".join(p for p in pieces if p)


def _of_part(part: Json, unseen: dict[str, None]) -> str:
    kind = text_in(part.get("type"))
    if kind in TEXT_PARTS:
        return text_in(part.get("text")) or text_in(part.get("refusal"))
    if kind in ("tool_result", "document", "search_result"):
        inner = part.get("content", part.get("source"))
        if isinstance(inner, dict):
            inner = inner.get("data") if inner.get("type") == "text" else None
        found = text_of(inner, unseen)
        if not found and kind == "document":
            unseen[kind] = None
        return found
    if kind and kind not in SILENT_PARTS:
        unseen[kind] = None
    return ""


def tool_call(function: Json, id_: Any) -> ToolCall:
    """A call from its name and arguments; arguments that are an object are written as JSON."""
    arguments = function.get("arguments", function.get("input"))
    if not isinstance(arguments, str):
        arguments = orjson.dumps(arguments).decode() if arguments else ""
    return ToolCall(text_in(function.get("name")), arguments, text_in(id_))


def openai_messages(body: Json, unseen: dict[str, None]) -> tuple[Message, ...]:
    """`messages` of a chat completion."""
    found = []
    for item in members(body.get("messages")):
        calls = tuple([tool_call(part_of(c, "function"), c.get("id")) for c in members(item.get("tool_calls"))])
        found.append(
            Message(
                role=text_in(item.get("role")) or "user",
                content=text_of(item.get("content"), unseen),
                tool_calls=calls,
                tool_call_id=text_in(item.get("tool_call_id")),
            )
        )
    return tuple(found)


def anthropic_messages(body: Json, unseen: dict[str, None]) -> tuple[Message, ...]:
    """`messages` of Anthropic: tool results are parts of the user's messages, and become messages of their own."""
    found: list[Message] = []
    for item in members(body.get("messages")):
        role, content = text_in(item.get("role")) or "user", item.get("content")
        results = [p for p in members(content) if p.get("type") == "tool_result"]
        found += [Message("tool", text_of(p.get("content"), unseen), tool_call_id=text_in(p.get("tool_use_id"))) for p in results]
        rest = [p for p in content if p not in results] if results and isinstance(content, list) else content
        calls = tuple([tool_call(p, p.get("id")) for p in members(content) if p.get("type") == "tool_use"])
        said = text_of(rest, unseen)
        if said or calls or not results:
            found.append(Message(role, said, calls))
    return tuple(found)


def response_items(body: Json, unseen: dict[str, None]) -> tuple[Message, ...]:
    """`input` of the Responses API: a text, or a list of items."""
    given = body.get("input")
    if isinstance(given, str):
        return (Message("user", given),)
    found = []
    for item in members(given):
        kind = text_in(item.get("type")) or "message"
        if kind == "message":
            found.append(Message(text_in(item.get("role")) or "user", text_of(item.get("content"), unseen)))
        elif kind == "function_call":
            found.append(Message("assistant", tool_calls=(tool_call(item, item.get("call_id")),)))
        elif kind == "function_call_output":
            found.append(Message("tool", text_of(item.get("output"), unseen), tool_call_id=text_in(item.get("call_id"))))
        elif kind not in SILENT_PARTS:
            unseen[kind] = None
    return tuple(found)
