"""One worker: a process that serves. It needs its folder and its socket, and nothing else to be up.

Started by the supervisor as ``python -m holdfast.gateway.worker SOCKET NUMBER`` with its configuration on standard input. When
that input ends, the supervisor is gone: the worker finishes what is under way and ends too, so that the port is free again.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial

import structlog
import uvloop

from holdfast.context.redact import Redactor
from holdfast.control.snapshot import Snapshot
from holdfast.core.clock import NS_PER_S, Clock, SystemClock
from holdfast.core.errors import ConfigurationError, HoldfastError
from holdfast.gateway.config import GatewayConfig, decode_config
from holdfast.gateway.gateway import Gateway
from holdfast.gateway.guard_link import GuardLink
from holdfast.gateway.http import Bounds, GatewayApp
from holdfast.gateway.logs import Repeated, log_as_json
from holdfast.gateway.meters import Meters
from holdfast.gateway.server import HttpServer
from holdfast.gateway.siblings import MAX_LINE_BYTES, Lines, decode_word, say
from holdfast.gateway.snapshot_file import SnapshotFile, Watched, newer
from holdfast.gateway.spool import SpoolWriter
from holdfast.gateway.status import WorkerStatus, breaker_statuses, merged, read_statuses, write_status
from holdfast.gateway.switch import read_switch
from holdfast.gateway.tasks import ended
from holdfast.score.calibrator import FILE_NAME as CALIBRATIONS
from holdfast.score.calibrator import load

log = structlog.get_logger(__name__)

WATCH_S = 0.05
"""How often snapshot and kill switch are looked at."""
FLUSH_S = 0.02
"""How long telemetry of a finished call may stay in memory."""
MAX_PENDING = 2_000
"""Calls whose telemetry may wait in memory for the next flush."""
STATUS_S = 1.0


class Worker:
    """A gateway with its surroundings: the folder that it watches and writes to, and the HTTP server.

    Raises:
        StoreError: the spool cannot be made.
    """

    def __init__(self, config: GatewayConfig, number: int, clock: Clock) -> None:
        self._config, self._number, self._clock = config, number, clock
        self._started_ns = clock.now_ns()
        self._file = SnapshotFile(config.directory)
        self._calibrations = Watched(config.calibrations or config.directory / CALIBRATIONS)
        self._spool = SpoolWriter(config.spool_of(number), config.spool)
        self._switch_repeated, self._status_repeated = Repeated(), Repeated()
        self._pending: list[bytes] = []
        self._overflow = 0
        self._refused = ""
        self.link = GuardLink(lambda: self.gateway.meters.failed("guard_process"))
        self.gateway = Gateway(
            clock,
            Redactor(config.redaction, config.redaction_key),
            self._keep,
            content=config.content,
            workers=config.workers,
            keyless=config.keyless,
        )
        self.gateway.judge_by(self.link)
        bounds = Bounds(config.max_body_bytes, config.max_buffered_bytes, config.body_timeout_s)
        self.app = GatewayApp(self.gateway, bounds, config.metrics_token, self._exposition)
        self.look()

    def _keep(self, line: bytes) -> None:
        if len(self._pending) >= MAX_PENDING:
            self._overflow += 1
        else:
            self._pending.append(line)

    def hear(self, line: bytes) -> None:
        """What the supervisor passes on: verdicts on probes, and what siblings found out."""
        try:
            self.gateway.hear(decode_word(line))
        except HoldfastError as error:
            log.warning("not understood", reason=str(error))

    def look(self) -> None:
        """See whether the snapshot, the kill switch or the calibrations have changed, and follow."""
        self._look_at_switch()
        self._look_at_calibrations()
        if not self._file.changed():
            return
        try:
            snapshot = self._file.load()
            if snapshot is not None and newer(snapshot, self._running()):
                self.gateway.apply(snapshot)
                log.info("snapshot in force", version=snapshot.version, worker=self._number)
            self._refused = ""
        except HoldfastError as error:
            self._refused = str(error)
            log.error("snapshot refused", reason=self._refused, running=self.gateway.compiled.version)

    def _look_at_calibrations(self) -> None:
        """Broken ones change nothing: those that are in force stay, and that is told once."""
        if not self._calibrations.changed():
            return
        try:
            self.gateway.calibrate(load(self._calibrations.path))
        except HoldfastError as error:
            log.error("calibrations refused", reason=str(error))

    def _running(self) -> Snapshot | None:
        compiled = self.gateway.compiled
        return compiled.snapshot if compiled.version else None

    def _look_at_switch(self) -> None:
        self.gateway.throw(read_switch(self._config.directory, self._complain_of_switch))

    def _complain_of_switch(self, reason: str) -> None:
        if self._switch_repeated.due(reason, self._clock.now_ns() / NS_PER_S):
            log.error("kill switch cannot be followed", reason=reason, instead="on")

    def flush(self) -> None:
        """Hand what has been recorded to the spool."""
        if self._pending:
            lines, self._pending = self._pending, []
            self._spool.append(lines)

    @property
    def dropped(self) -> int:
        """Calls whose telemetry was lost: no room in memory, or on the disk."""
        return self._spool.dropped + self._overflow

    def status(self) -> WorkerStatus:
        """What there is to say."""
        return WorkerStatus(
            worker=self._number,
            pid=os.getpid(),
            started_ns=self._started_ns,
            at_ns=self._clock.now_ns(),
            version=self.gateway.compiled.version,
            refused=self._refused,
            switch=self.gateway.desk.switch,
            in_flight=self.gateway.in_flight,
            guard_process=self.link.pid if self.link.ready else 0,
            written=self._spool.written,
            dropped=self.dropped,
            spool_failure=self._spool.failure,
            breakers=breaker_statuses(self.gateway),
            transitions=tuple(self.gateway.breakers.transitions),
            probes=tuple(self.gateway.probing.verdicts),
            answers=self.gateway.probing.answers(),
            exposition=self._own_exposition(),
        )

    def tell(self) -> None:
        """Write the status. A disk that takes none is no reason to stop serving."""
        try:
            write_status(self._config.directory, self.status())
        except OSError as error:
            if self._status_repeated.due(str(error), self._clock.now_ns() / NS_PER_S):
                log.error("status cannot be written", error=str(error))

    def _own_exposition(self) -> str:
        meters, gateway = self.gateway.meters, self.gateway
        meters.in_flight.set(gateway.in_flight)
        meters.dropped.set(self.dropped)
        meters.guard_process.set(float(self.link.ready))
        meters.breakers.clear()
        for _, state, *_rest in gateway.breakers.states():
            meters.breakers.labels(state.value).inc()
        meters.over_blocking.clear()
        meters.relaxed.clear()
        for guard, segment, share, relaxed in gateway.guarding.estimates()[:200]:
            meters.over_blocking.labels(guard, segment).set(share)
            meters.relaxed.labels(guard, segment).set(float(relaxed))
        return meters.exposition().decode()

    def _exposition(self) -> bytes:
        """This worker's metrics as they are, and what the others said last."""
        others = [s.exposition for s in read_statuses(self._config.directory, self._clock.now_ns()) if s.worker != self._number]
        return merged([self._own_exposition(), *others])

    async def close(self) -> None:
        """Everything recorded goes to the spool; connections are let go."""
        await self.gateway.close()
        self.flush()
        self._spool.close()
        self.tell()


