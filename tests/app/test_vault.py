"""There is a vault where an application seals something, or did; its key is private."""

from pathlib import Path

import pytest

from holdfast.app.server import receiver_config
from holdfast.app.vault import deposits_opener, open_vault, vault_policy
from holdfast.core.errors import ConfigurationError
from holdfast.settings import Settings
from holdfast.testing.clock import FakeClock
from holdfast.vault.store import DAY_NS

SEALS = {"shop": {"redaction": {"EMAIL_ADDRESS": "seal"}}}


def settings(folder: Path, **sections: object) -> Settings:
    return Settings.model_validate({"server": {"data_dir": folder}, **sections})


def test_by_default_there_is_none_and_nothing_is_made(tmp_path: Path) -> None:
    plain = settings(tmp_path, applications={"shop": {"redaction": {"EMAIL_ADDRESS": "pseudonymise"}}})
    assert open_vault(plain, FakeClock()) is None
    assert deposits_opener(plain) is None
    assert receiver_config(plain, b"k" * 32).vault is None
    assert list(tmp_path.iterdir()) == []


def test_the_first_seal_makes_a_key_that_only_the_owner_reads(tmp_path: Path) -> None:
    keys = tmp_path / "elsewhere" / "vault.key"
    wanted = settings(tmp_path / "data", applications=SEALS, vault={"key_file": keys, "store": f"sqlite:///{tmp_path}/v.sqlite"})
    for _ in range(2):
        vault = open_vault(wanted, FakeClock())
        assert vault is not None
        vault.close()
    assert keys.stat().st_mode & 0o777 == 0o600
    assert len(keys.read_bytes().splitlines()) == 1
    assert receiver_config(wanted, b"k" * 32).vault is not None


def test_what_was_sealed_can_be_revealed_after_it_is_switched_off(tmp_path: Path) -> None:
    sealing = open_vault(settings(tmp_path, applications=SEALS), FakeClock())
    assert sealing is not None
    sealing.close()
    after = open_vault(settings(tmp_path), FakeClock())
    assert after is not None
    after.close()
    assert deposits_opener(settings(tmp_path)) is None


def test_a_key_file_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    wanted = settings(tmp_path, applications=SEALS)
    vault = open_vault(wanted, FakeClock())
    assert vault is not None
    vault.close()
    (tmp_path / "vault.key").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        open_vault(wanted, FakeClock())


def test_originals_live_as_long_as_calls(tmp_path: Path) -> None:
    policy = vault_policy(settings(tmp_path, stores={"retention_days": 7}, vault={"max_originals": 5}))
    assert (policy.keep_ns, policy.most) == (7 * DAY_NS, 5)
