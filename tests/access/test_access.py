"""Who asks is known, or is nobody."""

import json

import pytest

from holdfast.access.access import HOUR_NS, LOCAL, Access, AccessPolicy, TokenOrder, digest
from holdfast.access.passwords import Passwords
from holdfast.access.roles import ForbiddenError, Identity, NotSignedInError, Role
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import BackpressureError, ConflictError, InputError, NotFoundError
from holdfast.ledger.accounts import ACCESS
from holdfast.ledger.store import Ledger
from holdfast.testing.clock import FakeClock
from tests.access.conftest import ADDRESS, PASSWORD

HOUR_S = HOUR_NS / NS_PER_S


@pytest.fixture
def admin(access: Access) -> Identity:
    cookie = access.set_up(access.open_setup(), "Ada", PASSWORD, ADDRESS)
    found = access.of_cookie(cookie, ADDRESS)
    assert found is not None
    return found


def acts(ledger: Ledger) -> list[str]:
    return [entry.event.type for entry in ledger.stream(ACCESS).read()]


def test_the_first_account_is_an_administrator_and_signed_in(admin: Identity) -> None:
    assert (admin.actor, admin.role()) == ("user:ada", Role.ADMIN)


def test_a_set_up_link_works_once(access: Access) -> None:
    secret = access.open_setup()
    access.set_up(secret, "ada", PASSWORD, ADDRESS)
    with pytest.raises(NotSignedInError, match="used up"):
        access.set_up(secret, "eve", PASSWORD, ADDRESS)
    assert access.open_setup() == ""


def test_a_set_up_link_grows_old(access: Access, clock: FakeClock) -> None:
    secret = access.open_setup()
    clock.advance(HOUR_S + 1)
    assert not access.setup_is_open(secret)


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_a_wrong_set_up_link_makes_nobody(access: Access, secret: str) -> None:
    access.open_setup()
    with pytest.raises(NotSignedInError):
        access.set_up(secret, "eve", PASSWORD, ADDRESS)
    assert access.needs_setup()


@pytest.mark.parametrize("name", ["", " ", "a b", "<script>", "x" * 65, "a/b", "a\0"])
def test_a_name_that_is_none_is_refused(access: Access, name: str) -> None:
    with pytest.raises(InputError):
        access.set_up(access.open_setup(), name, PASSWORD, ADDRESS)


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_a_password_that_is_too_short_or_too_long_is_refused(access: Access, password: str) -> None:
    with pytest.raises(InputError, match="12 to 256"):
        access.set_up(access.open_setup(), "ada", password, ADDRESS)


def test_a_name_is_the_same_in_any_case(access: Access, admin: Identity) -> None:
    assert access.of_cookie(access.log_in(" ADA ", PASSWORD, ADDRESS), ADDRESS)


def test_wrong_names_and_wrong_passwords_are_not_told_apart(access: Access, admin: Identity) -> None:
    told = set()
    for name, password in (("ada", "wrong password"), ("nobody", PASSWORD), ("ada", "")):
        with pytest.raises(NotSignedInError) as raised:
            access.log_in(name, password, ADDRESS)
        told.add(str(raised.value))
    assert len(told) == 1


def test_guessing_is_slowed_down_even_for_the_right_password_and_noted(
    access: Access, admin: Identity, ledger: Ledger, clock: FakeClock
) -> None:
    for _ in range(5):
        with pytest.raises(NotSignedInError):
            access.log_in("ada", "wrong password", ADDRESS)
    with pytest.raises(BackpressureError):
        access.log_in("ada", PASSWORD, ADDRESS)
    assert acts(ledger).count("LoginThrottled") == 1
    clock.advance(6)
    assert access.log_in("ada", PASSWORD, ADDRESS)


def test_a_session_ends_when_it_is_not_used(access: Access, admin: Identity, clock: FakeClock) -> None:
    cookie = access.log_in("ada", PASSWORD, ADDRESS)
    clock.advance(12 * HOUR_S + 1)
    assert access.of_cookie(cookie, ADDRESS) is None


def test_a_session_that_is_used_ends_after_a_week_all_the_same(access: Access, admin: Identity, clock: FakeClock) -> None:
    cookie = access.log_in("ada", PASSWORD, ADDRESS)
    for _ in range(16):
        assert access.of_cookie(cookie, ADDRESS)
        clock.advance(11 * HOUR_S)
    assert access.of_cookie(cookie, ADDRESS) is None


def test_who_signs_out_is_nobody(access: Access, admin: Identity) -> None:
    cookie = access.log_in("ada", PASSWORD, ADDRESS)
    found = access.of_cookie(cookie, ADDRESS)
    assert found is not None
    access.log_out(found)
    assert access.of_cookie(cookie, ADDRESS) is None


@pytest.mark.parametrize("cookie", ["", "x", "\0", "é" * 100])
def test_a_cookie_that_nobody_gave_is_nobody(access: Access, cookie: str) -> None:
    assert access.of_cookie(cookie, ADDRESS) is None


