"""Accounts are rows; what happens to them is in the chain, in the same transaction."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast.core.errors import ConflictError, NotFoundError
from holdfast.core.stream import StreamEvent
from holdfast.ledger.accounts import ACCESS, Session, Token, User
from holdfast.ledger.store import Ledger
from tests.ledger.examples import opened

ADA = User(name="ada", password="hash", grants={"*": "admin"}, created_ns=1)


def noted(kind: str = "UserAdded") -> StreamEvent:
    return StreamEvent(time_ns=5, actor="user:ada", type=kind, body=f'{{"type":"{kind}"}}')


def session(user: str = "ada", sha256: str = "s1", seen_ns: int = 10) -> Session:
    return Session(sha256=sha256, user=user, csrf="c", address="127.0.0.1", created_ns=1, seen_ns=seen_ns)


def token(sha256: str = "t1") -> Token:
    return Token(
        id=f"tok_{sha256}",
        name="ci",
        sha256=sha256,
        grants={"shop": "viewer"},
        scopes=("read:*",),
        created_by="user:ada",
        created_ns=1,
        expires_ns=99,
    )


def told(ledger: Ledger) -> list[str]:
    return [entry.event.type for entry in ledger.stream(ACCESS).read()]


def test_an_account_comes_back_as_it_was_kept(ledger: Ledger) -> None:
    ledger.accounts.add_user(ADA, noted())
    assert ledger.accounts.user("ada") == ADA
    assert ledger.accounts.users() == [ADA]
    assert ledger.accounts.user("bob") is None


def test_a_name_is_given_once_and_a_refused_account_is_not_in_the_chain(ledger: Ledger) -> None:
    ledger.accounts.add_user(ADA, noted())
    with pytest.raises(ConflictError, match="ada"):
        ledger.accounts.add_user(ADA, noted())
    assert told(ledger) == ["UserAdded"]


def test_of_many_who_make_the_first_account_at_once_one_succeeds(ledger: Ledger) -> None:
    def attempt(number: int) -> bool:
        try:
            ledger.accounts.add_user(User(name=f"user{number}", grants={"*": "admin"}), noted(), first=True)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1
    assert len(ledger.accounts.users()) == 1


def test_a_changed_account_loses_its_sessions(ledger: Ledger) -> None:
    ledger.accounts.add_user(ADA, noted())
    ledger.accounts.add_session(session(), noted("SignedIn"), 0)
    ledger.accounts.change_user(ADA, noted("UserChanged"))
    assert ledger.accounts.session_of("s1") is None


@pytest.mark.parametrize(
    "changed", [User(name="ada", grants={"shop": "admin"}), User(name="ada", grants={"*": "admin"}, disabled=True)]
)
def test_the_last_administrator_stays(ledger: Ledger, changed: User) -> None:
    ledger.accounts.add_user(ADA, noted())
    with pytest.raises(ConflictError, match="nobody would be left"):
        ledger.accounts.change_user(changed, noted("UserChanged"))
    assert ledger.accounts.user("ada") == ADA


def test_an_unknown_account_cannot_be_changed(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError):
        ledger.accounts.change_user(ADA, noted("UserChanged"))


def test_a_session_is_found_with_its_account_until_it_ends(ledger: Ledger) -> None:
    ledger.accounts.add_user(ADA, noted())
    ledger.accounts.add_session(session(), noted("SignedIn"), 0)
    ledger.accounts.see_session("s1", 77)
    found = ledger.accounts.session_of("s1")
    assert found is not None
    assert (found[0].seen_ns, found[1].name) == (77, "ada")
    ledger.accounts.end_session("s1", noted("SignedOut"))
    assert ledger.accounts.session_of("s1") is None
    assert told(ledger) == ["UserAdded", "SignedIn", "SignedOut"]


def test_old_sessions_are_forgotten_when_a_new_one_begins(ledger: Ledger) -> None:
    ledger.accounts.add_user(ADA, noted())
    ledger.accounts.add_session(session(sha256="old", seen_ns=10), noted("SignedIn"), 0)
    ledger.accounts.add_session(session(sha256="new", seen_ns=100), noted("SignedIn"), 50)
    assert ledger.accounts.session_of("old") is None


def test_a_session_of_an_account_that_is_gone_is_none(ledger: Ledger) -> None:
    ledger.accounts.add_session(session("ghost"), noted("SignedIn"), 0)
    assert ledger.accounts.session_of("s1") is None


def test_a_token_is_found_by_its_hash_and_revoked_once(ledger: Ledger) -> None:
    ledger.accounts.add_token(token(), noted("TokenIssued"))
    assert ledger.accounts.token_of("t1") == token()
    ledger.accounts.revoke_token("tok_t1", 50, noted("TokenRevoked"))
    assert ledger.accounts.tokens()[0].revoked_ns == 50
    with pytest.raises(NotFoundError):
        ledger.accounts.revoke_token("tok_t1", 60, noted("TokenRevoked"))


def test_single_sign_on_finds_an_account_by_its_subject_only(ledger: Ledger) -> None:
    ledger.accounts.add_user(ADA, noted())
    ledger.accounts.add_user(User(name="eve", subject="https://idp 42", grants={}), noted())
    found = ledger.accounts.user_of_subject("https://idp 42")
    assert found is not None
    assert found.name == "eve"
    assert ledger.accounts.user_of_subject("") is None


def test_what_is_noted_with_an_incident_stands_in_the_same_chain_or_not_at_all(ledger: Ledger) -> None:
    ledger.append([opened(key="k")], noted=noted("IncidentWritten"))
    ledger.append([opened(key="k")], noted=noted("IncidentWritten"))
    assert told(ledger) == ["IncidentWritten"]
    with pytest.raises(ConflictError):
        ledger.append([opened("inc_1")], expected_version=7, noted=noted("IncidentWritten"))
    assert told(ledger) == ["IncidentWritten"]
    ledger.accounts.note(noted("IncidentExported"))
    assert ledger.verify().ok


@pytest.mark.parametrize(
    "changed", [User(name="ada", grants={"shop": "admin"}), User(name="ada", grants={"*": "admin"}, disabled=True)]
)
def test_somebody_else_may_decide_that_nobody_administers_and_the_set_up_is_open_again(ledger: Ledger, changed: User) -> None:
    ledger.accounts.add_user(ADA, noted())
    assert ledger.accounts.has_administrator()
    ledger.accounts.change_user(changed, noted("UserChanged"), may_be_last=True)
    assert not ledger.accounts.has_administrator()
    ledger.accounts.add_user(User(name="eve", grants={"*": "admin"}), noted(), first=True)
    assert ledger.accounts.has_administrator()


def test_the_set_up_makes_nobody_beside_an_administrator(ledger: Ledger) -> None:
    ledger.accounts.add_user(ADA, noted())
    with pytest.raises(ConflictError, match="there is an administrator already"):
        ledger.accounts.add_user(User(name="eve", grants={"*": "admin"}), noted(), first=True)
