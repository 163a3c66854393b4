"""OpenAI's responses."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from holdfast.control.snapshot import Dialect
from holdfast.core.call import ToolCall
from holdfast.core.ids import random_id
from holdfast.gateway.dialects.content import response_items, text_of, tool_call
from holdfast.gateway.dialects.openai_chat import MAX_HEARD, json_object, usage_of
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

PARAMETERS = ("temperature", "top_p", "max_output_tokens", "service_tier")
_SYSTEM = ("system", "developer")
_ENDS = ("response.completed", "response.incomplete", "response.failed")


class OpenAIResponses:
    """`POST /v1/responses`."""

    name = "chat"
    dialect = Dialect.OPENAI

    def asked(self, body: Json) -> Asked:
        """What a request asks. Earlier turns that only the provider knows (`previous_response_id`) are not seen."""
        unseen: dict[str, None] = {}
        messages = response_items(body, unseen)
        if body.get("previous_response_id"):
            unseen["previous_response"] = None
        wanted = part_of(part_of(body, "text"), "format")
        schema = wanted.get("schema")
        told = [text_in(body.get("instructions")), *[m.content for m in messages if m.role in _SYSTEM]]
        return Asked(
            model=text_in(body.get("model")),
            stream=body.get("stream") is True,
            system="\n".join([t for t in told if t]),
            messages=messages,
            tools=tuple([text_in(t.get("name")) or text_in(t.get("type")) for t in members(body.get("tools"))]),
            user=text_in(body.get("safety_identifier")) or text_in(body.get("user")),
            conversation_id=text_in(body.get("conversation")),
            parameters=scalars(body, PARAMETERS),
            output_type="json" if str(wanted.get("type", "")).startswith("json") else "",
            output_schema=orjson.dumps(schema).decode() if isinstance(schema, dict) else "",
            unseen=tuple(unseen),
        )

    def said(self, body: Json) -> Said:
        """What an answer says: its messages and function calls."""
        items = members(body.get("output"))
        status = text_in(body.get("status"))
        return Said(
            text="\n".join([t for i in items if i.get("type") == "message" and (t := text_of(i.get("content"), {}))]),
            tool_calls=tuple([tool_call(i, i.get("call_id")) for i in items if i.get("type") == "function_call"]),
            usage=usage_of(part_of(body, "usage")),
            model=text_in(body.get("model")),
            id=text_in(body.get("id")),
            finish_reasons=(text_in(part_of(body, "incomplete_details").get("reason")) or status,) if status else (),
        )

    def listener(self, asked: Asked) -> "ResponseListener":
        """For a stream of typed events."""
        return ResponseListener(asked.model)

    def with_system(self, body: Json, text: str) -> Json:
        """`instructions` say `text`."""
        return body | {"instructions": text}

    def without_tools(self, body: Json, names: frozenset[str]) -> Json:
        """Without these functions and built-in tools."""
        kept = [t for t in members(body.get("tools")) if (t.get("name") or t.get("type")) not in names]
        changed = body | {"tools": kept}
        choice = body.get("tool_choice")
        if isinstance(choice, dict) and (choice.get("name") or choice.get("type")) in names:
            changed["tool_choice"] = "auto"
        if not kept:
            changed.pop("tools", None)
            changed.pop("tool_choice", None)
        return changed

    def with_text(self, body: Json, change: Callable[[str], str]) -> Json:
        """The texts of all messages."""
        output: list[Json] = []
        for item in members(body.get("output")):
            if item.get("type") == "message":
                parts = [
                    p | {"text": change(p["text"])} if isinstance(p.get("text"), str) else p for p in members(item.get("content"))
                ]
                output.append(item | {"content": parts})
            else:
                output.append(item)
        return body | {"output": output}

    def answer(self, asked: Asked, own: OwnAnswer) -> Json:
        """A response with one message."""
        return _response(asked.model, own.created_s, "completed", [_item(own.text)])

    def answer_stream(self, asked: Asked, own: OwnAnswer) -> Iterable[bytes]:
        """All events of a response with one message."""
        listener = ResponseListener(asked.model, own.created_s)
        yield from listener.head()
        yield from listener.tail(own.text)


def _response(model: str, created_s: int, status: str, output: list[Json]) -> Json:
    return {
        "id": random_id("resp"),
        "object": "response",
        "created_at": created_s,
        "status": status,
        "model": model,
        "output": output,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 0,
            "output_tokens": 0,
            "total_tokens": 0,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _item(text: str, status: str = "completed", id_: str = "") -> Json:
    part = {"type": "output_text", "text": text, "annotations": []}
    content = [part] if status == "completed" else []
    return {"id": id_ or random_id("msg"), "type": "message", "role": "assistant", "status": status, "content": content}


class ResponseListener:
    """Folds the events of one response."""

    def __init__(self, model: str, created_s: int = 0) -> None:
        self._model, self._created_s = model, created_s
        self._response: Json = {}
        self._texts: list[str] = []
        self._length = 0
        self._calls: dict[int, list[str]] = {}
        self._sequence = 0
        self._next = 0
        self._said: Said | None = None

    def hear(self, event: Event) -> Heard:
        """Text and tool of an event."""
        value = json_object(event.data)
        kind = text_in(value.get("type"))
        self._sequence = (amount_in(value.get("sequence_number")) or self._sequence) + 1
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            return Heard(self._keep(text_in(value.get("delta"))))
        if kind == "response.function_call_arguments.delta":
            call = self._calls.get(amount_in(value.get("output_index")) or 0)
            if call is not None and len(call[1]) < MAX_HEARD:
                call[1] += text_in(value.get("delta"))
        elif kind == "response.output_item.added":
            return self._begin(value)
        elif kind == "response.created":
            self._response = part_of(value, "response")
        elif kind in _ENDS:
            self._said = OpenAIResponses().said(part_of(value, "response"))
            return Heard(final=True)
        return Heard()

    def _begin(self, value: Json) -> Heard:
        item, at = part_of(value, "item"), amount_in(value.get("output_index")) or 0
        self._next = max(self._next, at + 1)
        if item.get("type") != "function_call":
            return Heard()
        name = text_in(item.get("name"))
        self._calls[at] = [name, "", text_in(item.get("call_id"))]
        return Heard(tool=name)

    def _keep(self, text: str) -> str:
        if text and self._length < MAX_HEARD:
            self._texts.append(text)
            self._length += len(text)
        return text

    def said(self) -> Said:
        """What the last event says, else what was heard so far."""
        if self._said is not None and self._said.text:
            return self._said
        last = self._said or Said(finished=False)
        return Said(
            text="".join(self._texts),
            tool_calls=last.tool_calls or tuple([ToolCall(*c) for c in self._calls.values()]),
            usage=last.usage,
            model=last.model or text_in(self._response.get("model")) or self._model,
            id=last.id or text_in(self._response.get("id")),
            finish_reasons=last.finish_reasons,
            finished=last.finished,
        )

    def head(self) -> Iterable[bytes]:
        """How a response begins."""
        self._response = _response(self._model, self._created_s, "in_progress", [])
        yield self._event("response.created", response=self._response)

    def tail(self, text: str, sent: int = 0) -> Iterable[bytes]:
        """A message of its own that says `text`, and the end."""
        at, item = self._next, _item(text)
        place: dict[str, Any] = {"output_index": at, "item_id": item["id"], "content_index": 0}
        yield self._event("response.output_item.added", output_index=at, item=_item("", "in_progress", item["id"]))
        yield self._event("response.content_part.added", **place, part={"type": "output_text", "text": "", "annotations": []})
        yield self._event("response.output_text.delta", **place, delta=text, logprobs=[])
        yield self._event("response.output_text.done", **place, text=text, logprobs=[])
        yield self._event("response.content_part.done", **place, part=item["content"][0])
        yield self._event("response.output_item.done", output_index=at, item=item)
        kept = [_item("".join(self._texts)[:sent])] if sent else []
        ended = _response(self._model, self._created_s, "completed", [*kept, item])
        yield self._event("response.completed", response=ended | {k: self._response[k] for k in ("id",) if k in self._response})

    def _event(self, kind: str, **fields: Any) -> bytes:
        body = {"type": kind, "sequence_number": self._sequence} | fields
        self._sequence += 1
        return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(body) + b"\n\n"
