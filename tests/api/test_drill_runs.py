"""Runs of drills: one at a time, bounded, and never told as done when they were not."""

import sys
import threading
from pathlib import Path

import pytest

from holdfast.api.drill_runs import COMMAND, KEPT, NAMES, DrillOrder, DrillRuns
from holdfast.core.clock import SystemClock
from holdfast.core.errors import ConflictError, InputError, NotFoundError, StoreError
from holdfast.testing.clock import FakeClock
from tests.api.runs import WAITS, runs

ORDER = DrillOrder(names=("wrong_embedder",))
WAIT_S = 30.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_run_that_is_done_has_a_scorecard_which_is_kept(tmp_path: Path, clock: FakeClock) -> None:
    found = runs(tmp_path, clock)
    begun = found.start(ORDER, "user:ada")
    assert begun.state == "running"
    assert found.wait(WAIT_S)
    for again in (found, runs(tmp_path, clock)):
        (run,) = again.runs()
        assert (run.id, run.state, run.by, run.error) == (begun.id, "done", "user:ada", "")
        assert run.scorecard is not None
        assert len(run.scorecard.outcomes) == 20
        assert again.run(begun.id) == run


def test_a_real_drill_comes_back_as_a_scorecard(tmp_path: Path) -> None:
    found = DrillRuns(tmp_path, SystemClock())
    found.start(DrillOrder(names=("healthy",), calls=100), "user:ada")
    assert found.wait(100)
    (run,) = found.runs()
    assert run.error == ""
    assert run.scorecard is not None
    assert [o.calls for o in run.scorecard.outcomes] == [100]


def test_two_do_not_run_at_once(tmp_path: Path, clock: FakeClock) -> None:
    found = runs(tmp_path, clock, WAITS)
    first = found.start(ORDER, "user:ada")
    with pytest.raises(ConflictError, match="another run"):
        found.start(ORDER, "user:bob")
    assert [run.id for run in found.runs()] == [first.id]
    found.close()


def test_a_run_that_the_server_ends_is_told_as_failed_and_leaves_no_process(tmp_path: Path, clock: FakeClock) -> None:
    found = runs(tmp_path, clock, WAITS)
    found.start(ORDER, "user:ada")
    found.close()
    (run,) = found.runs()
    assert (run.state, run.scorecard) == ("failed", None)
    assert not [thread for thread in threading.enumerate() if thread.name == "drills"]
    with pytest.raises(ConflictError):
        found.start(ORDER, "user:ada")


def test_a_run_that_takes_too_long_is_ended(tmp_path: Path, clock: FakeClock) -> None:
    found = runs(tmp_path, clock, WAITS, longest_s=0.3)
    found.start(ORDER, "user:ada")
    assert found.wait(WAIT_S)
    assert [(run.state, run.error) for run in found.runs()] == [("failed", "ended after 0 s")]


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("raise SystemExit('no memory left')", "exit code 1: no memory left"),
        ("print('{}')", "no scorecard came out"),
        ("print('x' * 100_000)", "no scorecard came out"),
        ("pass", "no scorecard came out"),
        ("import sys; sys.stdout.buffer.write(b'{\"\\xff\": 1}')", "no scorecard came out"),
        ("import sys; sys.stderr.write('y' * 100_000); sys.exit(3)", "exit code 3: yyy"),
    ],
    ids=["failed", "empty", "no json", "silent", "no text", "much noise"],
)
def test_a_run_without_a_scorecard_says_why(tmp_path: Path, clock: FakeClock, program: str, told: str) -> None:
    found = runs(tmp_path, clock, program)
    found.start(ORDER, "user:ada")
    assert found.wait(WAIT_S)
    (run,) = found.runs()
    assert (run.state, run.scorecard) == ("failed", None)
    assert run.error.startswith(told)
    assert len(run.error) < 600


def test_a_program_that_is_not_there_is_said_and_another_run_may_begin(tmp_path: Path, clock: FakeClock) -> None:
    found = DrillRuns(tmp_path, clock, (str(tmp_path / "nothing"),))
    found._command = (str(tmp_path / "nothing"),)
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be run"):
            found.start(ORDER, "user:ada")
    assert found.runs() == []


@pytest.mark.parametrize(
    "order",
    [
        DrillOrder(names=()),
        DrillOrder(names=("--jobs",)),
        DrillOrder(names=("../../etc/passwd",)),
        DrillOrder(names=("all",) * 101),
        DrillOrder(names=("all",), seed=-1),
        DrillOrder(names=("all",), calls=99),
        DrillOrder(names=("all",), calls=10**9),
    ],
    ids=range(7),
)
def test_an_order_that_will_not_do_starts_nothing(tmp_path: Path, clock: FakeClock, order: DrillOrder) -> None:
    found = runs(tmp_path, clock)
    with pytest.raises(InputError):
        found.start(order, "user:ada")
    assert found.runs() == []


def test_only_the_last_ones_are_kept_and_files_that_cannot_be_read_are_left_out(tmp_path: Path, clock: FakeClock) -> None:
    found = runs(tmp_path, clock, "pass")
    (tmp_path / "drills").mkdir()
    (tmp_path / "drills" / "run_broken.json").write_bytes(b'{"\xff')
    (tmp_path / "drills" / "run_gone.json").symlink_to(tmp_path / "nowhere")
    for _ in range(KEPT + 2):
        clock.advance(1)
        last = found.start(ORDER, "user:ada")
        assert found.wait(WAIT_S)
    assert len(found.runs()) == KEPT
    assert found.runs()[0].id == last.id
    with pytest.raises(NotFoundError):
        found.run("run_broken")


def test_every_name_is_one_that_the_command_takes() -> None:
    assert COMMAND[0] == sys.executable
    assert {"all", "healthy", "wrong_embedder"} <= set(NAMES)
    assert all(not name.startswith("-") for name in NAMES)
