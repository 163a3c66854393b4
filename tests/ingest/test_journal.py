import errno
import os
import threading
from concurrent.futures import Future
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import pytest

from holdfast.core.errors import BackpressureError, StoreError
from holdfast.ingest.checkpoint import Position, save_checkpoint
from holdfast.ingest.frames import segment_numbers, segment_path
from holdfast.ingest.journal import Damage, Journal, JournalLimits, JournalReader
from tests.ingest.journals import PROMPT, call, calls, drain, number_of, wait_until

TIMEOUT_S = 20


class Disk:
    """Writes like `os.write`, until it is full or broken."""

    def __init__(self, free: int = 2**62) -> None:
        self.free = free
        self.writes = 0

    def write(self, file: int, data: memoryview) -> int:
        if self.free <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = os.write(file, data[: self.free])
        self.free -= written
        self.writes += 1
        return written


def kept(journal: Journal, *numbers: int) -> None:
    journal.append(calls(numbers)).result(TIMEOUT_S)


def test_what_was_acknowledged_is_read_back(tmp_path: Path) -> None:
    with Journal(tmp_path, PROMPT) as journal:
        kept(journal, 1, 2)
        kept(journal, 3)
        assert drain(tmp_path) == [1, 2, 3]


def test_nothing_to_keep_is_kept_at_once(tmp_path: Path) -> None:
    with Journal(tmp_path, PROMPT) as journal:
        assert journal.append([]).done()


def test_a_closing_journal_writes_what_waits(tmp_path: Path) -> None:
    with Journal(tmp_path, PROMPT) as journal:
        futures = [journal.append([call(n)]) for n in range(100)]
    assert all(future.done() for future in futures)
    assert drain(tmp_path) == list(range(100))


def test_a_closed_journal_takes_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, PROMPT)
    journal.close()
    with pytest.raises(StoreError, match="closed"):
        journal.append([call(1)])


def test_requests_at_the_same_time_share_a_write_and_none_is_lost(tmp_path: Path) -> None:
    with Journal(tmp_path, PROMPT) as journal:
        futures: list[Future[None]] = [journal.append([call(n)]) for n in range(500)]
        for future in futures:
            future.result(TIMEOUT_S)
    assert sorted(drain(tmp_path)) == list(range(500))


def test_a_second_writer_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with Journal(tmp_path, PROMPT), pytest.raises(StoreError, match=f"process {os.getpid()} writes"):
        Journal(tmp_path, PROMPT)


