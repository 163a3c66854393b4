"""The spool: what was appended is read once and in order, and what does not fit is counted, never silently gone."""

import errno
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.gateway.spool import SpoolLimits, SpoolReader, SpoolWriter, segments, waiting_bytes

SMALL = SpoolLimits(segment_bytes=100, max_bytes=1000, min_free_bytes=0)


def lines(start: int, count: int) -> list[bytes]:
    return [b'{"n":%d}' % n for n in range(start, start + count)]


def drain(reader: SpoolReader) -> list[bytes]:
    found: list[bytes] = []
    while (batch := reader.read(50))[0]:
        found += batch[0]
        reader.commit(batch[1])
    return found


def test_lines_come_out_once_in_order_across_segments_and_what_was_sent_goes(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, SMALL)
    for n in range(10):
        writer.append(lines(n * 5, 5))
    reader = SpoolReader(tmp_path)
    assert drain(reader) == lines(0, 50)
    assert len(segments(tmp_path)) == 1
    assert reader.waiting() == 0


def test_after_a_crash_the_reader_goes_on_where_it_had_committed(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, SMALL)
    writer.append(lines(0, 30))
    first = SpoolReader(tmp_path)
    batch, place = first.read(40)
    first.commit(place)
    first.read(40)
    assert drain(SpoolReader(tmp_path)) == lines(len(batch), 30 - len(batch))


def test_a_writer_that_starts_again_never_writes_where_was_sent_already(tmp_path: Path) -> None:
    SpoolWriter(tmp_path, SMALL).append(lines(0, 3))
    reader = SpoolReader(tmp_path)
    drain(reader)
    for path in tmp_path.glob("*.jsonl"):
        path.unlink()
    SpoolWriter(tmp_path, SMALL).append(lines(3, 3))
    assert drain(SpoolReader(tmp_path)) == lines(3, 3)


def test_a_line_that_was_torn_by_a_crash_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    SpoolWriter(tmp_path, SMALL).append(lines(0, 3))
    path = next(tmp_path.glob("*.jsonl"))
    path.write_bytes(path.read_bytes() + b'{"torn')
    SpoolWriter(tmp_path, SMALL).append(lines(3, 2))
    assert drain(SpoolReader(tmp_path)) == lines(0, 5)


def test_what_does_not_fit_is_dropped_and_counted_and_room_is_used_again(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, SMALL)
    for n in range(100):
        writer.append(lines(n * 10, 10))
    assert writer.written + writer.dropped == 1000
    assert waiting_bytes(tmp_path) <= SMALL.max_bytes
    assert writer.failure
    drain(SpoolReader(tmp_path))
    before = writer.dropped
    writer.append(lines(0, 1))
    assert (writer.dropped, writer.failure) == (before, "")


def test_a_full_disk_loses_only_what_could_not_be_written_and_leaves_no_half_line(tmp_path: Path) -> None:
    import os

    room = [120]

    def write(descriptor: int, data: bytes) -> int:
        taken = min(len(data), room[0])
        if taken == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= taken
        return os.write(descriptor, data[:taken])

    writer = SpoolWriter(tmp_path, SpoolLimits(segment_bytes=1000, min_free_bytes=0), write)
    for n in range(10):
        writer.append(lines(n * 4, 4))
    assert writer.dropped > 0
    assert "No space" in writer.failure
    room[0] = 10_000
    writer.append(lines(100, 2))
    found = drain(SpoolReader(tmp_path))
    assert found[-2:] == lines(100, 2)
    assert len(found) == writer.written


def test_too_little_free_space_is_a_full_spool(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, SpoolLimits(min_free_bytes=2**62))
    writer.append(lines(0, 3))
    assert (writer.written, writer.dropped) == (0, 3)


def test_a_place_that_is_unreadable_sends_everything_again_rather_than_nothing(tmp_path: Path) -> None:
    SpoolWriter(tmp_path, SMALL).append(lines(0, 3))
    (tmp_path / "shipped").write_bytes(b"rubbish")
    assert drain(SpoolReader(tmp_path)) == lines(0, 3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), max_size=30))
def test_any_order_of_writing_reading_and_restarting_loses_and_doubles_nothing(
    tmp_path_factory: object, steps: list[tuple[int, bool, bool]]
) -> None:
    directory: Path = tmp_path_factory.mktemp("spool")  # type: ignore[attr-defined]
    limits = SpoolLimits(segment_bytes=60, min_free_bytes=0)
    writer, reader = SpoolWriter(directory, limits), SpoolReader(directory)
    sent: list[bytes] = []
    written = 0
    for count, reads, restarts in steps:
        writer.append(lines(written, count))
        written += count
        if restarts:
            writer.close()
            writer, reader = SpoolWriter(directory, limits), SpoolReader(directory)
        if reads:
            batch, place = reader.read(40)
            reader.commit(place)
            sent += batch
    assert sent + drain(reader) == lines(0, written)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 400), max_size=25))
def test_however_large_what_is_appended_the_bound_is_kept_to_the_byte(sizes: list[int]) -> None:
    with TemporaryDirectory() as folder:
        writer = SpoolWriter(Path(folder), SMALL)
        for size in sizes:
            writer.append([b"x" * size])
            assert waiting_bytes(Path(folder)) <= SMALL.max_bytes
        writer.close()
        assert writer.written + writer.dropped == len(sizes)
