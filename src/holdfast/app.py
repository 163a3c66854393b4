"""The composition root: the one place that builds everything from the settings."""

import gc
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
import uvicorn

from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.context.entities import Entity, RedactionPolicy, Treatment
from holdfast.context.language import identify
from holdfast.context.redact import Redactor
from holdfast.core.clock import NS_PER_S, Clock, SystemClock
from holdfast.core.errors import ConfigurationError, HoldfastError
from holdfast.core.trace import ScoredTrace
from holdfast.correlate.correlator import Correlator
from holdfast.correlate.policy import CorrelatePolicy
from holdfast.detect.detection import Detection
from holdfast.detect.policy import DetectPolicy
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.ingest.assemble import Assembler, AssemblyPolicy
from holdfast.ingest.auth import IngestToken
from holdfast.ingest.changes import read_changes
from holdfast.ingest.checkpoint import replace_file
from holdfast.ingest.intake import IntakeLimits
from holdfast.ingest.journal import JournalLimits
from holdfast.ingest.jsonl import Progress as FileProgress
from holdfast.ingest.jsonl import read_files
from holdfast.ingest.process import ReceiverProcess
from holdfast.ingest.receiver import Endpoints, ReceiverConfig, listen
from holdfast.ingest.record import Record, Rejected
from holdfast.ingest.spool import Spool
from holdfast.ledger.store import Ledger
from holdfast.live import Retention, Runner
from holdfast.pipeline import KeepsTelemetry, Pipeline, Stages
from holdfast.replay import replay
from holdfast.report.analysis import Analysis, MetricSummary
from holdfast.score.registry import METRICS, SCORERS
from holdfast.score.run import Scoring
from holdfast.settings import Settings
from holdfast.telemetry.store import TelemetryStore

log = structlog.get_logger(__name__)

DAY_NS = 86_400 * NS_PER_S
WATCH_S = 0.5
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
COLLECT_AFTER = 50_000
"""Containers made and not yet freed before the cycle collector looks at the young ones; Python's own default is 700."""
GATHERED_CALLS = 4_000
"""Calls that are written together, unless a checkpoint or somebody who reads comes first."""
ANALYSIS_KEY = b"holdfast analyze keeps nothing"
"""Pseudonyms of an analysis: the same in every run, so that two runs print the same. Nothing of it is stored."""


def redaction_policy(settings: Settings) -> RedactionPolicy:
    """What is done with personal data and secrets.

    Raises:
        ConfigurationError: an entity is unknown.
    """
    return RedactionPolicy(
        default=Treatment(settings.redaction.default),
        entities=_treatments(settings.redaction.entities, "redaction.entities"),
        services={
            name: _treatments(application.redaction, f"applications.{name}.redaction")
            for name, application in settings.applications.items()
        },
    )


def _treatments(named: Mapping[str, str], key: str) -> dict[Entity, Treatment]:
    unknown = sorted(set(named) - {str(entity) for entity in Entity})
    if unknown:
        raise ConfigurationError(f"{key}.{unknown[0]}: no such entity; one of {', '.join(Entity)}")
    return {Entity(name): Treatment(value) for name, value in named.items()}


def redaction_key(path: Path) -> bytes:
    """The key of the pseudonyms: made once, readable by its owner only.

    Raises:
        ConfigurationError: the file is too short to be a key.
        StoreError: it could not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        replace_file(path, secrets.token_bytes(32))
    key = path.read_bytes()
    if len(key) < 32:
        raise ConfigurationError(f"{path}: not a key of 32 bytes; remove it to have a new one made")
    return key


def _settle_memory() -> None:
    """Tells the cycle collector to leave alone what was imported, and to come less often: it took a tenth of the time.

    What flows through the pipeline is trees, which go without it; cycles are left by exceptions and libraries only.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)


def build_stages(settings: Settings, telemetry: KeepsTelemetry, ledger: Ledger) -> Stages:
    """All stages, new."""
    return Stages(
        assembler=Assembler(
            AssemblyPolicy(
                linger_ns=int(settings.ingest.trace_linger_s * NS_PER_S),
                patience_ns=int(settings.ingest.trace_patience_s * NS_PER_S),
            ),
            lambda text: identify(text)[0],
        ),
        scoring=Scoring(SCORERS),
        telemetry=telemetry,
        detection=Detection(METRICS, DetectPolicy(false_alarms_per_day=settings.detection.false_alarms_per_day)),
        correlator=Correlator(METRICS, CorrelatePolicy()),
        diagnoser=Diagnoser(METRICS),
        ledger=ledger,
    )


