from pathlib import Path

import pytest

from holdfast.core.errors import StoreError
from holdfast.ingest.checkpoint import Position, save_checkpoint
from holdfast.ingest.frames import HEADER_BYTES, frame, segment_header, segment_path
from holdfast.ingest.record import encode_record
from holdfast.ingest.tail import LONGEST_PAUSE_S, Damage, JournalReader
from tests.ingest.journals import call, drain, number_of

SALT = 0x5EED


def framed(number: int) -> bytes:
    return frame(encode_record(call(number)), SALT)


def write_segment(directory: Path, segment: int, *parts: bytes) -> Path:
    path = segment_path(directory, segment)
    path.write_bytes(segment_header(SALT) + b"".join(parts))
    return path


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def numbers(reader: JournalReader) -> list[int]:
    return [number_of(record) for _, record in reader.read(timeout=0)]


def test_records_come_in_order_over_segments(tmp_path: Path) -> None:
    write_segment(tmp_path, 1, framed(1), framed(2))
    write_segment(tmp_path, 2)
    write_segment(tmp_path, 5, framed(3))
    assert drain(tmp_path) == [1, 2, 3]


def test_an_empty_or_missing_directory_has_no_records_yet(tmp_path: Path) -> None:
    assert drain(tmp_path) == []
    assert drain(tmp_path / "missing") == []


def test_no_more_records_are_given_than_asked_for(tmp_path: Path) -> None:
    write_segment(tmp_path, 1, framed(1), framed(2), framed(3))
    with JournalReader(tmp_path) as reader:
        assert len(reader.read(max_records=2, timeout=0)) == 2
        assert numbers(reader) == [3]


def test_reading_from_the_position_behind_a_record_gives_the_next_one(tmp_path: Path) -> None:
    write_segment(tmp_path, 1, framed(1), framed(2), framed(3))
    with JournalReader(tmp_path) as reader:
        (_, (behind_second, _), _) = reader.read(timeout=0)
    assert drain(tmp_path, behind_second) == [3]


def test_a_reader_starts_at_the_checkpoint(tmp_path: Path) -> None:
    write_segment(tmp_path, 1, framed(1), framed(2))
    with JournalReader(tmp_path) as reader:
        ((behind_first, _), _) = reader.read(timeout=0)
        reader.commit(behind_first)
    assert drain(tmp_path) == [2]


def test_a_reader_whose_segment_is_gone_starts_at_the_next_one(tmp_path: Path) -> None:
    write_segment(tmp_path, 4, framed(4))
    assert drain(tmp_path, Position(2, 9999)) == [4]


def test_a_position_behind_the_end_of_a_sealed_segment_leads_to_the_next_one(tmp_path: Path) -> None:
    """A writer that failed cuts off what was not yet on disk, which a fast reader may have seen already."""
    write_segment(tmp_path, 1, framed(1))
    write_segment(tmp_path, 2, framed(2))
    assert drain(tmp_path, Position(1, 100_000)) == [2]


def test_a_half_written_frame_is_waited_for(tmp_path: Path) -> None:
    damage: list[Damage] = []
    whole = framed(2)
    path = write_segment(tmp_path, 1, framed(1), whole[:20])
    with JournalReader(tmp_path, on_damage=damage.append) as reader:
        assert numbers(reader) == [1]
        assert numbers(reader) == []
        append(path, whole[20:])
        assert numbers(reader) == [2]
    assert damage == []


def test_a_half_written_frame_is_given_up_when_the_writer_has_gone_on(tmp_path: Path) -> None:
    damage: list[Damage] = []
    write_segment(tmp_path, 1, framed(1), framed(2)[:20])
    with JournalReader(tmp_path, on_damage=damage.append) as reader:
        assert numbers(reader) == [1]
        assert numbers(reader) == []
        write_segment(tmp_path, 2, framed(3))
        assert numbers(reader) == [3]
    assert [item.length for item in damage] == [20]


