"""Sealing and opening one original: AES-256-GCM with a random nonce of 96 bits, bound to what it is the original of.

NIST SP 800-38D, 8.3, allows 2^32 random nonces a key; a vault that is bounded in rows stays far below, and keys can be rotated.
"""

import secrets

import msgspec
from cryptography.exceptions import InvalidTag

from holdfast.context.originals import Original
from holdfast.core.errors import ConflictError
from holdfast.vault.keys import VaultKeys

NONCE_BYTES = 12


class UnopenedError(ConflictError):
    """What the vault holds does not open: another key sealed it, or it was changed."""


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """An original as the vault holds it. `sealed` is nonce, ciphertext and tag."""

    application: str
    entity: str
    digits: str
    code: str
    key_id: str
    sealed: bytes
    seen_ns: int


def seal(original: Original, keys: VaultKeys) -> Sealed:
    """`original`, sealed with the current key. Half a surrogate pair, which no text holds, becomes a question mark."""
    nonce, value = secrets.token_bytes(NONCE_BYTES), original.value.encode("utf-8", "replace")
    bound = _bound(*original.key)
    return Sealed(
        application=original.application,
        entity=original.entity.value,
        digits=original.pseudonym.digits,
        code=original.code,
        key_id=keys.current,
        sealed=nonce + keys.ciphers[keys.current].encrypt(nonce, value, bound),
        seen_ns=original.time_ns,
    )


def unseal(found: Sealed, keys: VaultKeys) -> str:
    """The value.

    Raises:
        UnopenedError: its key is not among `keys`, or it is not what was sealed for this application and pseudonym.
    """
    what = f"the original of {found.entity}:{found.digits}"
    cipher = keys.ciphers.get(found.key_id)
    if cipher is None:
        raise UnopenedError(f"{what} was sealed with key {found.key_id[:64]}, which vault.key_file does not have")
    nonce, ciphertext = found.sealed[:NONCE_BYTES], found.sealed[NONCE_BYTES:]
    try:
        value = cipher.decrypt(nonce, ciphertext, _bound(found.application, found.entity, found.code))
    except (InvalidTag, ValueError):
        raise UnopenedError(f"{what} does not open: it was changed, or key {found.key_id[:64]} is another one now") from None
    return value.decode("utf-8", "replace")


def _bound(application: str, entity: str, code: str) -> bytes:
    """What the seal vouches for: moved to another application or pseudonym, it does not open."""
    return msgspec.json.encode([application, entity, code])
