"""`ScriptedService`: a JSON service on loopback that answers as it is told, well or badly."""

import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import msgspec

MAX_REQUESTS = 1000


class Request(msgspec.Struct, frozen=True):
    """What was posted: path, headers by lower-case name, and the JSON."""

    path: str
    headers: dict[str, str]
    body: Any


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. `raw` replaces the JSON of `body`; `hang` keeps the connection open without a word until the service ends."""

    status: int = 200
    body: Any = None
    raw: bytes | None = None
    headers: dict[str, str] = {}
    hang: bool = False


class ScriptedService:
    """Answers each POST by `answer`. A context manager; `url` is such as ``http://127.0.0.1:40123``."""

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.answer = answer
        self.asked: deque[Request] = deque(maxlen=MAX_REQUESTS)
        self.ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="scripted-service", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _handler(owner: ScriptedService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are two packets: without this the second one waits 40 ms for the client's word on the first.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.path, headers, json.loads(self.rfile.read(length) or b"null"))
            owner.asked.append(request)
            self._send(owner.answer(request))

        def _send(self, response: Response) -> None:
            if response.hang:
                owner.ended.wait(60)
                self.close_connection = True
                return
            content = json.dumps(response.body).encode() if response.raw is None else response.raw
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    return Handler