def test_a_new_segment_is_followed(tmp_path: Path) -> None:
    write_segment(tmp_path, 1, framed(1))
    with JournalReader(tmp_path) as reader:
        assert numbers(reader) == [1]
        write_segment(tmp_path, 2, framed(2))
        assert numbers(reader) == [2]


def test_a_damaged_frame_is_reported_with_file_and_offset_and_the_next_one_is_read(tmp_path: Path) -> None:
    damage: list[Damage] = []
    bad = bytearray(framed(2))
    bad[-3] ^= 1
    path = write_segment(tmp_path, 1, framed(1), bytes(bad), framed(3))
    assert drain(tmp_path, damage=damage) == [1, 3]
    assert damage == [Damage(str(path), HEADER_BYTES + len(framed(1)), len(bad), "a frame is damaged")]


def test_damage_to_a_length_field_loses_that_frame_only(tmp_path: Path) -> None:
    damage: list[Damage] = []
    bad = bytearray(framed(2))
    bad[6] = 0x7F
    write_segment(tmp_path, 1, framed(1), bytes(bad), framed(3), framed(4))
    assert drain(tmp_path, damage=damage) == [1, 3, 4]
    assert len(damage) == 1


def test_damage_up_to_the_end_of_a_sealed_segment_is_reported(tmp_path: Path) -> None:
    damage: list[Damage] = []
    write_segment(tmp_path, 1, framed(1), framed(2)[:-5])
    write_segment(tmp_path, 2, framed(3))
    assert drain(tmp_path, damage=damage) == [1, 3]
    assert [d.length for d in damage] == [len(framed(2)) - 5]


def test_an_intact_frame_that_holds_no_record_is_reported(tmp_path: Path) -> None:
    damage: list[Damage] = []
    write_segment(tmp_path, 1, frame(b"cnonsense", SALT), frame(b"?", SALT, kind=77), framed(3))
    assert drain(tmp_path, damage=damage) == [3]
    assert len(damage) == 2
    assert "77" in damage[1].reason


def test_a_sealed_segment_without_a_readable_header_is_reported_as_a_whole(tmp_path: Path) -> None:
    damage: list[Damage] = []
    segment_path(tmp_path, 1).write_bytes(b"no journal, but longer than a header")
    write_segment(tmp_path, 2, framed(2))
    assert drain(tmp_path, damage=damage) == [2]
    assert damage[0].offset == 0


def test_a_journal_of_which_nothing_can_be_read_is_an_error(tmp_path: Path) -> None:
    segment_path(tmp_path, 1).write_bytes(b"no journal, but longer than a header")
    with pytest.raises(StoreError, match="segment"):
        drain(tmp_path)


def test_a_checkpoint_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("?")
    with pytest.raises(StoreError, match="checkpoint"):
        JournalReader(tmp_path)


def test_waiting_for_a_record_pauses_longer_and_longer_but_never_long(tmp_path: Path) -> None:
    pauses: list[float] = []
    write_segment(tmp_path, 1)

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 10:
            append(segment_path(tmp_path, 1), framed(1))

    with JournalReader(tmp_path, sleep=sleep) as reader:
        assert [number_of(record) for _, record in reader.read(timeout=60)] == [1]
    assert pauses == sorted(pauses)
    assert max(pauses) == LONGEST_PAUSE_S


def test_a_read_that_times_out_is_empty(tmp_path: Path) -> None:
    with JournalReader(tmp_path) as reader:
        assert reader.read(timeout=0.01) == []


def test_a_commit_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with JournalReader(tmp_path / "missing") as reader, pytest.raises(StoreError):
        reader.commit(Position(1, 16))


def test_a_checkpoint_saved_elsewhere_does_not_move_a_running_reader(tmp_path: Path) -> None:
    write_segment(tmp_path, 1, framed(1), framed(2))
    with JournalReader(tmp_path) as reader:
        assert len(reader.read(max_records=1, timeout=0)) == 1
        save_checkpoint(tmp_path, Position(1, HEADER_BYTES))
        assert numbers(reader) == [2]
