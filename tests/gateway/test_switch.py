"""The kill switch: works by a file, and whatever is in that file breaks nothing."""

from pathlib import Path

import pytest

from holdfast.gateway.switch import Position, read_switch, write_switch


@pytest.mark.parametrize("position", list(Position))
def test_what_was_thrown_is_read(position: Position, tmp_path: Path) -> None:
    write_switch(tmp_path, position)
    assert read_switch(tmp_path) is position


@pytest.mark.parametrize(
    ("word", "position"),
    [
        (b" OFF\n", Position.OFF),
        (b"", Position.ON),
        (b"maybe", Position.ON),
        (b"\xff\xfe", Position.ON),
        (b"off" * 100, Position.ON),
    ],
    ids=["loud", "empty", "unknown", "bytes", "long"],
)
def test_a_person_may_write_it_with_any_editor(word: bytes, position: Position, tmp_path: Path) -> None:
    (tmp_path / "switch").write_bytes(word)
    assert read_switch(tmp_path) is position


def test_a_switch_that_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "switch").mkdir()
    assert read_switch(tmp_path, said.append) is Position.ON
    assert len(said) == 1
    assert read_switch(tmp_path / "nowhere", said.append) is Position.ON
    assert len(said) == 1


def test_a_word_that_is_no_position_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "switch").write_text("offf")
    assert read_switch(tmp_path, said.append) is Position.ON
    assert said == ["switch says 'offf', which is none of on, off, template"]
