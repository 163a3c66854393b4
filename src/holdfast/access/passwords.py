"""Passwords: argon2id, and a check that takes as long for an account that does not exist."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.core.errors import InputError

SHORTEST, LONGEST = 12, 256
"""Length of a password in characters: length is what counts (NIST SP 800-63B); a limit keeps hashing cheap."""


class Passwords:
    """Hashes and checks passwords.

    Args:
        hasher: argon2id with the library's current parameters (RFC 9106's second choice); tests take cheaper ones.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The encoded hash, salt and parameters included.

        Raises:
            InputError: the password is too short or too long.
        """
        if not SHORTEST <= len(password) <= LONGEST:
            raise InputError(f"a password has {SHORTEST} to {LONGEST} characters, this one has {len(password)}", "password")
        return self._hasher.hash(password)

    def matches(self, stored: str, password: str) -> bool:
        """Whether `password` is the one that `stored` was made from. Empty `stored`: false, after the same work."""
        try:
            good = self._hasher.verify(stored or self._nobody, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return good and bool(stored)
