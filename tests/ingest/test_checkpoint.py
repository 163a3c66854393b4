from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from holdfast.core.errors import StoreError
from holdfast.ingest.checkpoint import FILE_NAME, Position, load_checkpoint, make_once, replace_file, save_checkpoint


def test_a_saved_position_is_loaded_again(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, Position(3, 70))
    save_checkpoint(tmp_path, Position(4, 16))
    assert load_checkpoint(tmp_path, Position()) == Position(4, 16)


def test_without_a_checkpoint_the_default_holds(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path, Position(7, 7)) == Position(7, 7)


def test_nothing_but_the_checkpoint_is_left_behind(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, Position(1, 1))
    assert [p.name for p in tmp_path.iterdir()] == [FILE_NAME]


def test_a_crash_while_saving_leaves_the_old_position(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, Position(1, 1))
    (tmp_path / "checkpoint.new").write_bytes(b'{"segm')
    assert load_checkpoint(tmp_path, Position()) == Position(1, 1)
    save_checkpoint(tmp_path, Position(2, 2))
    assert load_checkpoint(tmp_path, Position()) == Position(2, 2)


@pytest.mark.parametrize("content", [b"", b"12", b"{", b'{"segment": "x"}', b"\xff\xfe", b"[1, 2]"])
def test_a_checkpoint_that_is_none_is_an_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StoreError, match="checkpoint"):
        load_checkpoint(tmp_path, Position())


def test_a_directory_that_is_gone_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="checkpoint"):
        save_checkpoint(tmp_path / "gone", Position(1, 1))


def test_positions_are_ordered_as_the_journal_is_read() -> None:
    assert Position(1, 900) < Position(2, 16) < Position(2, 17)
    assert str(Position(12, 4096)) == "12:4096"


def test_a_file_is_replaced_as_a_whole_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"old")
    path.chmod(0o644)
    left = tmp_path / "state.new"
    left.write_bytes(b"half written, and longer than what comes")
    left.chmod(0o666)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_replaced_stays_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"old")
    (tmp_path / "state.new").mkdir()
    with pytest.raises(StoreError, match="state"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"


def test_of_many_that_make_a_file_at_once_one_does_and_all_read_the_same(tmp_path: Path) -> None:
    def made(number: int) -> bytes:
        path = tmp_path / f"key{number // 8}"
        make_once(path, b"%04d" % number)
        return path.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(made, range(160)))
    assert [len(set(read[at : at + 8])) for at in range(0, 160, 8)] == [1] * 20
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"key{n}" for n in range(20))


def test_a_file_that_is_there_is_not_made_again_and_a_folder_that_is_gone_is_a_store_error(tmp_path: Path) -> None:
    make_once(tmp_path / "key", b"first")
    make_once(tmp_path / "key", b"second")
    assert (tmp_path / "key").read_bytes() == b"first"
    with pytest.raises(StoreError, match="key"):
        make_once(tmp_path / "gone" / "key", b"x")
