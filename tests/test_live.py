"""The live runner forgets nothing over a restart, and says when it cannot work."""

from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest

from holdfast.app.stages import build_stages
from holdfast.core.call import Call, Kind
from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import NS_PER_S, SystemClock
from holdfast.core.errors import StoreError
from holdfast.ingest.assemble import Finished
from holdfast.ingest.checkpoint import Position
from holdfast.ingest.journal import Journal
from holdfast.ledger.store import Ledger
from holdfast.live import Checkpoint, Retention, Runner, load, save
from holdfast.pipeline import Stages
from holdfast.score.duplicate_answer import DuplicateAnswer
from holdfast.scoring import Scores, ScoringHere
from holdfast.settings import Settings
from holdfast.telemetry.store import TelemetryStore

TIMEOUT_S = 20.0
DAY_NS = 86_400 * NS_PER_S


def calls(count: int, first: int = 0) -> list[Call]:
    now = SystemClock().now_ns()
    return [
        Call(
            trace_id=f"{n + 1:032x}",
            span_id=f"{n + 1:016x}",
            kind=Kind.TASK,
            start_ns=now,
            end_ns=now + 1,
            dimensions={"service.name": ("shop",)},
        )
        for n in range(first, first + count)
    ]


class Bench:
    """A journal with a pipeline behind it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "journal").mkdir()
        self.settings = Settings.model_validate({"ingest": {"trace_linger_s": 0}})
        self.telemetry = TelemetryStore(f"chdb://{folder}/telemetry")
        self.ledger = Ledger(f"sqlite:///{folder}/ledger.sqlite")

    def build(self) -> Stages:
        return build_stages(self.settings, self.telemetry, self.ledger)

    def keep(self, found: list[Call]) -> None:
        journal = Journal(self.folder / "journal")
        journal.append(found).result(TIMEOUT_S)
        journal.close()

    def run_until(self, runner: Runner, done: "Event | None" = None, records: int = 0) -> None:
        stop = Event()
        thread = Thread(target=runner.run, args=(stop,))
        thread.start()
        waited = Event()
        for _ in range(int(TIMEOUT_S / 0.02)):
            if runner.progress.records >= records and (done is None or done.is_set()):
                break
            waited.wait(0.02)
        stop.set()
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()
        assert runner.progress.records >= records

    def runner(self) -> Runner:
        return Runner(self.folder / "journal", self.folder / "state", self.build, SystemClock())

    def close(self) -> None:
        self.telemetry.close()
        self.ledger.close()


@pytest.fixture
def bench(tmp_path: Path) -> "Bench":
    return Bench(tmp_path)


def test_records_of_the_journal_are_stored_and_a_restart_goes_on_where_it_was(bench: Bench) -> None:
    bench.keep(calls(5))
    bench.run_until(bench.runner(), records=5)
    bench.keep(calls(3, first=5))
    second = bench.runner()
    bench.run_until(second, records=3)
    stored = bench.telemetry.count()
    bench.close()
    assert (stored, second.progress.records) == (8, 3)


def test_without_its_checkpoint_everything_is_read_again_and_stored_once(bench: Bench) -> None:
    bench.keep(calls(5))
    bench.run_until(bench.runner(), records=5)
    (bench.folder / "state").unlink()
    (bench.folder / "journal" / "checkpoint").unlink()
    bench.run_until(bench.runner(), records=5)
    stored = bench.telemetry.count()
    bench.close()
    assert stored == 5


def test_a_stage_that_breaks_is_told_and_tried_again(bench: Bench) -> None:
    bench.keep(calls(2))
    attempts: list[str] = []
    failed = Event()

    def build() -> Stages:
        attempts.append("")
        if len(attempts) == 1:
            failed.set()
            raise StoreError("disk full")
        return bench.build()

    runner = Runner(bench.folder / "journal", bench.folder / "state", build, SystemClock())
    bench.run_until(runner, done=failed, records=2)
    stored = bench.telemetry.count()
    bench.close()
    assert len(attempts) == 2
    assert runner.progress.error == ""
    assert stored == 2


def test_what_is_beyond_the_retention_is_forgotten_by_the_hour(bench: Bench) -> None:
    now, forgotten = SystemClock().now_ns(), list[int]()
    bench.keep(calls(2))
    retention = Retention(DAY_NS, forgotten.append)
    runner = Runner(bench.folder / "journal", bench.folder / "state", bench.build, SystemClock(), retention)
    bench.run_until(runner, records=2)
    bench.close()
    (before,) = forgotten
    assert 0 <= before - (now - DAY_NS) < DAY_NS


def test_old_telemetry_that_is_replayed_into_a_live_server_is_kept(bench: Bench) -> None:
    now = SystemClock().now_ns()
    old = [msgspec.structs.replace(c, start_ns=now - 3 * DAY_NS, end_ns=now - 3 * DAY_NS + 1) for c in calls(2)]
    bench.keep(old + calls(3, first=2))
    retention = Retention(DAY_NS, bench.telemetry.forget_before)
    runner = Runner(bench.folder / "journal", bench.folder / "state", bench.build, SystemClock(), retention)
    bench.run_until(runner, records=5)
    stored = bench.telemetry.count()
    bench.close()
    assert stored == 5


def test_a_restart_takes_over_what_the_scorers_remember(bench: Bench) -> None:
    scorings: list[Scores] = []

    def build() -> Stages:
        stages = msgspec.structs.replace(bench.build(), scoring=ScoringHere([DuplicateAnswer(learning=0)]))
        scorings.append(stages.scoring)
        return stages

    answered = [
        msgspec.structs.replace(c, input_text="How long can it be returned?", output_text=" ".join(f"word{n}" for n in range(12)))
        for c in calls(1)
    ]
    bench.keep(answered)
    for _ in range(2):
        runner = Runner(bench.folder / "journal", bench.folder / "state", build, SystemClock())
        bench.run_until(runner, records=1 if len(scorings) == 0 else 0)
    bench.close()
    assert len(scorings) == 2
    assert scorings[1].snapshot() == scorings[0].snapshot() != ScoringHere([DuplicateAnswer()]).snapshot()


def test_a_checkpoint_of_before_scorers_were_in_it_is_read(tmp_path: Path) -> None:
    old = {"position": Position(2, 77), "detection": b"", "finished": []}
    (tmp_path / "state").write_bytes(msgspec.msgpack.encode(old))
    loaded = load(tmp_path / "state")
    assert loaded is not None
    assert loaded.scoring == b""


def test_nothing_is_only_gathered_once_the_checkpoint_is_written(bench: Bench) -> None:
    bench.telemetry.close()
    bench.telemetry = TelemetryStore(f"chdb://{bench.folder}/telemetry", gather=1_000)
    bench.keep(calls(5))
    bench.run_until(bench.runner(), records=5)
    gathered = len(bench.telemetry._gathered)
    stored = bench.telemetry.count()
    bench.close()
    assert (gathered, stored) == (0, 5)


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    checkpoint = Checkpoint(
        position=Position(2, 77),
        detection=b"\x00\xff",
        finished=[Finished("a" * 32, {"service.name": ("shop",)}, frozenset({"b" * 16}), Position(2, 80))],
        scoring=b"\x01",
    )
    save(tmp_path / "state", checkpoint)
    assert load(tmp_path / "state") == checkpoint


def test_there_is_none_at_first(tmp_path: Path) -> None:
    assert load(tmp_path / "state") is None


def test_a_damaged_checkpoint_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"\x93garbage")
    with pytest.raises(StoreError, match="remove it to start with new baselines"):
        load(tmp_path / "state")


def test_a_checkpoint_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        save(tmp_path / "missing" / "state", Checkpoint(position=Position(), detection=b"", finished=[]))


def test_changes_from_elsewhere_than_the_journal_reach_the_pipeline(bench: Bench) -> None:
    now = SystemClock().now_ns()
    change = Change(id="c1", source="control", time_ns=now, kind=ChangeKind.PROMPT)
    told = [[change], [change], []]
    runner = Runner(
        bench.folder / "journal",
        bench.folder / "state",
        bench.build,
        SystemClock(),
        changes=lambda: told.pop(0) if told else [],
    )
    bench.keep(calls(3))
    bench.run_until(runner, records=3)
    assert bench.telemetry.changes(now - 1, now + 1) == [change]
    assert runner.progress.records == 3


def test_what_of_the_false_alarm_budget_is_spent_is_told_from_the_start(bench: Bench) -> None:
    bench.keep(calls(2))
    runner = bench.runner()
    assert runner.progress.budget is None
    bench.run_until(runner, records=2)
    bench.close()
    assert runner.progress.budget is not None
    assert runner.progress.budget.per_day == bench.settings.detection.false_alarms_per_day
    assert 0 <= runner.progress.spent_today <= runner.progress.budget.spent.total + 1e-9


def test_how_the_objectives_stand_is_told_as_of_the_last_checkpoint(bench: Bench) -> None:
    bench.settings = Settings.model_validate(
        {"ingest": {"trace_linger_s": 0}, "objectives": {"answers": {"metric": "error", "share": 0.98}}}
    )
    bench.keep(calls(2))
    runner = bench.runner()
    bench.run_until(runner, records=2)
    bench.close()
    (report,) = runner.progress.objectives
    assert (report.objective, report.segment.service, report.alarm) == ("answers", "shop", None)
