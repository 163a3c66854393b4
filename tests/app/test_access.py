"""Access as the settings want it."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.access.roles import Role
from holdfast.app.access import build_access, local_token, local_token_file, setup_link
from holdfast.core.errors import ConfigurationError
from holdfast.ledger.store import Ledger
from holdfast.settings import Settings, load
from holdfast.testing.clock import FakeClock


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(None, {"server": {"data_dir": tmp_path, "api_token": "a configured secret"}})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as opened:
        yield opened


def test_the_token_of_the_machine_is_made_once_and_for_its_owner_only(settings: Settings) -> None:
    assert local_token(settings) == local_token(settings)
    assert stat.S_IMODE(local_token_file(settings).stat().st_mode) == 0o600


def test_a_file_that_is_no_token_is_refused(settings: Settings) -> None:
    local_token_file(settings).write_text("x\n")
    with pytest.raises(ConfigurationError, match="no token"):
        local_token(settings)


def test_local_and_configured_token_are_administrators(settings: Settings, ledger: Ledger) -> None:
    access = build_access(settings, ledger.accounts, FakeClock())
    for secret, actor in ((local_token(settings), "token:local"), ("a configured secret", "token:configured")):
        found = access.of_secret(secret, "127.0.0.1")
        assert found is not None
        assert (found.actor, found.role()) == (actor, Role.ADMIN)


def test_the_first_run_has_a_set_up_link_whose_secret_no_server_log_sees(settings: Settings, ledger: Ledger) -> None:
    access = build_access(settings, ledger.accounts, FakeClock())
    link = setup_link(settings, access)
    base, secret = link.split("#")
    assert base == "http://127.0.0.1:4001/setup"
    access.set_up(secret, "ada", "correct horse battery", "127.0.0.1")
    assert setup_link(settings, access) == ""


def test_the_link_leads_where_browsers_reach_the_console(tmp_path: Path, ledger: Ledger) -> None:
    settings = load(None, {"server": {"data_dir": tmp_path}, "access": {"public_url": "https://holdfast.example"}})
    link = setup_link(settings, build_access(settings, ledger.accounts, FakeClock()))
    assert link.startswith("https://holdfast.example/setup#")


def test_a_demonstration_beyond_loopback_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"access\.demo|administrator"):
        load(None, {"server": {"data_dir": tmp_path, "host": "0.0.0.0", "api_token": "x"}, "access": {"demo": True}})
