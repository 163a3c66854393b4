"""Access as the settings want it."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.access.roles import Role
from holdfast.app.access import build_access, build_sign_on, local_token, local_token_file, setup_link
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


SIGN_ON = {
    "issuer": "https://login.example",
    "client_id": "holdfast",
    "client_secret": "the client's secret",
    "groups": {"oncall": {"*": "responder"}},
}


def test_single_sign_on_is_off_until_a_provider_is_named(settings: Settings) -> None:
    assert build_sign_on(settings, FakeClock()) is None


def test_the_provider_sends_browsers_back_to_where_they_reach_the_console(tmp_path: Path) -> None:
    access = {"public_url": "https://holdfast.example/"}
    with pytest.raises(ConfigurationError, match="public_url"):
        load(None, {"access": access})
    for access, base in (({"public_url": "https://holdfast.example"}, "https://holdfast.example"), ({}, "http://127.0.0.1:4001")):
        found = build_sign_on(load(None, {"access": access, "sign_on": SIGN_ON}), FakeClock())
        assert found is not None
        assert found.policy.redirect_uri == f"{base}/login/oidc/callback"
        assert found.policy.groups == {"oncall": {"*": Role.RESPONDER}}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"client_id": ""}, r"sign_on: client_id: needed"),
        ({"client_secret": None, "groups": {}}, r"sign_on: client_secret, groups: needed"),
        ({"issuer": "http://login.example"}, r"must begin with https"),
        ({"issuer": "login.example"}, r"sign_on\.issuer"),
        ({"groups": {"oncall": {"*": "king"}}}, r"sign_on\.groups\.oncall\.\*"),
        ({"groups_claim": ""}, r"sign_on\.groups_claim"),
    ],
    ids=["client", "secret and groups", "in the clear", "no address", "role", "claim"],
)
def test_a_provider_that_is_half_set_up_stops_the_start(changed: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as raised:
        load(None, {"sign_on": {**SIGN_ON, **changed}})
    assert "the client's secret" not in str(raised.value)


def test_beyond_loopback_a_provider_needs_to_know_where_browsers_come_back_to() -> None:
    beyond = {"host": "0.0.0.0", "api_token": "x"}
    applications = {"shop": {"ingest_token_sha256": "0" * 64}}
    with pytest.raises(ConfigurationError, match=r"access\.public_url"):
        load(None, {"server": beyond, "applications": applications, "sign_on": SIGN_ON})
