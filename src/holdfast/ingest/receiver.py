"""The receiver: one process that takes OTLP and change events on HTTP and gRPC and keeps them in the journal.

It knows nothing of what is done with them: a pipeline that is down, slow or being upgraded costs no telemetry until the
journal is full, and then senders are told to wait.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
import uvicorn
import uvloop
from grpc import aio

from holdfast.context.originals import Original
from holdfast.context.redact import RedactionPolicy, Redactor
from holdfast.core.errors import ConfigurationError
from holdfast.ingest.auth import IngestToken, TokenTable, require_tokens_unless_loopback
from holdfast.ingest.connections import BoundedProtocol
from holdfast.ingest.decoding import change_parsers, otlp_decoders
from holdfast.ingest.grpc import GrpcServices, max_message_bytes, new_server
from holdfast.ingest.http import HttpApp
from holdfast.ingest.intake import Intake, IntakeLimits
from holdfast.ingest.journal import Journal, JournalLimits
from holdfast.ingest.meters import Meters

log = structlog.get_logger(__name__)

BACKLOG = 1024


class TakesOriginals(Protocol):
    """Where originals go behind the acknowledgement. `holdfast.vault.deposits.Deposits` is the real one."""

    def offer(self, originals: Sequence[Original], /) -> None:
        """Take them. Neither waits nor raises."""
        ...

    def close(self) -> None:
        """Finish within a bounded time."""
        ...


class ReceiverConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a receiver needs to know.

    Args:
        directory: of the journal.
        host: address to listen on; one that others can reach needs `tokens`.
        http_port, grpc_port: 0 chooses a free one; a `grpc_port` of None serves no gRPC.
        tokens: ingest tokens, one for each application.
        github_secret: of the GitHub webhook; empty serves none.
        redaction, redaction_key: what is redacted, and the key of the pseudonyms, at least 16 bytes.
        stop_timeout_s: how long requests may still take after SIGTERM.
        vault: opens what takes originals, and is given what counts their fates; None where nothing is sealed.
    """

    directory: Path
    host: str = "127.0.0.1"
    http_port: int = 4318
    grpc_port: int | None = 4317
    tokens: tuple[IngestToken, ...] = ()
    github_secret: str = ""
    redaction: RedactionPolicy = RedactionPolicy()
    redaction_key: bytes
    journal: JournalLimits = JournalLimits()
    intake: IntakeLimits = IntakeLimits()
    stop_timeout_s: float = 10.0
    vault: Callable[[Callable[[str, int], None]], TakesOriginals] | None = None


class Endpoints(msgspec.Struct, frozen=True):
    """Where a receiver listens."""

    host: str
    http_port: int
    grpc_port: int | None

    @property
    def http_url(self) -> str:
        """Base of the HTTP paths, such as ``http://127.0.0.1:4318``."""
        return f"http://{_bracketed(self.host)}:{self.http_port}"

    @property
    def grpc_target(self) -> str:
        """Such as ``127.0.0.1:4317``; empty where no gRPC is served."""
        return "" if self.grpc_port is None else f"{_bracketed(self.host)}:{self.grpc_port}"


class _HttpServer(uvicorn.Server):
    """uvicorn, without its hands on the process's signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Receiver:
    """A receiver on the running event loop. `start` opens everything, `stop` loses nothing that was acknowledged.

    Raises:
        ConfigurationError: a token is missing or malformed, or a port cannot be had.
        StoreError: the journal cannot be opened.
    """

    def __init__(self, config: ReceiverConfig) -> None:
        self._config = config
        self._tokens = TokenTable(config.tokens)
        redactor = _redactor(config)
        require_tokens_unless_loopback([config.host], self._tokens)
        self._socket = listen(config.host, config.http_port)
        try:
            self.journal = Journal(config.directory, config.journal)
        except BaseException:
            self._socket.close()
            raise
        meters = Meters()
        self._vault = config.vault(lambda fate, count: meters.originals.labels(fate).inc(count)) if config.vault else None
        deposit = self._vault.offer if self._vault else _nowhere
        self.intake = Intake(self.journal, otlp_decoders(redactor), config.intake, meters, deposit)
        self._http = _HttpServer(
            uvicorn.Config(
                HttpApp(self.intake, self._tokens, change_parsers(redactor, config.github_secret)),
                http=BoundedProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=max(1, round(config.stop_timeout_s)),
            )
        )
        self._grpc: aio.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> Endpoints:
        """Begin to serve."""
        try:
            grpc_port = await self._start_grpc()
        except ConfigurationError:
            await self._release()
            raise
        self._serving = asyncio.create_task(self._http.serve(sockets=[self._socket]))
        while not self._http.started and not self._serving.done():
            await asyncio.sleep(0.005)
        port = self._socket.getsockname()[1]
        log.info("receiver listens", host=self._config.host, http_port=port, grpc_port=grpc_port)
        return Endpoints(self._config.host, port, grpc_port)

    async def _start_grpc(self) -> int | None:
        host, port = self._config.host, self._config.grpc_port
        if port is None:
            return None
        # Try it first: gRPC tells the reason for a failure to standard error only.
        listen(host, port).close()
        server = new_server(max_message_bytes(self._config.intake))
        GrpcServices(self.intake, self._tokens).add_to(server)
        try:
            bound = server.add_insecure_port(f"{_bracketed(host)}:{port}")
        except RuntimeError as error:
            await server.stop(None)
            raise ConfigurationError(f"cannot listen on {_bracketed(host)}:{port}: {error}") from error
        await server.start()
        self._grpc = server
        return bound

    async def stop(self) -> None:
        """Accept nothing more, finish what is under way, flush, and let the journal go."""
        self._http.should_exit = True
        if self._grpc is not None:
            await self._grpc.stop(self._config.stop_timeout_s)
        if self._serving is not None:
            await self._serving
        await self._release()

    async def _release(self) -> None:
        self._socket.close()
        await asyncio.to_thread(self._close_journal)

    def _close_journal(self) -> None:
        self.intake.close()
        if self._vault is not None:
            self._vault.close()
        self.journal.close()


def serve(
    config: ReceiverConfig,
    announce: Callable[[Endpoints], None] = lambda _: None,
    stop_on: int | None = None,
) -> None:
    """Run a receiver in this process until SIGTERM or SIGINT, or until the file descriptor `stop_on` is readable.

    `announce` is called once, when it takes requests. Raises as `Receiver` does.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(Receiver(config), announce, stop_on))


async def _serve(receiver: Receiver, announce: Callable[[Endpoints], None], stop_on: int | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if stop_on is not None:
        loop.add_reader(stop_on, stop.set)
    announce(await receiver.start())
    await stop.wait()
    if stop_on is not None:
        loop.remove_reader(stop_on)
    await receiver.stop()


def _nowhere(_: Sequence[Original]) -> None:
    """Where originals go when nothing is sealed."""


def _redactor(config: ReceiverConfig) -> Redactor:
    try:
        return Redactor(config.redaction, config.redaction_key)
    except ValueError as error:
        raise ConfigurationError(f"redaction key: {error}") from error


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        ConfigurationError: it cannot; names address and reason.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {_bracketed(host)}:{port}: {os.strerror(error.errno or 0)}") from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
