"""The vault as the settings want it: none, unless an application seals something or did so before."""

from collections.abc import Callable
from functools import partial

import structlog

from holdfast.app.stages import redaction_policy
from holdfast.core.clock import Clock
from holdfast.ingest.checkpoint import make_once
from holdfast.settings import Settings
from holdfast.vault.deposits import Deposits, open_deposits
from holdfast.vault.keys import load_keys, new_key_line
from holdfast.vault.store import DAY_NS, Vault, VaultPolicy

log = structlog.get_logger(__name__)


def open_vault(settings: Settings, clock: Clock) -> Vault | None:
    """The vault; its key is made at first use. None where nothing is sealed and nothing ever was.

    Where nothing is sealed any more, what was can still be revealed until it expires with its calls.

    Raises:
        ConfigurationError: the key file cannot be used, or the store's URL is none.
        StoreError: the store cannot be opened, or the key not written.
    """
    seals, keys = redaction_policy(settings).seals, settings.vault_key_file
    if not seals and not keys.exists():
        return None
    keys.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_once(keys, new_key_line())
    if keys.resolve().is_relative_to(settings.server.data_dir.resolve()):
        log.warning("the vault's key is in the data folder: a copy of that opens the vault", key_file=str(keys))
    return Vault(settings.vault_url, load_keys(keys), vault_policy(settings), clock)


def deposits_opener(settings: Settings) -> Callable[[Callable[[str, int], None]], Deposits] | None:
    """What a receiver opens the vault with, in its own process; None where nothing is sealed."""
    if not redaction_policy(settings).seals:
        return None
    return partial(open_deposits, settings.vault_url, settings.vault_key_file.resolve(), vault_policy(settings))


def vault_policy(settings: Settings) -> VaultPolicy:
    """The vault's bounds."""
    return VaultPolicy(keep_ns=settings.stores.retention_days * DAY_NS, most=settings.vault.max_originals)
