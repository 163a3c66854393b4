"""Identifiers: random where something is made once, derived where a replay must make the same one again."""

import hashlib
import secrets


def random_id(prefix: str) -> str:
    """A new identifier such as ``inc_4f9c2e81a7b3``: the prefix says of what."""
    return f"{prefix}_{secrets.token_hex(6)}"


def derived_id(prefix: str, *parts: object) -> str:
    """An identifier that depends on nothing but `parts`, so that a replay after a crash makes the same one."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{prefix}_{digest[:12]}"
