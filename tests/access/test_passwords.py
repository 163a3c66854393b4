"""Passwords are kept as argon2id hashes only."""

import pytest

from holdfast.access.passwords import Passwords
from holdfast.core.errors import InputError


def test_a_password_matches_its_hash_and_no_other(passwords: Passwords) -> None:
    stored = passwords.hash("twelve chars!")
    assert stored.startswith("$argon2id$")
    assert passwords.matches(stored, "twelve chars!")
    assert not passwords.matches(stored, "Twelve chars!")


@pytest.mark.parametrize("stored", ["", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$broken"])
def test_a_hash_that_is_none_matches_nothing(passwords: Passwords, stored: str) -> None:
    assert not passwords.matches(stored, "nobody has this password")


@pytest.mark.parametrize("length", [0, 11, 257])
def test_a_length_out_of_range_is_refused(passwords: Passwords, length: int) -> None:
    with pytest.raises(InputError):
        passwords.hash("x" * length)


def test_the_standard_hasher_is_a_slow_one() -> None:
    parameters = Passwords().hash("twelve chars!").split("$")[3]
    assert parameters == "m=65536,t=3,p=4"
