"""The keys of the vault: a file of one key a line, the first of which seals; the others still open what they sealed."""

import base64
import binascii
import secrets
import stat
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.core.errors import ConfigurationError

KEY_BYTES = 32
ID_DIGITS = 8
MAX_KEYS = 16
MAX_FILE_BYTES = 8_192


class VaultKeys(msgspec.Struct, frozen=True):
    """Key id → cipher; `current` is the id of the one that seals. Its `repr` holds no key."""

    current: str
    ciphers: dict[str, AESGCM]


def new_key_line() -> bytes:
    """A line with a new key: its id, a blank, 32 random bytes in base64."""
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return f"{secrets.token_hex(ID_DIGITS // 2)} {key}\n".encode()


def rotated(lines: bytes) -> bytes:
    """The content of a key file with a new key in front. The others go on opening; beyond 16 the last is left out."""
    kept = [line for line in lines.splitlines(keepends=True) if line.strip()][: MAX_KEYS - 1]
    return new_key_line() + b"".join(kept)


def load_keys(path: Path) -> VaultKeys:
    """The keys of a file.

    Raises:
        ConfigurationError: it is missing, others than owner and group can read it, or a line is no key; a key is never quoted.
    """
    try:
        with path.open("rb") as file:
            mode, content = stat.S_IMODE(path.stat().st_mode), file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"vault.key_file {path}: {error.strerror}") from None
    if mode & 0o007:
        raise ConfigurationError(f"vault.key_file {path}: others can read or write it (mode {mode:o}): chmod 600 {path}")
    lines = [line.split() for line in content.splitlines() if line.strip()]
    if not lines or len(content) > MAX_FILE_BYTES or len(lines) > MAX_KEYS:
        raise ConfigurationError(f"vault.key_file {path}: must hold 1 to {MAX_KEYS} keys, one a line")
    found = [_key(path, number, line) for number, line in enumerate(lines, 1)]
    ciphers = {key_id: AESGCM(key) for key_id, key in found}
    if len(ciphers) != len(found):
        raise ConfigurationError(f"vault.key_file {path}: two keys have the same id")
    return VaultKeys(found[0][0], ciphers)


def _key(path: Path, number: int, line: list[bytes]) -> tuple[str, bytes]:
    wrong = f"vault.key_file {path}: line {number} is not an id of {ID_DIGITS} hex digits, a blank, and 32 bytes in base64"
    if len(line) != 2 or len(line[0]) != ID_DIGITS or set(line[0]) - set(b"0123456789abcdef"):
        raise ConfigurationError(wrong)
    try:
        key = base64.b64decode(line[1], validate=True)
    except binascii.Error:
        raise ConfigurationError(wrong) from None
    if len(key) != KEY_BYTES:
        raise ConfigurationError(wrong)
    return line[0].decode(), key
