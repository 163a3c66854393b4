"""The supervisor: starts the workers and starts them again, follows the control plane, ships telemetry, and takes the signals.

It is not in the path of any request: when it hangs or its server is away, the workers serve on from the last good snapshot.

Signals: TERM and INT drain and end; HUP looks at the snapshot file again and puts the kill switch back on; USR1 turns all
interventions off; USR2 answers everything by template.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from holdfast.control.probes import ProbeVerdict
from holdfast.control.snapshot import Snapshot
from holdfast.core.clock import Clock
from holdfast.core.errors import ConfigurationError, HoldfastError, StoreError
from holdfast.gateway.config import GatewayConfig, checked, encode_config
from holdfast.gateway.follow import Follower
from holdfast.gateway.ship import Shipper
from holdfast.gateway.siblings import MAX_LINE_BYTES, Judged, Lines, encode_word
from holdfast.gateway.snapshot_file import SnapshotFile
from holdfast.gateway.status import read_statuses, report_of
from holdfast.gateway.switch import Position, write_switch
from holdfast.gateway.tasks import ended
from holdfast.gateway.telling import Telling
from holdfast.ingest.folder import hold_folder

log = structlog.get_logger(__name__)

BACKLOG = 2048
MAX_PIPED_BYTES = 65_536
REPORT_S = 1.0
LOOK_S = 0.2
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
WELL_AFTER_S = 30.0
"""A worker that ran for so long was well: the next start does not wait."""


class Supervisor:
    """The processes of one gateway.

    Raises:
        ConfigurationError: a setting makes no sense, or the address cannot be had.
        StoreError: another gateway has the folder.
    """

    def __init__(self, config: GatewayConfig, clock: Clock) -> None:
        self._config, self._clock = checked(config), clock
        # Two that share a folder would overwrite each other's snapshot and status.
        self._folder = hold_folder(config.directory, "gateway")
        try:
            self._listener = listen(config.host, config.port)
        except ConfigurationError:
            os.close(self._folder)
            raise
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._file = SnapshotFile(config.directory)
        self._follower = Follower(config.server_url, config.shown_token, config.gateway_id, self._file, _taken, self._judged)
        self._shipper = Shipper(config.otlp_url, config.otlp_token, lambda: config.spools, clock)
        self._own = SnapshotFile(config.directory)
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._stopping = False
        self._telling = Telling(self._follower.tell)

    async def run(self, announce: Callable[[str, int], None]) -> None:
        """Serve until told to stop. `announce` is called with the address once every worker takes requests."""
        stop = asyncio.Event()
        self._take_signals(stop)
        self._begin_with_the_last()
        ready = [asyncio.Event() for _ in range(self._config.workers)]
        workers = [asyncio.create_task(self._keep_alive(n, ready[n])) for n in range(self._config.workers)]
        chores = [asyncio.create_task(chore) for chore in self._chores()]
        announcing = asyncio.create_task(self._announce(ready, announce))
        await stop.wait()
        self._stopping = True
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        await self._end(workers)
        await ended(announcing, *chores)
        await self._last_words()

    async def _end(self, workers: list[asyncio.Task[None]]) -> None:
        patience_s = self._config.drain_s + self._config.notice_s + 5.0
        _, late = await asyncio.wait(workers, timeout=patience_s)
        if late:
            log.error("workers did not end in time", count=len(late), after_s=patience_s)
            for process in self._processes.values():
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await asyncio.wait(late, timeout=5.0)

    async def _last_words(self) -> None:
        """What the workers recorded at their end goes out too, where the server is there to take it."""
        if self._config.otlp_url:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5.0):
                    while (await self._shipper.round())[0]:
                        pass
        self.close()

    def close(self) -> None:
        """Let go of the address and of the folder."""
        self._shipper.close()
        self._follower.close()
        self._listener.close()
        os.close(self._folder)

    def _take_signals(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        loop.add_signal_handler(signal.SIGUSR1, self._throw, Position.OFF)
        loop.add_signal_handler(signal.SIGUSR2, self._throw, Position.TEMPLATE)

    def _judged(self, verdict: ProbeVerdict) -> None:
        self._pass_on(encode_word(Judged(verdict)))

    def _pass_on(self, line: bytes, of: int | None = None) -> None:
        """Tell the workers, but not the one that said it. One that does not read is told no more: memory is bounded."""
        for pipe in (process.stdin for number, process in self._processes.items() if number != of):
            if pipe is not None and not pipe.is_closing() and pipe.transport.get_write_buffer_size() < MAX_PIPED_BYTES:
                pipe.write(line)

    def _throw(self, position: Position) -> None:
        try:
            write_switch(self._config.directory, position)
            log.warning("kill switch thrown by signal", position=position.value)
        except StoreError as error:
            log.error("kill switch could not be thrown", error=str(error))

    def _reload(self) -> None:
        self._throw(Position.ON)
        self._look_at_own(force=True)

    def _begin_with_the_last(self) -> None:
        try:
            self._follower.start_from(self._file.load())
        except HoldfastError as error:
            self._follower.refused = str(error)
            log.error("last good snapshot is unusable", error=str(error))
        self._look_at_own(force=True)

    def _look_at_own(self, force: bool = False) -> None:
        """The local snapshot file, where one is configured."""
        if self._config.snapshot is None:
            return
        self._own.path = self._config.snapshot
        if not self._own.changed() and not force:
            return
        try:
            data = self._config.snapshot.read_bytes()
        except OSError as error:
            self._follower.refused = f"{self._config.snapshot}: {error.strerror}"
            log.error("snapshot refused", reason=self._follower.refused)
            return
        self._follower.take(data)

    def _chores(self) -> list[Coroutine[Any, Any, None]]:
        chores: list[Coroutine[Any, Any, None]] = [self._look()]
        if self._config.server_url:
            chores += [self._follower.follow(), self._report()]
        if self._config.otlp_url:
            chores.append(self._shipper.run())
        return chores

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._look_at_own()

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            statuses = read_statuses(self._config.directory, self._clock.now_ns())
            try:
                spooled = self._shipper.waiting()
            except OSError:
                spooled = 0
            if await self._follower.report(report_of(statuses, spooled, self._follower.refused)):
                await self._telling.tell(statuses)

    async def _keep_alive(self, number: int, ready: asyncio.Event) -> None:
        """Run one worker, again and again until the end."""
        pause_s = FIRST_PAUSE_S
        while not self._stopping:
            started_ns = self._clock.now_ns()
            code = await self._run_worker(number, ready)
            if self._stopping:
                return
            lived_s = (self._clock.now_ns() - started_ns) / 1e9
            pause_s = FIRST_PAUSE_S if lived_s > WELL_AFTER_S else min(pause_s * 2, LONGEST_PAUSE_S)
            log.error("worker ended", worker=number, code=code, lived_s=round(lived_s, 1), again_in_s=pause_s)
            await asyncio.sleep(pause_s)

    async def _run_worker(self, number: int, ready: asyncio.Event) -> int:
        descriptor = self._listener.fileno()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "holdfast.gateway.worker",
            str(descriptor),
            str(number),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=(descriptor,),
        )
        self._processes[number] = process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a worker without pipes")
        process.stdin.write(encode_config(self._config))
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        if (await process.stdout.readline()).strip() == b"ready":
            ready.set()
            await self._listen_to(number, process.stdout)
        return await process.wait()

    async def _listen_to(self, number: int, said: asyncio.StreamReader) -> None:
        """What a worker found out, for its siblings, until it ends."""
        lines = Lines()
        while data := await said.read(MAX_LINE_BYTES):
            for line in lines.feed(data):
                self._pass_on(line + b"\n", of=number)

    async def _announce(self, ready: list[asyncio.Event], announce: Callable[[str, int], None]) -> None:
        for one in ready:
            await one.wait()
        log.info("gateway listens", host=self.address[0], port=self.address[1], workers=len(ready))
        announce(*self.address)


def _taken(snapshot: Snapshot) -> None:
    log.info("snapshot taken", version=snapshot.version)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        ConfigurationError: it cannot; names address and reason.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}") from error
