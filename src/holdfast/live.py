"""Runs the pipeline over the journal for as long as the server lives: crash-only, from checkpoint to checkpoint."""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import msgspec
import structlog

from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import StoreError
from holdfast.detect.budget import BudgetReport
from holdfast.detect.burn_rate import ObjectiveReport
from holdfast.ingest.assemble import Assembler, Finished
from holdfast.ingest.checkpoint import Position, replace_file
from holdfast.ingest.record import Record
from holdfast.ingest.tail import JournalReader
from holdfast.pipeline import Pipeline, Stages

log = structlog.get_logger(__name__)

BATCH_RECORDS = 2_000
POLL_S = 0.2
CHECKPOINT_NS = 5 * NS_PER_S
FORGET_EVERY_NS = 3600 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S
SPENT_EVERY_NS = 600 * NS_PER_S
SPENT_KEPT = DAY_NS // SPENT_EVERY_NS + 2
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a restart needs: where to read on, what detection and scorers know, and which traces are finished."""

    position: Position
    detection: bytes
    finished: list[Finished]
    scoring: bytes = b""


class Progress(msgspec.Struct, kw_only=True):
    """How the runner is doing, for health and status. `error` is empty while all is well.

    `budget` is what detection may spend on false alarms and has spent, as of the last checkpoint; `spent_today` the part of it
    that was spent within the last day, or since the start where that is later. `objectives` are of the last checkpoint, too.
    """

    position: Position = Position()
    records: int = 0
    last_read_ns: int = 0
    error: str = ""
    budget: BudgetReport | None = None
    spent_today: float = 0.0
    objectives: tuple[ObjectiveReport, ...] = ()


class Retention(msgspec.Struct, frozen=True):
    """For how long telemetry is kept, and what forgets all before a time in ns."""

    keep_ns: int
    forget_before: Callable[[int], object]


class Runner:
    """Journal → pipeline, until `stop` is set.

    When a store refuses or a stage breaks, nothing is lost and nothing is skipped: the stages are built anew from the last
    checkpoint after a pause that grows up to 30 s, while the journal keeps what arrives and the receiver asks senders to wait
    when it is full.
    """

    def __init__(
        self,
        directory: Path,
        state: Path,
        build: Callable[[], Stages],
        clock: Clock,
        retention: Retention | None = None,
        changes: Callable[[], Sequence[Change]] = lambda: (),
    ) -> None:
        """`directory` holds the journal, `state` is the file of the checkpoint.

        `changes` gives those that come by another way than the journal, asked for at every step; it may tell one again.
        What is older than `retention` allows is forgotten, checked once an hour; None keeps everything.
        """
        self._directory = directory
        self._state = state
        self._build = build
        self._clock = clock
        self._retention = retention
        self._changes = changes
        self._forgotten_ns = 0
        self._spent: deque[tuple[int, float]] = deque(maxlen=SPENT_KEPT)
        self.progress = Progress()

    def run(self, stop: Event) -> None:
        """Blocks until `stop` is set and the last checkpoint is written."""
        pause = FIRST_PAUSE_S
        while not stop.is_set():
            try:
                self._run_once(stop)
            except Exception as error:
                self.progress.error = f"{type(error).__name__}: {error}"
                log.exception("pipeline stopped, will start again from its checkpoint", pause_s=pause)
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)

    def _run_once(self, stop: Event) -> None:
        stages = self._build()
        try:
            self._follow(stages, stop)
        finally:
            stages.scoring.close()

    def _follow(self, stages: Stages, stop: Event) -> None:
        before = load(self._state)
        if before is not None:
            stages.detection.restore(before.detection)
            if before.scoring:
                stages.scoring.restore(before.scoring)
            stages.assembler.remember(before.finished)
        pipeline = Pipeline(stages)
        self._tell(stages)
        due_ns = self._clock.now_ns() + CHECKPOINT_NS
        with JournalReader(self._directory, before.position if before else None) as reader:
            while not stop.is_set():
                self._step(pipeline, reader)
                if self._clock.now_ns() >= due_ns:
                    self._save(pipeline, stages, reader)
                    due_ns = self._clock.now_ns() + CHECKPOINT_NS
            self._save(pipeline, stages, reader)

    def _step(self, pipeline: Pipeline, reader: JournalReader) -> None:
        begin = reader.position
        batch: list[tuple[Position, Record]] = []
        for behind, record in reader.read(BATCH_RECORDS, POLL_S):
            batch.append((begin, record))
            begin = behind
        self.progress.records += len(batch)
        batch += [(begin, change) for change in self._changes()]
        pipeline.feed(batch, self._clock.now_ns())
        self.progress.position = reader.position
        self.progress.last_read_ns = self._clock.now_ns()
        self.progress.error = ""

    def _save(self, pipeline: Pipeline, stages: Stages, reader: JournalReader) -> None:
        pipeline.drain()
        position = safe_position(stages.assembler, reader)
        checkpoint = Checkpoint(
            position=position,
            detection=stages.detection.snapshot(),
            finished=stages.assembler.memory(position),
            scoring=stages.scoring.snapshot(),
        )
        stages.telemetry.flush()
        save(self._state, checkpoint)
        reader.commit(position)
        self._tell(stages)
        self._forget()

    def _tell(self, stages: Stages) -> None:
        report, now = stages.detection.budget_spent(), self._clock.now_ns()
        spent = report.spent.total
        if not self._spent or now - self._spent[-1][0] >= SPENT_EVERY_NS:
            self._spent.append((now, spent))
        while len(self._spent) > 1 and now - self._spent[0][0] > DAY_NS:
            self._spent.popleft()
        self.progress.budget = report
        self.progress.objectives = tuple(stages.detection.objectives())
        self.progress.spent_today = max(spent - self._spent[0][1], 0.0)

    def _forget(self) -> None:
        now = self._clock.now_ns()
        if self._retention is not None and now - self._forgotten_ns >= FORGET_EVERY_NS:
            self._retention.forget_before(now - self._retention.keep_ns)
            self._forgotten_ns = now


def safe_position(assembler: Assembler, reader: JournalReader) -> Position:
    """From where to read after a restart: the first record of the oldest open trace, else the end of what was read."""
    return assembler.safe_position or reader.position


def load(path: Path) -> Checkpoint | None:
    """The checkpoint, None where there is none yet.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Checkpoint)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{path}: no checkpoint of the pipeline ({error}); remove it to start with new baselines") from error


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Replaces the checkpoint as a whole: after a crash the old one or the new one is there.

    Raises:
        StoreError: it could not be written.
    """
    replace_file(path, msgspec.msgpack.encode(checkpoint))