def test_a_disabled_account_is_out_at_once(access: Access, admin: Identity) -> None:
    access.add_user(admin, "bob", PASSWORD, {"shop": "responder"})
    cookie = access.log_in("bob", PASSWORD, ADDRESS)
    access.change_user(admin, "bob", {"shop": "responder"}, disabled=True)
    assert access.of_cookie(cookie, ADDRESS) is None
    with pytest.raises(NotSignedInError):
        access.log_in("bob", PASSWORD, ADDRESS)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER, Role.APPROVER])
def test_only_administrators_manage(access: Access, admin: Identity, role: Role) -> None:
    by = Identity(actor="user:bob", grants={"*": role, "shop": Role.ADMIN})
    for act in (
        lambda: access.add_user(by, "eve", PASSWORD, {}),
        lambda: access.change_user(by, "ada", {}, True),
        lambda: access.set_password(by, "ada", PASSWORD),
        lambda: access.issue_token(by, TokenOrder(name="t", grants={})),
        lambda: access.revoke_token(by, "tok_1"),
    ):
        with pytest.raises(ForbiddenError):
            act()


def test_everybody_sets_their_own_password(access: Access, admin: Identity) -> None:
    access.add_user(admin, "bob", PASSWORD, {})
    bob = access.of_cookie(access.log_in("bob", PASSWORD, ADDRESS), ADDRESS)
    assert bob is not None
    access.set_password(bob, "bob", "another long password")
    assert access.log_in("bob", "another long password", ADDRESS)


def test_a_token_stands_for_its_grants_and_scopes(access: Access, admin: Identity) -> None:
    made = access.issue_token(admin, TokenOrder(name="ci", grants={"shop": "responder"}, scopes=("write:incidents",)))
    found = access.of_secret(made.secret, ADDRESS)
    assert found is not None
    assert (found.actor, found.role("shop"), found.role("other")) == ("token:ci", Role.RESPONDER, None)
    found.must_be_in_scope(True, "incidents")
    with pytest.raises(ForbiddenError, match="read:calls"):
        found.must_be_in_scope(False, "calls")


def test_a_token_ends_when_it_expires_or_is_revoked(access: Access, admin: Identity, clock: FakeClock) -> None:
    short = access.issue_token(admin, TokenOrder(name="a", grants={"*": "viewer"}, lifetime_s=60))
    long = access.issue_token(admin, TokenOrder(name="b", grants={"*": "viewer"}))
    clock.advance(61)
    assert access.of_secret(short.secret, ADDRESS) is None
    assert access.of_secret(long.secret, ADDRESS)
    access.revoke_token(admin, long.token.id)
    assert access.of_secret(long.secret, ADDRESS) is None


@pytest.mark.parametrize(
    "order",
    [
        TokenOrder(name="", grants={}),
        TokenOrder(name="t", grants={"*": "king"}),
        TokenOrder(name="t", grants={"": "viewer"}),
        TokenOrder(name="t", grants={}, scopes=("everything",)),
        TokenOrder(name="t", grants={}, lifetime_s=1),
        TokenOrder(name="t", grants={}, lifetime_s=10**9),
    ],
    ids=["name", "role", "application", "scope", "short", "long"],
)
def test_a_token_order_that_makes_no_sense_is_refused(access: Access, admin: Identity, order: TokenOrder) -> None:
    with pytest.raises(InputError):
        access.issue_token(admin, order)


@pytest.mark.parametrize("secret", ["", "hf_", "hf_wrong", "the fixed secre", "the fixed secret "])
def test_a_secret_that_nobody_gave_is_nobody(access: Access, secret: str) -> None:
    assert access.of_secret(secret, ADDRESS) is None


def test_a_configured_secret_is_an_administrator(access: Access) -> None:
    found = access.of_secret("the fixed secret", ADDRESS)
    assert found is not None
    assert found.may(Role.ADMIN)


def test_an_empty_configured_secret_is_nobody(ledger: Ledger, clock: FakeClock, passwords: Passwords) -> None:
    assert Access(ledger.accounts, clock, fixed={"": "token:x"}, passwords=passwords).of_secret("", ADDRESS) is None


def test_a_demonstration_lets_everybody_in_and_offers_no_set_up(
    ledger: Ledger, clock: FakeClock, passwords: Passwords, access: Access
) -> None:
    demo = Access(ledger.accounts, clock, AccessPolicy(demo=True), passwords=passwords)
    assert demo.of_demo(ADDRESS)
    assert demo.open_setup() == ""
    assert access.of_demo(ADDRESS) is None


