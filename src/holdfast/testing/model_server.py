"""`ScriptedModelServer`: a model server on loopback that answers what it was told, in OpenAI's and in Anthropic's words."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import msgspec

from holdfast.core.call import ToolCall

ANTHROPIC_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
CREATED_S = 1_790_000_000
MAX_REQUESTS = 1000
Json = dict[str, Any]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the model. `finish_reason` is in OpenAI's words; a `status` other than 200 is an error with `text`.

    Args:
        model: the model that answers; empty: the one that was asked.
        logprobs: natural logarithms, one for each word of `text`, returned to who asks for them.
        reasoning: the model's thoughts, for who speaks Anthropic.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    model: str = ""
    id: str = "reply-1"
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    system_fingerprint: str = "fp_scripted"
    logprobs: tuple[float, ...] = ()
    reasoning: str = ""
    embedding: tuple[float, ...] = (0.25, -0.5, 0.75)
    status: int = 200


class Asked(msgspec.Struct, frozen=True):
    """What somebody asked: the path and the body."""

    path: str
    body: Json


class ScriptedModelServer:
    """Answers `replies` in order, and the last one again and again. A context manager; `url` is its base without ``/v1``.

    Where the answer depends on the question, a function of the question takes the place of the list.
    """

    def __init__(self, replies: Sequence[Reply] | Callable[[Asked], Reply]) -> None:
        """`replies` must not be empty."""
        if not replies:
            raise ValueError("a scripted model server needs at least one reply")
        self._answer = replies if callable(replies) else None
        self._replies = deque(() if callable(replies) else replies)
        self._lock = threading.Lock()
        self.gone = False
        self.asked: deque[Asked] = deque(maxlen=MAX_REQUESTS)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="scripted-model", daemon=True)

    @property
    def url(self) -> str:
        """Such as ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def next_reply(self, asked: Asked) -> Reply:
        """Note the question, and take the next answer."""
        with self._lock:
            self.asked.append(asked)
            if self._answer is not None:
                return self._answer(asked)
            return self._replies.popleft() if len(self._replies) > 1 else self._replies[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gone = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _handler(owner: ScriptedModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are two packets: without this the second one waits 40 ms for the client's word on the first.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            path = self.path.split("?")[0]
            # A client that kept its connection must find the server as dead as everybody else does.
            self.close_connection = owner.gone
            try:
                body = json.loads(self.rfile.read(length) or b"{}")
            except ValueError as error:
                self._send(400, {"error": {"type": "invalid_request_error", "message": str(error)}})
                return
            if path not in _PATHS or owner.gone:
                self._send(503 if owner.gone else 404, {"error": {"type": "not_found", "message": f"no such path: {path}"}})
                return
            reply = owner.next_reply(Asked(path, body))
            if reply.status != 200:
                self._send(reply.status, _failure(path, reply))
            elif body.get("stream") and path in _STREAMS:
                self._stream(_STREAMS[path](body, reply))
            else:
                self._send(200, _PATHS[path](body, reply))

        def _send(self, status: int, body: Json) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.send_header("x-should-retry", "false")
            self.end_headers()
            self.wfile.write(content)

        def _stream(self, lines: Iterator[str]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            for line in lines:
                self.wfile.write(f"{line}\n\n".encode())
            self.close_connection = True

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    return Handler


def _failure(path: str, reply: Reply) -> Json:
    kind = {429: "rate_limit_error", 401: "authentication_error"}.get(reply.status, "api_error")
    error = {"type": kind, "message": reply.text or "scripted failure"}
    return {"type": "error", "error": error} if path == "/v1/messages" else {"error": error | {"code": kind, "param": None}}


# --- OpenAI ------------------------------------------------------------------------------------------------------------


def _chat(body: Json, reply: Reply) -> Json:
    message: Json = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.tool_calls:
        message["tool_calls"] = [_openai_tool_call(c) for c in reply.tool_calls]
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason, "logprobs": _logprobs(body, reply)}
    return _chat_frame(body, reply, "chat.completion") | {"choices": [choice], "usage": _openai_usage(reply)}


def _chat_frame(body: Json, reply: Reply, kind: str) -> Json:
    return {
        "id": reply.id,
        "object": kind,
        "created": CREATED_S,
        "model": reply.model or body.get("model", ""),
        "system_fingerprint": reply.system_fingerprint,
        "service_tier": "default",
    }


def _openai_tool_call(call: ToolCall) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _openai_usage(reply: Reply) -> Json:
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
        "prompt_tokens_details": {"cached_tokens": reply.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reply.reasoning_tokens, "audio_tokens": 0},
    }


def _logprobs(body: Json, reply: Reply) -> Json | None:
    if not body.get("logprobs"):
        return None
    words = zip(_words(reply.text), reply.logprobs, strict=False)
    return {
        "content": [{"token": w, "logprob": p, "bytes": list(w.encode()), "top_logprobs": []} for w, p in words],
        "refusal": None,
    }


def _words(text: str) -> list[str]:
    """Pieces of `text` that make it up again."""
    words = text.split(" ")
    return [w if i == 0 else f" {w}" for i, w in enumerate(words)]


def _chat_stream(body: Json, reply: Reply) -> Iterator[str]:
    frame = _chat_frame(body, reply, "chat.completion.chunk")

    def chunk(delta: Json, finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return "data: " + json.dumps(frame | {"choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    if reply.text:
        yield from (chunk({"content": word}) for word in _words(reply.text))
    for index, call in enumerate(reply.tool_calls):
        whole = _openai_tool_call(call)
        half = len(call.arguments) // 2
        yield chunk({"tool_calls": [{"index": index} | whole | {"function": {"name": call.name, "arguments": ""}}]})
        for part in (call.arguments[:half], call.arguments[half:]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield chunk({}, reply.finish_reason)
    if (body.get("stream_options") or {}).get("include_usage"):
        yield "data: " + json.dumps(frame | {"choices": [], "usage": _openai_usage(reply)})
    yield "data: [DONE]"


def _embeddings(body: Json, reply: Reply) -> Json:
    asked = body.get("input")
    count = len(asked) if isinstance(asked, list) else 1
    return {
        "object": "list",
        "model": reply.model or body.get("model", ""),
        "data": [{"object": "embedding", "index": i, "embedding": list(reply.embedding)} for i in range(count)],
        "usage": {"prompt_tokens": reply.input_tokens, "total_tokens": reply.input_tokens},
    }


# --- Anthropic ---------------------------------------------------------------------------------------------------------


def _messages(body: Json, reply: Reply) -> Json:
    content: list[Json] = []
    if reply.reasoning:
        content.append({"type": "thinking", "thinking": reply.reasoning, "signature": "scripted"})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    content += [_tool_use(c) | {"input": json.loads(c.arguments or "{}")} for c in reply.tool_calls]
    return _message_frame(body, reply) | {
        "content": content,
        "stop_reason": _stop_reason(reply),
        "usage": _anthropic_usage(reply),
    }


def _message_frame(body: Json, reply: Reply) -> Json:
    model = reply.model or body.get("model", "")
    return {"id": reply.id, "type": "message", "role": "assistant", "model": model, "stop_sequence": None}


def _stop_reason(reply: Reply) -> str:
    return ANTHROPIC_REASONS.get(reply.finish_reason, reply.finish_reason)


def _tool_use(call: ToolCall) -> Json:
    return {"type": "tool_use", "id": call.id, "name": call.name}


def _anthropic_usage(reply: Reply) -> Json:
    """Anthropic counts cached tokens apart from the input."""
    return {
        "input_tokens": reply.input_tokens - reply.cached_tokens,
        "output_tokens": reply.output_tokens,
        "cache_read_input_tokens": reply.cached_tokens,
        "cache_creation_input_tokens": 0,
    }


def _messages_stream(body: Json, reply: Reply) -> Iterator[str]:
    def event(kind: str, **fields: Any) -> str:
        return f"event: {kind}\ndata: " + json.dumps({"type": kind} | fields)

    start = _message_frame(body, reply) | {
        "content": [],
        "stop_reason": None,
        "usage": _anthropic_usage(reply) | {"output_tokens": 1},
    }
    yield event("message_start", message=start)
    for index, (block, deltas) in enumerate(_blocks(reply)):
        yield event("content_block_start", index=index, content_block=block)
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    yield event(
        "message_delta",
        delta={"stop_reason": _stop_reason(reply), "stop_sequence": None},
        usage={"output_tokens": reply.output_tokens},
    )
    yield event("message_stop")


def _blocks(reply: Reply) -> Iterator[tuple[Json, list[Json]]]:
    """Content blocks as they begin, and what is added to each."""
    if reply.reasoning:
        yield (
            {"type": "thinking", "thinking": "", "signature": ""},
            [{"type": "thinking_delta", "thinking": reply.reasoning}, {"type": "signature_delta", "signature": "scripted"}],
        )
    if reply.text:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": word} for word in _words(reply.text)]
    for call in reply.tool_calls:
        half = len(call.arguments) // 2
        parts = (call.arguments[:half], call.arguments[half:])
        yield _tool_use(call) | {"input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in parts]


_PATHS = {"/v1/chat/completions": _chat, "/v1/embeddings": _embeddings, "/v1/messages": _messages}
_STREAMS = {"/v1/chat/completions": _chat_stream, "/v1/messages": _messages_stream}


def answered(path: str, body: Json, reply: Reply) -> Json | None:
    """What the server says at `path`, whole; None for a path that it does not know."""
    if reply.status != 200 and path in _PATHS:
        return _failure(path, reply)
    return _PATHS[path](body, reply) if path in _PATHS else None


def streamed(path: str, body: Json, reply: Reply) -> Iterator[str]:
    """The events of the same answer, without the blank line behind each; none for a path that streams nothing."""
    return _STREAMS[path](body, reply) if path in _STREAMS else iter(())
