from pathlib import Path

import pytest

from holdfast.core.errors import ConfigurationError
from holdfast.vault.keys import MAX_KEYS, load_keys, new_key_line, rotated


def written(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_first_key_seals_and_all_open(tmp_path: Path) -> None:
    first, second = new_key_line(), new_key_line()
    keys = load_keys(written(tmp_path / "k", first + b"\n" + second))
    assert keys.current == first.split()[0].decode()
    assert set(keys.ciphers) == {line.split()[0].decode() for line in (first, second)}


def test_a_new_key_comes_first_and_the_others_stay(tmp_path: Path) -> None:
    old = new_key_line()
    lines = rotated(old).splitlines(keepends=True)
    assert len(lines) == 2
    assert lines[0] != old
    assert lines[1] == old


def test_keys_do_not_grow_without_end(tmp_path: Path) -> None:
    lines = b""
    for _ in range(MAX_KEYS + 5):
        lines = rotated(lines)
    assert len(load_keys(written(tmp_path / "k", lines)).ciphers) == MAX_KEYS


@pytest.mark.parametrize("mode", [0o604, 0o606, 0o644, 0o666], ids=oct)
def test_a_file_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "k", new_key_line(), mode)
    with pytest.raises(ConfigurationError, match=f"chmod 600 {path}"):
        load_keys(path)


def test_a_group_may_read_it_as_containers_want(tmp_path: Path) -> None:
    assert load_keys(written(tmp_path / "k", new_key_line(), 0o440)).current


KEY = new_key_line().split()[1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"0123abcd",
        KEY,
        b"0123abcd " + KEY[:-8],
        b"0123abcd " + KEY + b" more",
        b"0123ABCD " + KEY,
        b"01234567 !" + KEY[1:],
        b"0123abcd " + KEY + b"\n0123abcd " + KEY,
        b"\xff\xfe " + KEY,
        b"0123abcd " + KEY + b"\n" + b"x" * 9_000,
    ],
    ids=range(11),
)
def test_what_is_no_file_of_keys_is_refused_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"vault\.key_file") as caught:
        load_keys(written(tmp_path / "k", content))
    assert KEY[:10].decode() not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load_keys(tmp_path / "none")


def test_no_key_is_in_the_repr(tmp_path: Path) -> None:
    line = new_key_line()
    assert line.split()[1].decode() not in repr(load_keys(written(tmp_path / "k", line)))


def test_two_keys_are_never_the_same() -> None:
    assert len({new_key_line() for _ in range(20)}) == 20