def test_single_sign_on_makes_an_account_and_keeps_its_roles_up_to_date(access: Access, admin: Identity) -> None:
    cookie = access.log_in_subject("https://idp 42", "Eve@Example.com", {"shop": Role.VIEWER}, ADDRESS)
    first = access.of_cookie(cookie, ADDRESS)
    assert first is not None
    assert first.grants == {"shop": Role.VIEWER}
    again = access.of_cookie(access.log_in_subject("https://idp 42", "x", {"shop": Role.APPROVER}, ADDRESS), ADDRESS)
    assert again is not None
    assert (again.name, again.grants) == ("eve@example.com", {"shop": Role.APPROVER})
    with pytest.raises(NotSignedInError):
        access.log_in("eve@example.com", "", ADDRESS)
    with pytest.raises(InputError):
        access.set_password(admin, "eve@example.com", PASSWORD)


def test_single_sign_on_takes_over_no_local_account(access: Access, admin: Identity) -> None:
    with pytest.raises(ConflictError):
        access.log_in_subject("https://idp 666", "ada", {"*": Role.ADMIN}, ADDRESS)


def test_single_sign_on_without_a_role_or_disabled_is_nobody(access: Access, admin: Identity) -> None:
    with pytest.raises(NotSignedInError, match="none of your groups"):
        access.log_in_subject("https://idp 1", "bob", {}, ADDRESS)
    access.log_in_subject("https://idp 1", "bob", {"shop": Role.VIEWER}, ADDRESS)
    access.change_user(admin, "bob", {}, disabled=True)
    with pytest.raises(NotSignedInError, match="disabled"):
        access.log_in_subject("https://idp 1", "bob", {"shop": Role.VIEWER}, ADDRESS)


@pytest.mark.parametrize("call", ["change_user", "set_password", "revoke_token"])
def test_what_is_not_there_is_not_found(access: Access, admin: Identity, call: str) -> None:
    arguments: tuple[object, ...] = {
        "change_user": ("ghost", {}, False),
        "set_password": ("ghost", PASSWORD),
        "revoke_token": ("ghost",),
    }[call]
    with pytest.raises(NotFoundError):
        getattr(access, call)(admin, *arguments)


def test_every_act_is_in_the_chain_with_actor_and_address_and_no_secret(access: Access, admin: Identity, ledger: Ledger) -> None:
    made = access.issue_token(admin, TokenOrder(name="ci", grants={"shop": "viewer"}))
    access.add_user(admin, "bob", PASSWORD, {"shop": "viewer"})
    access.change_user(admin, "bob", {"shop": "approver"}, disabled=False)
    access.revoke_token(admin, made.token.id)
    access.log_out(admin)
    entries = ledger.stream(ACCESS).read()
    assert acts(ledger) == ["UserAdded", "SignedIn", "TokenIssued", "UserAdded", "UserChanged", "TokenRevoked", "SignedOut"]
    assert {entry.event.actor for entry in entries} == {"user:ada"}
    assert all(json.loads(entry.event.body)["address"] == ADDRESS for entry in entries)
    changed = json.loads(entries[4].event.body)
    assert (changed["before"]["grants"], changed["after"]["grants"]) == ({"shop": "viewer"}, {"shop": "approver"})
    text = "".join(entry.event.body for entry in entries)
    assert made.secret not in text
    assert digest(made.secret) not in text
    assert PASSWORD not in text
    assert "argon2" not in text


def test_an_account_of_single_sign_on_leaves_the_set_up_open_until_somebody_administers(access: Access) -> None:
    access.log_in_subject("issuer 1", "eve", {"shop": Role.VIEWER}, ADDRESS)
    secret = access.open_setup()
    access.set_up(secret, "ada", PASSWORD, ADDRESS)
    assert access.open_setup() == ""
    assert not access.setup_is_open(secret)


def test_single_sign_on_that_brings_an_administrator_closes_the_set_up(access: Access) -> None:
    secret = access.open_setup()
    access.log_in_subject("issuer 1", "eve", {"*": Role.ADMIN}, ADDRESS)
    with pytest.raises(NotSignedInError, match="used up"):
        access.set_up(secret, "mallory", PASSWORD, ADDRESS)


def test_the_last_administrator_whose_group_is_taken_away_still_signs_in_with_what_is_left(access: Access) -> None:
    access.log_in_subject("issuer 1", "eve", {"*": Role.ADMIN}, ADDRESS)
    found = access.of_cookie(access.log_in_subject("issuer 1", "eve", {"shop": Role.VIEWER}, ADDRESS), ADDRESS)
    assert found is not None
    assert found.grants == {"shop": Role.VIEWER}
    assert access.open_setup()


def test_of_the_tokens_that_are_configured_only_that_of_this_machine_reaches_everything(
    ledger: Ledger, passwords: Passwords
) -> None:
    access = Access(ledger.accounts, FakeClock(), fixed={"here": LOCAL, "there": "token:configured"}, passwords=passwords)
    local, configured = access.of_secret("here", ADDRESS), access.of_secret("there", ADDRESS)
    assert local is not None
    assert configured is not None
    local.must_be_in_scope(True, "reveals")
    configured.must_be_in_scope(True, "tokens")
    with pytest.raises(ForbiddenError, match="write:reveals"):
        configured.must_be_in_scope(True, "reveals")
