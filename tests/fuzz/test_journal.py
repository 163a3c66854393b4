"""Whatever happens to the bytes of a journal: what is intact is read, what is not is reported, nothing is made up."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.ingest.frames import HEADER_BYTES, frame, segment_header, segment_path
from holdfast.ingest.journal import Damage, Journal
from holdfast.ingest.record import encode_record
from tests.ingest.journals import PROMPT, call, calls, drain

SALT = 0x5EED
FRAMES = [frame(encode_record(call(number, size=7 * number)), SALT) for number in range(4)]
WHOLE = segment_header(SALT) + b"".join(FRAMES)


def read_after(data: bytes, *, restart: bool) -> tuple[list[int], list[Damage]]:
    damage: list[Damage] = []
    with TemporaryDirectory() as name:
        directory = Path(name)
        segment_path(directory, 1).write_bytes(data)
        if restart:
            with Journal(directory, PROMPT) as journal:
                journal.append(calls([99])).result(20)
        return drain(directory, damage=damage), damage


def test_a_tail_torn_at_any_byte_of_the_last_frame_loses_that_frame_only(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 1)
    for cut in range(1, len(FRAMES[-1]) + 1):
        path.write_bytes(WHOLE[:-cut])
        Journal(tmp_path, PROMPT).close()
        damage: list[Damage] = []
        assert drain(tmp_path, damage=damage) == [0, 1, 2], cut
        assert damage == [], cut
        assert path.stat().st_size == len(WHOLE) - len(FRAMES[-1])


@pytest.mark.parametrize("cut", [1, len(FRAMES[-1]) // 2, len(FRAMES[-1]) - 1, len(FRAMES[-1])])
def test_writing_goes_on_behind_a_torn_tail(cut: int) -> None:
    assert read_after(WHOLE[:-cut], restart=True) == ([0, 1, 2, 99], [])


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, len(WHOLE)))
def test_a_live_segment_cut_anywhere_gives_a_prefix_and_waits(cut: int) -> None:
    found, damage = read_after(WHOLE[:cut], restart=False)
    assert found == list(range(len(found)))
    assert damage == []


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(HEADER_BYTES, len(WHOLE) - 1),
    change=st.binary(min_size=1, max_size=40),
)
def test_overwritten_bytes_lose_only_the_frames_they_touch_and_are_reported(at: int, change: bytes) -> None:
    data = WHOLE[:at] + change + WHOLE[at + len(change) :]
    data = data[: len(WHOLE)]
    found, damage = read_after(data, restart=False)
    intact = []
    offset = HEADER_BYTES
    for number, expected in enumerate(FRAMES):
        if data[offset : offset + len(expected)] == expected:
            intact.append(number)
        offset += len(expected)
    assert found == intact
    if intact and len(found) < 1 + max(intact):
        assert damage
    for item in damage:
        assert at + len(change) > item.offset
        assert item.length > 0


@settings(max_examples=40, deadline=None)
@given(noise=st.binary(max_size=400))
def test_noise_is_never_read_as_records(noise: bytes) -> None:
    found, _ = read_after(segment_header(SALT) + noise, restart=True)
    assert found == [99]
