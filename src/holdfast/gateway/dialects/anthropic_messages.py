"""Anthropic's messages."""

from collections.abc import Callable, Iterable

import orjson

from holdfast.control.snapshot import Dialect
from holdfast.core.call import ToolCall, Usage
from holdfast.core.ids import random_id
from holdfast.gateway.dialects.content import anthropic_messages, text_of, tool_call
from holdfast.gateway.dialects.openai_chat import MAX_HEARD, json_object
from holdfast.gateway.dialects.protocol import (
    Asked,
    Event,
    Heard,
    Json,
    OwnAnswer,
    Said,
    amount_in,
    members,
    part_of,
    scalars,
    text_in,
)

PARAMETERS = ("temperature", "top_p", "top_k", "max_tokens", "service_tier")


def frame(kind: str, **fields: object) -> bytes:
    """A named event."""
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps({"type": kind} | fields) + b"\n\n"


class AnthropicMessages:
    """`POST /v1/messages`."""

    name = "chat"
    dialect = Dialect.ANTHROPIC

    def asked(self, body: Json) -> Asked:
        """What a request asks."""
        unseen: dict[str, None] = {}
        return Asked(
            model=text_in(body.get("model")),
            stream=body.get("stream") is True,
            system=text_of(body.get("system"), unseen),
            messages=anthropic_messages(body, unseen),
            tools=tuple([text_in(t.get("name")) for t in members(body.get("tools"))]),
            user=text_in(part_of(body, "metadata").get("user_id")),
            parameters=scalars(body, PARAMETERS),
            unseen=tuple(unseen),
        )

    def said(self, body: Json) -> Said:
        """What an answer says: its text blocks and tool uses."""
        content = members(body.get("content"))
        reason = text_in(body.get("stop_reason"))
        return Said(
            text=text_of(content, {}),
            tool_calls=tuple([tool_call(p, p.get("id")) for p in content if p.get("type") == "tool_use"]),
            usage=usage_of(part_of(body, "usage")),
            model=text_in(body.get("model")),
            id=text_in(body.get("id")),
            finish_reasons=(reason,) if reason else (),
        )

    def listener(self, asked: Asked) -> "MessageListener":
        """For a stream of typed events."""
        return MessageListener(asked.model)

    def with_system(self, body: Json, text: str) -> Json:
        """`system` says `text`."""
        return body | {"system": text}

    def without_tools(self, body: Json, names: frozenset[str]) -> Json:
        """Without these tools."""
        kept = [t for t in members(body.get("tools")) if t.get("name") not in names]
        changed = body | {"tools": kept}
        if part_of(body, "tool_choice").get("name") in names:
            changed["tool_choice"] = {"type": "auto"}
        if not kept:
            changed.pop("tools", None)
            changed.pop("tool_choice", None)
        return changed

    def with_text(self, body: Json, change: Callable[[str], str]) -> Json:
        """The text blocks."""
        return body | {
            "content": [
                p | {"text": change(p["text"])} if isinstance(p.get("text"), str) else p for p in members(body.get("content"))
            ]
        }

    def answer(self, asked: Asked, own: OwnAnswer) -> Json:
        """A message with one text block."""
        return _message(asked.model) | {"content": [{"type": "text", "text": own.text}], "stop_reason": _reason(own.filtered)}

    def answer_stream(self, asked: Asked, own: OwnAnswer) -> Iterable[bytes]:
        """All events of a message with one text block."""
        yield frame("message_start", message=_message(asked.model))
        yield frame("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield frame("content_block_delta", index=0, delta={"type": "text_delta", "text": own.text})
        yield frame("content_block_stop", index=0)
        yield from _end(_reason(own.filtered))


def _message(model: str) -> Json:
    return {
        "id": random_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


def _reason(filtered: bool) -> str:
    return "refusal" if filtered else "end_turn"


def _end(reason: str) -> Iterable[bytes]:
    yield frame("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": 0})
    yield frame("message_stop")


def usage_of(usage: Json) -> Usage:
    """Anthropic counts cached tokens apart from the input; here they are part of it."""
    fresh = amount_in(usage.get("input_tokens"))
    read, written = amount_in(usage.get("cache_read_input_tokens")), amount_in(usage.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=amount_in(usage.get("output_tokens")),
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


class MessageListener:
    """Folds the events of one message."""

    def __init__(self, model: str) -> None:
        self._model, self._id, self._reason = model, "", ""
        self._texts: list[str] = []
        self._length = 0
        self._calls: dict[int, list[str]] = {}
        self._usage: Json = {}
        self._open: int | None = None
        self._open_is_text = False
        self._next = 0
        self._started = False
        self._done = False

    def hear(self, event: Event) -> Heard:
        """Text and tool of an event."""
        value = json_object(event.data)
        kind = text_in(value.get("type"))
        if kind == "content_block_delta":
            return self._delta(value)
        if kind == "content_block_start":
            return self._begin(value)
        if kind == "content_block_stop":
            self._open = None
        elif kind == "message_start":
            self._start(part_of(value, "message"))
        elif kind == "message_delta":
            self._reason = text_in(part_of(value, "delta").get("stop_reason"))
            self._usage |= part_of(value, "usage")
            return Heard(final=True)
        elif kind == "message_stop":
            self._done = True
            return Heard(final=True)
        return Heard()

    def _start(self, message: Json) -> None:
        self._started = True
        self._model = text_in(message.get("model")) or self._model
        self._id = text_in(message.get("id"))
        self._usage |= part_of(message, "usage")

    def _begin(self, value: Json) -> Heard:
        block = part_of(value, "content_block")
        self._open = amount_in(value.get("index")) or 0
        self._next = self._open + 1
        self._open_is_text = block.get("type") == "text"
        if block.get("type") != "tool_use":
            return Heard(self._keep(text_in(block.get("text"))))
        name = text_in(block.get("name"))
        self._calls[self._open] = [name, "", text_in(block.get("id"))]
        return Heard(tool=name)

    def _delta(self, value: Json) -> Heard:
        delta = part_of(value, "delta")
        call = self._calls.get(amount_in(value.get("index")) or 0)
        if call is not None and len(call[1]) < MAX_HEARD:
            call[1] += text_in(delta.get("partial_json"))
        return Heard(self._keep(text_in(delta.get("text"))))

    def _keep(self, text: str) -> str:
        if text and self._length < MAX_HEARD:
            self._texts.append(text)
            self._length += len(text)
        return text

    def said(self) -> Said:
        """All events together."""
        return Said(
            text="".join(self._texts),
            tool_calls=tuple([ToolCall(*c) for c in self._calls.values()]),
            usage=usage_of(self._usage),
            model=self._model,
            id=self._id,
            finish_reasons=(self._reason,) if self._reason else (),
            finished=self._done,
        )

    def tail(self, text: str, sent: int = 0) -> Iterable[bytes]:
        """The text in the open block, or in one of its own, and the end."""
        if not self._started:
            yield frame("message_start", message=_message(self._model))
        at = self._open
        if at is not None and not self._open_is_text:
            yield frame("content_block_stop", index=at)
            at = None
        if at is None:
            at = self._next
            yield frame("content_block_start", index=at, content_block={"type": "text", "text": ""})
        yield frame("content_block_delta", index=at, delta={"type": "text_delta", "text": text})
        yield frame("content_block_stop", index=at)
        yield from _end("refusal")
