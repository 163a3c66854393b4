"""OpenAI's chat completions, as many servers speak them."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from holdfast.control.snapshot import Dialect
from holdfast.core.call import ToolCall, Usage
from holdfast.core.ids import random_id
from holdfast.gateway.dialects.content import openai_messages, text_of, tool_call
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

PARAMETERS = (
    *("temperature", "top_p", "max_tokens", "max_completion_tokens", "seed", "presence_penalty", "frequency_penalty"),
    *("n", "reasoning_effort", "service_tier"),
)
MAX_HEARD = 1_000_000
"""Characters of a streamed answer that are kept for guards and telemetry."""
_SYSTEM = ("system", "developer")


def frame(value: Json) -> bytes:
    """An event without a name."""
    return b"data: " + orjson.dumps(value) + b"\n\n"


class OpenAIChat:
    """`POST /v1/chat/completions`."""

    name = "chat"
    dialect = Dialect.OPENAI

    def asked(self, body: Json) -> Asked:
        """What a request asks."""
        unseen: dict[str, None] = {}
        messages = openai_messages(body, unseen)
        kind, schema = _format(part_of(body, "response_format"))
        return Asked(
            model=text_in(body.get("model")),
            stream=body.get("stream") is True,
            system="\n".join([m.content for m in messages if m.role in _SYSTEM]),
            messages=messages,
            tools=tuple([text_in(part_of(t, "function").get("name")) for t in members(body.get("tools"))]),
            user=text_in(body.get("safety_identifier")) or text_in(body.get("user")),
            parameters=scalars(body, PARAMETERS),
            output_type=kind,
            output_schema=schema,
            unseen=tuple(unseen),
        )

    def said(self, body: Json) -> Said:
        """What an answer says: the texts of its choices."""
        messages = [part_of(choice, "message") for choice in members(body.get("choices"))]
        calls = [tool_call(part_of(c, "function"), c.get("id")) for m in messages for c in members(m.get("tool_calls"))]
        texts = [text_of(m.get("content"), {}) or text_in(m.get("refusal")) for m in messages]
        return Said(
            text="\n".join([t for t in texts if t]),
            tool_calls=tuple(calls),
            usage=usage_of(part_of(body, "usage")),
            model=text_in(body.get("model")),
            id=text_in(body.get("id")),
            fingerprint=text_in(body.get("system_fingerprint")),
            finish_reasons=tuple([r for c in members(body.get("choices")) if (r := text_in(c.get("finish_reason")))]),
        )

    def listener(self, asked: Asked) -> "ChatListener":
        """For a stream of chunks."""
        return ChatListener(asked.model)

    def with_system(self, body: Json, text: str) -> Json:
        """The first system message says `text`; the others go."""
        messages = body.get("messages")
        kept = (
            [m for m in messages if not (isinstance(m, dict) and m.get("role") in _SYSTEM)] if isinstance(messages, list) else []
        )
        return body | {"messages": [{"role": "system", "content": text}, *kept]}

    def without_tools(self, body: Json, names: frozenset[str]) -> Json:
        """Without these functions."""
        kept = [t for t in members(body.get("tools")) if part_of(t, "function").get("name") not in names]
        changed = body | {"tools": kept}
        choice = body.get("tool_choice")
        if isinstance(choice, dict) and part_of(choice, "function").get("name") in names:
            changed["tool_choice"] = "auto"
        if not kept:
            for name in ("tools", "tool_choice", "parallel_tool_calls"):
                changed.pop(name, None)
        return changed

    def with_text(self, body: Json, change: Callable[[str], str]) -> Json:
        """Contents and refusals of all choices."""
        choices = []
        for choice in members(body.get("choices")):
            message = dict(part_of(choice, "message"))
            for field in ("content", "refusal"):
                if isinstance(message.get(field), str):
                    message[field] = change(message[field])
            choices.append(choice | {"message": message})
        return body | {"choices": choices}

    def answer(self, asked: Asked, own: OwnAnswer) -> Json:
        """A completion with one choice."""
        message = {"role": "assistant", "content": own.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(own.filtered)}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        head = _head("chat.completion", random_id("chatcmpl"), asked.model, own.created_s)
        return head | {"choices": [choice], "usage": usage}

    def answer_stream(self, asked: Asked, own: OwnAnswer) -> Iterable[bytes]:
        """Role, text, reason, end."""
        chunk = _head("chat.completion.chunk", random_id("chatcmpl"), asked.model, own.created_s)
        yield frame(chunk | {"choices": [_choice({"role": "assistant", "content": own.text})]})
        yield frame(chunk | {"choices": [_choice({}, _reason(own.filtered))]})
        yield b"data: [DONE]\n\n"


def _reason(filtered: bool) -> str:
    return "content_filter" if filtered else "stop"


def _choice(delta: Json, reason: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


def _head(kind: str, id_: str, model: str, created_s: int) -> Json:
    return {"id": id_, "object": kind, "created": created_s, "model": model}


def _format(wanted: Json) -> tuple[str, str]:
    kind = wanted.get("type")
    if kind == "json_schema":
        schema = part_of(wanted, "json_schema").get("schema")
        return "json", orjson.dumps(schema).decode() if isinstance(schema, dict) else ""
    return ("json", "") if kind == "json_object" else ("", "")


def usage_of(usage: Json) -> Usage:
    """OpenAI's usage, of chats, responses and embeddings."""
    details = part_of(usage, "prompt_tokens_details") or part_of(usage, "input_tokens_details")
    written = part_of(usage, "completion_tokens_details") or part_of(usage, "output_tokens_details")
    return Usage(
        input_tokens=amount_in(usage.get("prompt_tokens", usage.get("input_tokens"))),
        output_tokens=amount_in(usage.get("completion_tokens", usage.get("output_tokens"))),
        cache_read_tokens=amount_in(details.get("cached_tokens")),
        reasoning_tokens=amount_in(written.get("reasoning_tokens")),
    )


