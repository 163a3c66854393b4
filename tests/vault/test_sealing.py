from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from holdfast.vault.keys import VaultKeys, load_keys, new_key_line, rotated
from holdfast.vault.sealing import UnopenedError, seal, unseal
from tests.vault.conftest import original

SOME = VaultKeys("0123abcd", {"0123abcd": AESGCM(b"k" * 32)})
VALUES = (
    "joe@example.com",
    "",
    "a\x00b\x1b[31m\u202egpj.exe",
    "<script>alert(1)</script>",
    "\U0001f600 日本語",
    "x" * 1_000_000,
)


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_what_was_sealed_is_what_opens(keys: VaultKeys, value: str) -> None:
    assert unseal(seal(original(value, code="1" * 64), keys), keys) == value


@given(st.text())
def test_any_text_comes_back(value: str) -> None:
    assert unseal(seal(original(value, code="1" * 64), SOME), SOME) == value


def test_half_a_surrogate_pair_becomes_a_question_mark(keys: VaultKeys) -> None:
    assert unseal(seal(original("a\ud800b", code="1" * 64), keys), keys) == "a?b"


def test_the_value_is_not_in_what_is_stored_and_no_two_seals_are_alike(keys: VaultKeys) -> None:
    one, other = (seal(original("joe@example.com"), keys) for _ in range(2))
    assert b"joe" not in one.sealed
    assert one.sealed != other.sealed


@pytest.mark.parametrize("field", ["application", "entity", "code"])
def test_an_original_that_is_moved_to_something_else_does_not_open(keys: VaultKeys, field: str) -> None:
    moved = msgspec.structs.replace(seal(original(), keys), **{field: "2" * 64})
    with pytest.raises(UnopenedError, match="does not open"):
        unseal(moved, keys)


@pytest.mark.parametrize("at", [0, 12, -1], ids=["nonce", "ciphertext", "tag"])
def test_one_changed_bit_is_noticed(keys: VaultKeys, at: int) -> None:
    sealed = seal(original(), keys)
    content = bytearray(sealed.sealed)
    content[at] ^= 1
    with pytest.raises(UnopenedError, match="it was changed"):
        unseal(msgspec.structs.replace(sealed, sealed=bytes(content)), keys)


@pytest.mark.parametrize("length", [0, 5, 12, 27])
def test_what_was_cut_short_does_not_open(keys: VaultKeys, length: int) -> None:
    sealed = seal(original(), keys)
    with pytest.raises(UnopenedError):
        unseal(msgspec.structs.replace(sealed, sealed=sealed.sealed[:length]), keys)


def test_another_key_is_named_by_its_id_and_nothing_else(keys: VaultKeys, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(new_key_line())
    path.chmod(0o600)
    with pytest.raises(UnopenedError, match=f"key {keys.current}, which vault.key_file does not have"):
        unseal(seal(original(), keys), load_keys(path))


def test_after_a_rotation_the_old_opens_and_the_new_seals(key_file: Path, keys: VaultKeys) -> None:
    before = seal(original(), keys)
    key_file.write_bytes(rotated(key_file.read_bytes()))
    after = load_keys(key_file)
    assert unseal(before, after) == "joe@example.com"
    assert seal(original(), after).key_id != before.key_id
