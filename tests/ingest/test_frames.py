from pathlib import Path

import pytest

from holdfast.core.errors import StoreError, TooLargeError
from holdfast.ingest import frames
from holdfast.ingest.frames import (
    HEADER_BYTES,
    MARK,
    SegmentFile,
    frame,
    intact_end,
    next_intact,
    segment_header,
    segment_numbers,
    segment_path,
)

SALT = 0x5EED


def segment(directory: Path, *parts: bytes) -> SegmentFile:
    path = segment_path(directory, 1)
    path.write_bytes(segment_header(SALT) + b"".join(parts))
    return SegmentFile(path)


def payloads(opened: SegmentFile, offset: int = HEADER_BYTES) -> list[bytes]:
    return [found.payload for found in opened.frames(offset, 100)]


def test_frames_come_back_as_they_were_written(tmp_path: Path) -> None:
    with segment(tmp_path, frame(b"one", SALT), frame(b"", SALT), frame(b"three", SALT)) as opened:
        assert payloads(opened) == [b"one", b"", b"three"]


def test_each_frame_says_where_the_next_one_begins(tmp_path: Path) -> None:
    with segment(tmp_path, frame(b"one", SALT), frame(b"two", SALT)) as opened:
        first, second = opened.frames(HEADER_BYTES, 100)
        assert payloads(opened, first.end) == [b"two"]
        assert second.end == opened.size


@pytest.mark.parametrize("cut", range(1, len(frame(b"payload", SALT)) + 1))
def test_a_frame_that_is_cut_anywhere_is_no_frame(cut: int) -> None:
    assert intact_end(frame(b"payload", SALT)[:-cut], 0, SALT) is None


@pytest.mark.parametrize("at", range(len(frame(b"payload", SALT))))
def test_a_frame_with_any_byte_changed_is_no_frame(at: int) -> None:
    data = bytearray(frame(b"payload", SALT) + bytes(100))
    data[at] ^= 0x40
    assert intact_end(bytes(data), 0, SALT) is None


def test_zeros_that_a_crash_left_are_no_frames() -> None:
    assert intact_end(bytes(4096), 0, 0) is None


def test_a_frame_of_another_salt_is_no_frame_so_that_text_cannot_pass_for_one() -> None:
    forged = frame(b"forged", SALT + 1)
    outer = frame(b"text with " + forged + b" inside", SALT)
    assert next_intact(outer, 1, SALT) is None


def test_reading_starts_again_behind_damage(tmp_path: Path) -> None:
    good = frame(b"good", SALT)
    with segment(tmp_path, MARK + b"\xff" * 30, good) as opened:
        assert payloads(opened) == []
        resumed = opened.resume_after(HEADER_BYTES)
        assert resumed is not None
        assert payloads(opened, resumed) == [b"good"]


def test_a_length_that_cannot_be_is_damage_not_an_allocation(tmp_path: Path) -> None:
    huge = MARK + (2**32 - 1).to_bytes(4, "little") + bytes(8)
    with segment(tmp_path, huge, frame(b"good", SALT)) as opened:
        assert opened.frames(HEADER_BYTES, 1) == []


def test_a_frame_larger_than_a_window_is_read_whole(tmp_path: Path) -> None:
    large = b"x" * (3 * frames.WINDOW_BYTES)
    with segment(tmp_path, frame(large, SALT), frame(b"after", SALT)) as opened:
        (found,) = opened.frames(HEADER_BYTES, 10)
        assert found.payload == large
        assert payloads(opened, found.end) == [b"after"]


def test_a_record_too_large_for_a_frame_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 100)
    with pytest.raises(TooLargeError, match="100"):
        frame(b"x" * 100, SALT)


def test_a_segment_of_another_version_is_named(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 1)
    path.write_bytes(b"HOLDFAST" + (99).to_bytes(4, "little") + bytes(4))
    with pytest.raises(StoreError, match=r"000000000001\.segment"):
        SegmentFile(path)


def test_a_segment_whose_header_is_not_yet_there_is_empty_until_it_is(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 1)
    path.write_bytes(segment_header(SALT)[:7])
    with SegmentFile(path) as opened:
        assert payloads(opened) == []
        assert opened.resume_after(HEADER_BYTES) is None
        path.write_bytes(segment_header(SALT) + frame(b"now", SALT))
        assert payloads(opened) == [b"now"]


def test_segments_are_found_in_the_order_of_their_numbers_and_nothing_else_is(tmp_path: Path) -> None:
    for name in ("lock", "checkpoint", "notes.segment"):
        (tmp_path / name).touch()
    for number in (10, 9, 100):
        segment_path(tmp_path, number).touch()
    assert segment_numbers(tmp_path) == [9, 10, 100]