class ChatListener:
    """Folds chunks."""

    def __init__(self, model: str) -> None:
        self._model, self._id, self._fingerprint = model, "", ""
        self._created_s = 0
        self._texts: list[str] = []
        self._length = 0
        self._calls: dict[tuple[int, int], list[str]] = {}
        self._reasons: list[str] = []
        self._usage = Usage()
        self._done = False

    def hear(self, event: Event) -> Heard:
        """Text and tool of a chunk."""
        if event.data == b"[DONE]":
            self._done = True
            return Heard(final=True)
        chunk = json_object(event.data)
        self._model = text_in(chunk.get("model")) or self._model
        self._id = text_in(chunk.get("id")) or self._id
        self._created_s = amount_in(chunk.get("created")) or self._created_s
        self._fingerprint = text_in(chunk.get("system_fingerprint")) or self._fingerprint
        if usage := part_of(chunk, "usage"):
            self._usage = usage_of(usage)
        texts, tool = [], ""
        for choice in members(chunk.get("choices")):
            delta = part_of(choice, "delta")
            texts.append(text_in(delta.get("content")) or text_in(delta.get("refusal")))
            tool = self._calls_in(delta, amount_in(choice.get("index")) or 0) or tool
            if reason := text_in(choice.get("finish_reason")):
                self._reasons.append(reason)
        return Heard(self._keep("".join(texts)), tool, bool(self._reasons))

    def _keep(self, text: str) -> str:
        if text and self._length < MAX_HEARD:
            self._texts.append(text)
            self._length += len(text)
        return text

    def _calls_in(self, delta: Json, choice: int) -> str:
        named = ""
        for call in members(delta.get("tool_calls")):
            function = part_of(call, "function")
            known = self._calls.setdefault((choice, amount_in(call.get("index")) or 0), ["", "", ""])
            if name := text_in(function.get("name")):
                known[0] = named = name
            known[1] += text_in(function.get("arguments")) if len(known[1]) < MAX_HEARD else ""
            known[2] = text_in(call.get("id")) or known[2]
        return named

    def said(self) -> Said:
        """All chunks together."""
        return Said(
            text="".join(self._texts),
            tool_calls=tuple([ToolCall(*c) for c in self._calls.values()]),
            usage=self._usage,
            model=self._model,
            id=self._id,
            fingerprint=self._fingerprint,
            finish_reasons=tuple(self._reasons),
            finished=self._done or bool(self._reasons),
        )

    def tail(self, text: str, sent: int = 0) -> Iterable[bytes]:
        """The text, the reason, the end."""
        chunk = _head("chat.completion.chunk", self._id or random_id("chatcmpl"), self._model, self._created_s)
        yield frame(chunk | {"choices": [_choice({"content": text})]})
        yield frame(chunk | {"choices": [_choice({}, "content_filter")]})
        yield b"data: [DONE]\n\n"


def json_object(data: bytes) -> Json:
    """The object that `data` spells; an empty one where it spells none."""
    try:
        value: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


__all__ = ["ChatListener", "OpenAIChat", "frame", "json_object", "usage_of"]
