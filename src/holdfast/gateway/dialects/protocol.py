"""`Endpoint`: one API call of a provider, read and written; and the values that reading gives."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from holdfast.control.snapshot import Dialect
from holdfast.core.call import Message, ToolCall, Usage

Json = dict[str, Any]


class Asked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a request asks, as far as it could be read; wrong types are left out, for the provider to complain about.

    `unseen` names the kinds of content that are no text, such as ``image_url``: no guard has seen them.
    """

    model: str = ""
    stream: bool = False
    system: str = ""
    messages: tuple[Message, ...] = ()
    tools: tuple[str, ...] = ()
    user: str = ""
    conversation_id: str = ""
    parameters: dict[str, float | int | str | bool] = {}
    output_type: str = ""
    output_schema: str = ""
    unseen: tuple[str, ...] = ()


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an answer says. `finished` is false for a stream that was cut."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    model: str = ""
    id: str = ""
    fingerprint: str = ""
    finish_reasons: tuple[str, ...] = ()
    finished: bool = True


class OwnAnswer(msgspec.Struct, frozen=True):
    """An answer of the gateway's: `filtered` where it stands in place of one that was withheld; `created_s` in Unix seconds."""

    text: str
    filtered: bool = False
    created_s: int = 0


class Event(msgspec.Struct, frozen=True, gc=False):
    """One server-sent event: its name, the data as it came, and the bytes of the whole frame."""

    name: str
    data: bytes
    raw: bytes


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What one event adds: text of the answer, and a tool that is being called from here on."""

    text: str = ""
    tool: str = ""
    final: bool = False


class Listener(Protocol):
    """Folds the events of one streamed answer."""

    def hear(self, event: Event) -> Heard:
        """What `event` adds. An event that is no JSON, or of an unknown kind, adds nothing."""
        ...

    def said(self) -> Said:
        """All that was heard so far."""
        ...

    def tail(self, text: str, sent: int = 0) -> Iterable[bytes]:
        """Frames that end the answer here, with `text` at its end, so that a client sees a whole answer.

        `sent`: characters of what was heard that the client has; nothing of the rest may be in the frames.
        """
        ...


class Endpoint(Protocol):
    """One API call that the gateway understands."""

    @property
    def name(self) -> str:
        """OpenTelemetry's `gen_ai.operation.name`: chat or embeddings."""
        ...

    @property
    def dialect(self) -> Dialect:
        """Which targets can serve it."""
        ...

    def asked(self, body: Json) -> Asked:
        """What a request asks. Never raises."""
        ...

    def said(self, body: Json) -> Said:
        """What an answer says. Never raises."""
        ...

    def listener(self, asked: Asked) -> Listener:
        """For the streamed answer to `asked`."""
        ...

    def with_system(self, body: Json, text: str) -> Json:
        """`body` with `text` in place of its system instructions."""
        ...

    def without_tools(self, body: Json, names: frozenset[str]) -> Json:
        """`body` without these tools, and without a demand to call one of them."""
        ...

    def with_text(self, body: Json, change: Callable[[str], str]) -> Json:
        """An answer of which every text went through `change`."""
        ...

    def answer(self, asked: Asked, own: OwnAnswer) -> Json:
        """A whole answer that says `own.text`."""
        ...

    def answer_stream(self, asked: Asked, own: OwnAnswer) -> Iterable[bytes]:
        """The same as a stream of frames."""
        ...


def scalars(body: Json, names: Iterable[str]) -> dict[str, float | int | str | bool]:
    """Those members of `body` that are plain values, under OpenTelemetry's names for them."""
    found = {}
    for name in names:
        value = body.get(name)
        if value is not None and isinstance(value, _PLAIN):
            found[_OTEL.get(name, name)] = value
    return found


_PLAIN = (str, int, float)
_OTEL = {"max_completion_tokens": "max_tokens", "max_output_tokens": "max_tokens", "n": "choice.count"}


def text_in(value: Any) -> str:
    """`value` where it is a text, else empty."""
    return value if isinstance(value, str) else ""


def amount_in(value: Any) -> int | None:
    """`value` where it is a count."""
    return value if type(value) is int and value >= 0 else None


def members(value: Any) -> list[Json]:
    """The objects in a list; none where `value` is no list."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def part_of(body: Json, name: str) -> Json:
    """A member that is an object, else an empty one."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}