async def serve(worker: Worker, config: GatewayConfig, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve until `stop`, then finish what is under way."""
    server = HttpServer(worker.app, SystemClock())
    await server.start(listener)
    chores = [
        asyncio.create_task(every(seconds, work, worker.gateway.meters))
        for seconds, work in ((WATCH_S, worker.look), (FLUSH_S, worker.flush), (STATUS_S, worker.tell))
    ]
    chores.append(asyncio.create_task(worker.link.run()))
    await stop.wait()
    worker.app.draining = True
    if config.notice_s > 0:
        await asyncio.sleep(config.notice_s)
    await server.close(config.drain_s)
    await ended(*chores)
    await worker.close()


async def every(seconds: float, work: Callable[[], None], meters: Meters) -> None:
    """Do a chore again and again, for ever. Ends with cancellation only."""
    loop, repeated = asyncio.get_running_loop(), Repeated()
    while True:
        await asyncio.sleep(seconds)
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the runner's edge: a chore that fails once is counted and done again
            meters.failed(work.__name__)
            complaint = f"{type(error).__name__}: {error}"
            if repeated.due(complaint, loop.time()):
                log.error("chore failed", chore=work.__name__, error=complaint)


async def _run(config: GatewayConfig, number: int, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    for signum in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(signum, signal.SIG_IGN)
    worker = Worker(config, number, SystemClock())
    loop.add_reader(sys.stdin.fileno(), _hear, sys.stdin.fileno(), Lines(), worker, stop)
    gc.collect()
    gc.freeze()
    worker.tell()
    print("ready", flush=True)  # noqa: T201 - the supervisor reads this line
    os.set_blocking(sys.stdout.fileno(), False)
    worker.gateway.breakers.on_trip = partial(say, sys.stdout.fileno())
    await serve(worker, config, listener, stop)


def _hear(descriptor: int, lines: Lines, worker: Worker, stop: asyncio.Event) -> None:
    data = os.read(descriptor, MAX_LINE_BYTES)
    if not data:
        asyncio.get_running_loop().remove_reader(descriptor)
        stop.set()
    for line in lines.feed(data):
        worker.hear(line)


def first_line(descriptor: int) -> bytes:
    """Standard input up to its first line end, and not a byte further: the rest is only there to end."""
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(descriptor, 1)):
        line += byte
    return bytes(line)


def main(arguments: list[str]) -> None:
    """The process."""
    try:
        config = decode_config(first_line(sys.stdin.fileno()))
        listener = socket.socket(fileno=int(arguments[0]))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(config, int(arguments[1]), listener))
    except (ConfigurationError, HoldfastError) as error:
        log.error("worker ended", error=str(error))
        raise SystemExit(2) from error


if __name__ == "__main__":
    log_as_json()
    main(sys.argv[1:])
