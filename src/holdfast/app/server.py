"""The server: receiver, pipeline and API, built from the settings."""

import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import structlog

from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.drill_runs import DrillRuns
from holdfast.api.goodbye import ApiServer, api_config
from holdfast.api.rate import RateLimit
from holdfast.api.revealing import Revealing
from holdfast.app.access import build_access, build_sign_on, setup_link
from holdfast.app.calibrations import build_calibrations
from holdfast.app.control_changes import ControlChanges
from holdfast.app.scorers import build_scorers, extended
from holdfast.app.stages import GATHERED_CALLS, build_stages, detect_policy, redaction_policy, scoring_beside
from holdfast.app.vault import deposits_opener, open_vault
from holdfast.console.router import router as console
from holdfast.context.redact import Redactor
from holdfast.control.store import STREAM
from holdfast.core.clock import NS_PER_S, Clock, SystemClock
from holdfast.core.errors import ConfigurationError, HoldfastError
from holdfast.ingest.auth import IngestToken
from holdfast.ingest.checkpoint import make_once
from holdfast.ingest.child import settle_memory
from holdfast.ingest.intake import IntakeLimits
from holdfast.ingest.journal import JournalLimits
from holdfast.ingest.process import ReceiverProcess
from holdfast.ingest.receiver import Endpoints, ReceiverConfig, listen
from holdfast.ledger.store import Ledger
from holdfast.live import Retention, Runner
from holdfast.pipeline import Stages
from holdfast.probe_judging import ProbeJudging
from holdfast.settings import Settings
from holdfast.telemetry.store import TelemetryStore

log = structlog.get_logger(__name__)

DAY_NS = 86_400 * NS_PER_S
WATCH_S = 0.5
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


def redaction_key(path: Path) -> bytes:
    """The key of the pseudonyms: made once, readable by its owner only.

    Raises:
        ConfigurationError: the file is too short to be a key.
        StoreError: it could not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    make_once(path, secrets.token_bytes(32))
    key = path.read_bytes()
    if len(key) < 32:
        raise ConfigurationError(f"{path}: not a key of 32 bytes; remove it to have a new one made")
    return key


def receiver_config(settings: Settings, key: bytes) -> ReceiverConfig:
    """How the receiver is to run."""
    server, ingest = settings.server, settings.ingest
    return ReceiverConfig(
        directory=settings.journal_dir,
        host=server.host,
        http_port=server.otlp_http_port,
        grpc_port=server.otlp_grpc_port,
        tokens=tuple(
            IngestToken(application=name, sha256=application.ingest_token_sha256, services=tuple(application.services))
            for name, application in settings.applications.items()
            if application.ingest_token_sha256
        ),
        github_secret=ingest.github_secret.get_secret_value() if ingest.github_secret else "",
        redaction=redaction_policy(settings),
        redaction_key=key,
        journal=JournalLimits(max_lag_bytes=ingest.max_lag_bytes),
        intake=IntakeLimits(max_body_bytes=ingest.max_body_bytes),
        vault=deposits_opener(settings),
    )


class _ApiServer(ApiServer):
    """uvicorn that ends with its process's ordinary exit code when it is told to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Server:
    """Receiver in a process of its own, pipeline in a thread, API on this thread.

    Raises:
        ConfigurationError: a port is taken or a key is wrong.
        StoreError: a store cannot be opened.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._scorers = build_scorers(settings, self._clock)
        data = settings.server.data_dir
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.journal_dir.mkdir(exist_ok=True)
        self.telemetry = TelemetryStore(settings.telemetry_dsn, GATHERED_CALLS)
        self.ledger = Ledger(settings.ledger_url)
        self._vault = open_vault(settings, self._clock)
        self._access = build_access(settings, self.ledger.accounts, self._clock)
        self.setup_link = setup_link(settings, self._access)
        self._runner = Runner(
            settings.journal_dir,
            data / "pipeline.state",
            self._stages,
            self._clock,
            Retention(settings.stores.retention_days * DAY_NS, self._forget_before),
            ControlChanges(self.ledger.stream(STREAM), self._clock),
        )
        self._drills = DrillRuns(data / "drills", self._clock)
        self._stop = threading.Event()

    def run(self, ready: Callable[[Endpoints], None] = lambda endpoints: None) -> None:
        """Serves until SIGTERM or SIGINT. `ready` is called with where the receiver listens."""
        settle_memory()
        settings = self._settings
        key = redaction_key(settings.server.data_dir / "redaction.key")
        listening = listen(settings.server.host, settings.server.api_port)
        start = partial(ReceiverProcess, receiver_config(settings, key))
        receiver = start()
        judging = ProbeJudging(
            self._scorers.external, self._scorers.calibrator, Redactor(redaction_policy(settings), key), self._clock
        )
        threads = [
            threading.Thread(target=self._runner.run, args=(self._stop,), name="pipeline"),
            threading.Thread(target=supervise, args=(receiver, start, self._stop), name="receiver-supervisor"),
        ]
        for thread in threads:
            thread.start()
        try:
            ready(receiver.endpoints)
            _ApiServer(api_config(create_app(self._api_context(judging), console))).run([listening])
        finally:
            self._stop.set()
            self._drills.close()
            for thread in threads:
                thread.join()
            judging.close()
            self._scorers.close()
            self.ledger.close()
            if self._vault is not None:
                self._vault.close()
            self.telemetry.close()

    def _forget_before(self, time_ns: int) -> None:
        if self._vault is not None:
            self._vault.forget_before(time_ns)
        self.telemetry.forget_before(time_ns)

    def _stages(self) -> Stages:
        scoring = extended(scoring_beside(self._settings.scoring.second_opinions), self._scorers, self.telemetry.trace)
        return build_stages(self._settings, self.telemetry, self.ledger, scoring, self._scorers.metrics)

    def _api_context(self, judging: ProbeJudging) -> ApiContext:
        return ApiContext(
            telemetry=self.telemetry,
            ledger=self.ledger,
            metrics=self._scorers.metrics,
            progress=self._runner.progress,
            clock=self._clock,
            access=self._access,
            rate=RateLimit(self._clock),
            calibrations=build_calibrations(self._settings, self.telemetry, self._scorers, self._clock),
            drills=self._drills,
            revealing=Revealing(self._vault, self._access, self._clock) if self._vault else None,
            objectives=detect_policy(self._settings).objectives,
            sign_on=build_sign_on(self._settings, self._clock),
            probe_judging=judging,
            secure_cookies=self._settings.access.public_url.startswith("https:"),
        )


def supervise(receiver: ReceiverProcess, start: Callable[[], ReceiverProcess], stop: threading.Event) -> None:
    """Starts a receiver that died again, after a pause that doubles up to half a minute; stops it when `stop` is set."""
    pause = FIRST_PAUSE_S
    while not stop.wait(WATCH_S):
        if receiver.exit_code is None:
            pause = FIRST_PAUSE_S
            continue
        log.error("receiver died, starting it again", exit_code=receiver.exit_code, pause_s=pause)
        if stop.wait(pause):
            break
        pause = min(2 * pause, LONGEST_PAUSE_S)
        try:
            receiver = start()
        except HoldfastError as error:
            log.error("receiver did not start", error=str(error))
    receiver.stop()
