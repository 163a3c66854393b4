"""A vault with one original in it."""

from pathlib import Path

from holdfast.context.entities import Entity
from holdfast.context.originals import Original
from holdfast.core.clock import Clock
from holdfast.vault.keys import load_keys, new_key_line
from holdfast.vault.store import Vault, VaultPolicy

VALUE = "joe@example.com"
CODE = "3fa9c1d2" + "0" * 56
PSEUDONYM = "EMAIL_ADDRESS:3fa9c1d2"


def filled(folder: Path, clock: Clock, value: str = VALUE, application: str = "shop") -> Vault:
    """A vault in `folder` that has `value` under `PSEUDONYM`."""
    keys = folder / "vault.key"
    if not keys.exists():
        keys.write_bytes(new_key_line())
        keys.chmod(0o600)
    vault = Vault(f"sqlite:///{folder}/vault.sqlite", load_keys(keys), VaultPolicy(), clock)
    vault.keep([original(clock, value, application)])
    return vault


def original(clock: Clock, value: str = VALUE, application: str = "shop") -> Original:
    """What is in it."""
    return Original(application=application, entity=Entity.EMAIL_ADDRESS, code=CODE, value=value, time_ns=clock.now_ns())