class _Tally:
    """Counts and means over all that was scored."""

    def __init__(self) -> None:
        self.calls = 0
        self.start_ns: int | None = None
        self.end_ns: int | None = None
        self._sums: dict[str, tuple[int, float]] = {}

    def __call__(self, scored: Sequence[ScoredTrace]) -> None:
        for item in scored:
            trace = item.trace
            self.calls += len(trace.calls)
            self.start_ns = trace.start_ns if self.start_ns is None else min(self.start_ns, trace.start_ns)
            self.end_ns = trace.end_ns if self.end_ns is None else max(self.end_ns, trace.end_ns)
            for score in item.scores:
                count, total = self._sums.get(score.metric, (0, 0.0))
                self._sums[score.metric] = (count + 1, total + score.value)

    def summaries(self) -> list[MetricSummary]:
        """By name."""
        return [MetricSummary(name, count, total / count) for name, (count, total) in sorted(self._sums.items())]


class AnalysisInput:
    """What `analyze` reads, and whom it tells about it."""

    def __init__(
        self,
        traces: Sequence[Path],
        changes: Path | None = None,
        on_read: FileProgress = lambda done, total: None,
        on_rejected: Callable[[Rejected], None] = lambda rejected: None,
        on_replayed: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self.traces, self.changes = traces, changes
        self.on_read, self.on_rejected, self.on_replayed = on_read, on_rejected, on_replayed


def analyze(source: AnalysisInput, settings: Settings) -> Analysis:
    """Reads files and replays them in event time through the same pipeline as the server, on stores that last as long as this.

    Raises:
        InputError: a file cannot be used at all; names file and line.
    """
    _settle_memory()
    redactor = Redactor(redaction_policy(settings), ANALYSIS_KEY)
    rejected = 0
    with TemporaryDirectory(prefix="holdfast-analyze-") as folder, Spool() as spool:
        for item in read_files(source.traces, redactor, source.on_read):
            if isinstance(item, Rejected):
                source.on_rejected(item)
                rejected += not item.ignored
            else:
                spool.add(item)
        for change in read_changes(source.changes, redactor) if source.changes else ():
            if isinstance(change, Rejected):
                source.on_rejected(change)
                rejected += 1
            else:
                spool.add(change)
        telemetry = TelemetryStore(f"chdb://{folder}/telemetry", GATHERED_CALLS)
        ledger = Ledger(f"sqlite:///{folder}/ledger.sqlite")
        try:
            tally = _Tally()
            stages = build_stages(settings, telemetry, ledger)
            replay(Pipeline(stages, tally), _counted(spool, source.on_replayed))
            return Analysis(
                start_ns=tally.start_ns,
                end_ns=tally.end_ns,
                calls=tally.calls,
                metrics=tally.summaries(),
                incidents=ledger.incidents(limit=1_000),
                coverage={
                    name: {"ran": c.ran, "failed": c.failed, "skipped": c.skipped} for name, c in stages.scoring.coverage.items()
                },
                rejected=rejected,
            )
        finally:
            ledger.close()
            telemetry.close()


def _counted(spool: Spool, tell: Callable[[int, int], None]) -> Iterator[tuple[int, Record]]:
    total = len(spool)
    for done, item in enumerate(spool):
        if done % 1_000 == 0:
            tell(done, total)
        yield item
    tell(total, total)


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
    )


class _ApiServer(uvicorn.Server):
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
        data = settings.server.data_dir
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.journal_dir.mkdir(exist_ok=True)
        self.telemetry = TelemetryStore(settings.telemetry_dsn, GATHERED_CALLS)
        self.ledger = Ledger(settings.ledger_url)
        self._runner = Runner(
            settings.journal_dir,
            data / "pipeline.state",
            lambda: build_stages(settings, self.telemetry, self.ledger),
            self._clock,
            Retention(settings.stores.retention_days * DAY_NS, self.telemetry.forget_before),
        )
        self._stop = threading.Event()

    def run(self, ready: Callable[[Endpoints], None] = lambda endpoints: None) -> None:
        """Serves until SIGTERM or SIGINT. `ready` is called with where the receiver listens."""
        _settle_memory()
        settings = self._settings
        key = redaction_key(settings.server.data_dir / "redaction.key")
        listening = listen(settings.server.host, settings.server.api_port)
        start = partial(ReceiverProcess, receiver_config(settings, key))
        receiver = start()
        threads = [
            threading.Thread(target=self._runner.run, args=(self._stop,), name="pipeline"),
            threading.Thread(target=supervise, args=(receiver, start, self._stop), name="receiver-supervisor"),
        ]
        for thread in threads:
            thread.start()
        try:
            ready(receiver.endpoints)
            _ApiServer(
                uvicorn.Config(create_app(self._api_context()), log_config=None, access_log=False, server_header=False)
            ).run([listening])
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
            self.ledger.close()
            self.telemetry.close()

    def _api_context(self) -> ApiContext:
        token = self._settings.server.api_token
        return ApiContext(
            telemetry=self.telemetry,
            ledger=self.ledger,
            metrics=METRICS,
            progress=self._runner.progress,
            clock=self._clock,
            token=token.get_secret_value() if token else "",
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