def test_a_writer_that_closed_leaves_the_directory_to_the_next(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        with Journal(tmp_path, PROMPT) as journal:
            kept(journal, number)
    assert drain(tmp_path) == [1, 2, 3]


def test_a_directory_that_cannot_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        Journal(tmp_path / "file" / "journal", PROMPT)


def test_a_broken_checkpoint_is_an_error_at_the_start_and_the_lock_is_free_again(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("?")
    with pytest.raises(StoreError, match="checkpoint"):
        Journal(tmp_path, PROMPT)
    (tmp_path / "checkpoint").unlink()
    Journal(tmp_path, PROMPT).close()


def test_only_the_owner_may_read_what_people_wrote(tmp_path: Path) -> None:
    with Journal(tmp_path / "new", PROMPT) as journal:
        kept(journal, 1)
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    assert segment_path(tmp_path / "new", 1).stat().st_mode & 0o077 == 0


def test_a_full_segment_is_followed_by_a_new_one(tmp_path: Path) -> None:
    with Journal(tmp_path, msgspec.structs.replace(PROMPT, segment_bytes=1000)) as journal:
        for number in range(10):
            kept(journal, number)
    assert len(segment_numbers(tmp_path)) > 1
    assert drain(tmp_path) == list(range(10))


def test_segments_before_the_checkpoint_are_deleted_while_the_writer_runs(tmp_path: Path) -> None:
    with Journal(tmp_path, msgspec.structs.replace(PROMPT, segment_bytes=1)) as journal, JournalReader(tmp_path) as reader:
        for number in range(5):
            kept(journal, number)
        *_, (last, _) = [item for _ in range(5) for item in reader.read(timeout=5)]
        reader.commit(last)
        wait_until(lambda: segment_numbers(tmp_path) == [5])
        kept(journal, 5)
        assert [number_of(record) for _, record in reader.read(timeout=5)] == [5]


def test_lag_is_what_the_reader_has_not_taken_over(tmp_path: Path) -> None:
    with Journal(tmp_path, PROMPT) as journal, JournalReader(tmp_path) as reader:
        kept(journal, 1, 2, 3)
        before = journal.lag_bytes
        assert before > 0
        (position, _), *_ = reader.read(timeout=5)
        reader.commit(position)
        wait_until(lambda: 0 < journal.lag_bytes < before)
        reader.commit(reader.position)
        wait_until(lambda: journal.lag_bytes == 0)


def test_lag_is_still_known_after_a_restart(tmp_path: Path) -> None:
    with Journal(tmp_path, PROMPT) as journal:
        kept(journal, 1, 2, 3)
        lag = journal.lag_bytes
    with Journal(tmp_path, PROMPT) as journal:
        assert journal.lag_bytes == lag


def test_a_reader_that_is_too_far_behind_stops_the_senders_until_it_has_caught_up(tmp_path: Path) -> None:
    with Journal(tmp_path, msgspec.structs.replace(PROMPT, max_lag_bytes=2000)) as journal, JournalReader(tmp_path) as reader:
        journal.append([call(1, size=4000)]).result(TIMEOUT_S)
        with pytest.raises(BackpressureError) as refused:
            journal.append([call(2)])
        assert refused.value.retry_after_s > 0
        reader.read(timeout=5)
        reader.commit(reader.position)
        wait_until(lambda: journal.lag_bytes == 0)
        kept(journal, 2)
    assert drain(tmp_path) == [2]


def test_memory_for_what_waits_for_the_disk_is_bounded(tmp_path: Path) -> None:
    stuck, release = os.pipe()

    def write(file: int, data: memoryview) -> int:
        os.read(stuck, 1)
        return os.write(file, data)

    with Journal(tmp_path, msgspec.structs.replace(PROMPT, max_pending_bytes=1000), write) as journal:
        futures = [journal.append([call(0, size=2000)])]
        with pytest.raises(BackpressureError, match="wait for the disk"):
            journal.append([call(1)])
        os.write(release, b"go")
        futures[0].result(TIMEOUT_S)
        kept(journal, 2)
    os.close(stuck)
    os.close(release)
    assert drain(tmp_path) == [0, 2]


def test_a_full_disk_is_said_and_nothing_of_the_refused_batch_stays(tmp_path: Path) -> None:
    disk = Disk()
    with Journal(tmp_path, PROMPT, disk.write) as journal:
        kept(journal, 1)
        disk.free = 50
        with pytest.raises(StoreError, match="No space left"):
            kept(journal, 2)
        assert drain(tmp_path) == [1]


def test_writing_goes_on_when_space_returns_without_damage(tmp_path: Path) -> None:
    disk = Disk()
    damage: list[Damage] = []
    with Journal(tmp_path, PROMPT, disk.write) as journal:
        kept(journal, 1)
        disk.free = 50
        with pytest.raises(StoreError):
            kept(journal, 2)
        disk.free = 2**62
        wait_until(lambda: not journal.failure)
        kept(journal, 3)
    assert drain(tmp_path, damage=damage) == [1, 3]
    assert damage == []


def test_a_disk_with_too_little_free_space_takes_nothing_so_that_the_reader_can_still_write(tmp_path: Path) -> None:
    with Journal(tmp_path, JournalLimits(min_free_bytes=2**62)) as journal:
        with pytest.raises(StoreError, match="are free"):
            journal.append([call(1)])
        assert journal.failure


def test_nothing_is_acknowledged_before_the_disk_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is only in the page cache survives kill -9, but no power failure."""
    stuck, release = os.pipe()
    entered = threading.Event()
    sync = os.fdatasync

    def slow(file: int) -> None:
        entered.set()
        os.read(stuck, 1)
        sync(file)

    with Journal(tmp_path, PROMPT) as journal:
        monkeypatch.setattr(os, "fdatasync", slow)
        future = journal.append([call(1)])
        assert entered.wait(TIMEOUT_S)
        assert drain(tmp_path) == [1]
        assert not future.done()
        os.write(release, b"go")
        future.result(TIMEOUT_S)
    os.close(stuck)
    os.close(release)


def test_what_a_failed_fsync_left_is_cut_off_and_never_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with Journal(tmp_path, PROMPT) as journal:
        kept(journal, 1)
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", fail)
            with pytest.raises(StoreError, match="Input/output error"):
                kept(journal, 2)
        wait_until(lambda: not journal.failure)
        kept(journal, 3)
    assert drain(tmp_path) == [1, 3]
    assert len(segment_numbers(tmp_path)) == 2


def test_a_write_in_pieces_is_completed(tmp_path: Path) -> None:
    with Journal(tmp_path, PROMPT, lambda file, data: os.write(file, data[:7])) as journal:
        kept(journal, 1, 2)
    assert drain(tmp_path) == [1, 2]


def test_a_restart_never_writes_where_a_position_may_point_already(tmp_path: Path) -> None:
    """A reader can be ahead of what a crash left on disk: what comes then must not be hidden behind its position."""
    with Journal(tmp_path, PROMPT) as journal:
        kept(journal, 1)
    save_checkpoint(tmp_path, Position(1, 100_000))
    with Journal(tmp_path, PROMPT) as journal:
        kept(journal, 2)
    assert drain(tmp_path) == [2]


def test_a_segment_number_is_not_used_again_when_all_segments_are_gone(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, Position(9, 500))
    with Journal(tmp_path, PROMPT) as journal:
        kept(journal, 1)
    assert segment_numbers(tmp_path) == [10]


def test_a_torn_tail_is_cut_at_the_next_start_and_is_no_damage(tmp_path: Path) -> None:
    damage: list[Damage] = []
    with Journal(tmp_path, PROMPT) as journal:
        kept(journal, 1, 2)
    path = segment_path(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-3])
    with Journal(tmp_path, PROMPT) as journal:
        kept(journal, 3)
    assert drain(tmp_path, damage=damage) == [1, 3]
    assert damage == []


def test_damage_with_intact_frames_behind_it_is_kept_for_the_reader_to_report(tmp_path: Path) -> None:
    damage: list[Damage] = []
    with Journal(tmp_path, PROMPT) as journal:
        kept(journal, 1, 2, 3)
    path = segment_path(tmp_path, 1)
    data = bytearray(path.read_bytes())
    data[data.index(b"call 2")] ^= 1
    path.write_bytes(data)
    with Journal(tmp_path, PROMPT) as journal:
        kept(journal, 4)
    assert drain(tmp_path, damage=damage) == [1, 3, 4]
    assert [d.file for d in damage] == [str(path)]


def _write_until_killed(directory: Path, acknowledged: Connection) -> None:
    with Journal(directory, msgspec.structs.replace(PROMPT, segment_bytes=20_000)) as journal:
        for number in range(10**9):
            journal.append(calls([3 * number, 3 * number + 1, 3 * number + 2])).result(TIMEOUT_S)
            acknowledged.send(number)


@pytest.mark.parametrize("after", [1, 40, 150])
def test_every_acknowledged_record_survives_kill_9_exactly_once(tmp_path: Path, after: int) -> None:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    writer = context.Process(target=_write_until_killed, args=(tmp_path, theirs))
    writer.start()
    theirs.close()
    acknowledged = 0
    while acknowledged < after:
        assert ours.poll(TIMEOUT_S)
        acknowledged = ours.recv()
    writer.kill()
    writer.join(TIMEOUT_S)
    while ours.poll(0):
        try:
            acknowledged = ours.recv()
        except EOFError:
            break
    Journal(tmp_path, PROMPT).close()
    damage: list[Damage] = []
    found = drain(tmp_path, damage=damage)
    assert damage == []
    assert found == list(range(len(found)))
    assert len(found) >= 3 * (acknowledged + 1)


def _write_past_a_file_size_limit(directory: Path, answers: Connection) -> None:
    import resource

    with Journal(directory, PROMPT) as journal:
        journal.append([call(1)]).result(TIMEOUT_S)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
        try:
            journal.append([call(2, size=10_000)]).result(TIMEOUT_S)
        except StoreError as error:
            answers.send(str(error))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        wait_until(lambda: not journal.failure)
        journal.append([call(3)]).result(TIMEOUT_S)
        answers.send("recovered")


def test_a_write_that_the_operating_system_refuses_is_told_and_recovered_from(tmp_path: Path) -> None:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    writer = context.Process(target=_write_past_a_file_size_limit, args=(tmp_path, theirs))
    writer.start()
    assert ours.poll(TIMEOUT_S)
    assert "File too large" in ours.recv()
    assert ours.poll(TIMEOUT_S)
    assert ours.recv() == "recovered"
    writer.join(TIMEOUT_S)
    damage: list[Damage] = []
    assert drain(tmp_path, damage=damage) == [1, 3]
    assert damage == []
