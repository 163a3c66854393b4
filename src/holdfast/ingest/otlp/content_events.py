"""Messages that travel as events, on the span or as log records: OTel GenAI 1.27 to 1.36, and the details event."""

from typing import Any

import msgspec

from holdfast.core.call import Message
from holdfast.ingest.otlp.convert import structured, tool_names
from holdfast.ingest.otlp.messages import completion_messages, finish_reasons, instructions, message, prompt_messages


class Content(msgspec.Struct):
    """What one event tells of a conversation."""

    system_instructions: str = ""
    input_messages: tuple[Message, ...] = ()
    output_messages: tuple[Message, ...] = ()
    finish_reasons: tuple[str, ...] = ()
    tool_definitions: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether it tells anything."""
        said = self.system_instructions or self.input_messages or self.output_messages
        return bool(said or self.finish_reasons or self.tool_definitions)

    def add(self, other: "Content") -> None:
        """Append what a later event tells."""
        self.system_instructions = "\n".join(t for t in (self.system_instructions, other.system_instructions) if t)
        self.input_messages += other.input_messages
        self.output_messages += other.output_messages
        self.finish_reasons += other.finish_reasons
        self.tool_definitions = self.tool_definitions or other.tool_definitions


DETAILS = "gen_ai.client.inference.operation.details"
_ROLES = {f"gen_ai.{role}.message": role for role in ("user", "assistant", "tool")}
_SYSTEM = ("gen_ai.system.message", "gen_ai.developer.message")
NAMES = frozenset({*_ROLES, *_SYSTEM, "gen_ai.choice", "gen_ai.content.prompt", "gen_ai.content.completion", DETAILS})


def content_of(name: str, attributes: dict[str, Any], body: Any = None) -> Content:
    """What the event `name` tells; nothing for names that are not in `NAMES`."""
    if name not in NAMES:
        return Content()
    if name in ("gen_ai.content.prompt", "gen_ai.content.completion", DETAILS):
        told = {**attributes, **body} if isinstance(body, dict) else attributes
        return Content(
            instructions(told.get("gen_ai.system_instructions")) or "",
            prompt_messages(told.get("gen_ai.input.messages") or told.get("gen_ai.prompt")) or (),
            completion_messages(told.get("gen_ai.output.messages") or told.get("gen_ai.completion")) or (),
            finish_reasons(told.get("gen_ai.output.messages")),
            tool_names(told.get("gen_ai.tool.definitions")) or (),
        )
    told = _merged(attributes, body)
    if name in _SYSTEM:
        return Content("\n".join(m.content for m in message(told, "system")))
    if name == "gen_ai.choice":
        reason = told.get("finish_reason")
        return Content("", (), tuple(message(told, "assistant")), (str(reason),) if reason else ())
    return Content("", tuple(message({"role": _ROLES[name], **told}, _ROLES[name])))


def _merged(attributes: dict[str, Any], body: Any) -> dict[str, Any]:
    """The message's own fields: of the body, of `gen_ai.event.content` (JSON), else of the attributes themselves."""
    for source in (body, attributes.get("gen_ai.event.content")):
        parsed = structured(source)
        if isinstance(parsed, dict):
            return parsed
        if isinstance(source, str) and source:
            return {"content": source}
    plain = {key.removeprefix("gen_ai.event."): value for key, value in attributes.items() if not key.startswith("gen_ai.system")}
    inner = structured(plain.get("message"))
    if isinstance(inner, dict):
        plain["message"] = inner
    calls = structured(plain.get("tool_calls"))
    if calls is not None:
        plain["tool_calls"] = calls
    return plain


def listed(value: Any) -> Content:
    """Events that an instrumentation wrote as one JSON list, each with its `event.name`."""
    whole = Content()
    parsed = structured(value)
    for event in parsed if isinstance(parsed, list) else ():
        if isinstance(event, dict) and isinstance(name := event.get("event.name"), str):
            whole.add(content_of(name, {}, event))
    return whole
