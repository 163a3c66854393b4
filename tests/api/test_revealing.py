"""An original is shown to those who may, when the ledger has it that it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from holdfast.access.access import Access
from holdfast.access.audit import audited_in
from holdfast.access.roles import ForbiddenError, Identity, Role
from holdfast.api.rate import RatePolicy
from holdfast.api.revealing import REVEALS, Order, Revealing, check_reason
from holdfast.core.errors import BackpressureError, InputError, NotFoundError, StoreError
from holdfast.core.stream import StreamEvent
from holdfast.ledger.accounts import ACCESS
from holdfast.ledger.store import Ledger
from holdfast.testing.clock import FakeClock
from holdfast.vault.sealing import UnopenedError
from holdfast.vault.store import Vault
from holdfast.vault.tables import ORIGINALS
from tests.api.conftest import CHEAP
from tests.api.vaults import PSEUDONYM, VALUE, filled

REASON = "customer asked what leaked"
ORDER = Order(application="shop", pseudonym=PSEUDONYM, reason=REASON)


def person(role: Role, application: str = "shop") -> Identity:
    return Identity(actor=f"user:{role}", grants={application: role}, address="192.0.2.9")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def vault(tmp_path: Path, clock: FakeClock) -> Iterator[Vault]:
    with filled(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def revealing(vault: Vault, ledger: Ledger, clock: FakeClock) -> Revealing:
    return Revealing(vault, Access(ledger.accounts, clock, passwords=CHEAP), clock)


def noted(ledger: Ledger) -> list[StreamEvent]:
    return [entry.event for entry in ledger.stream(ACCESS).read()]


def test_an_approver_sees_it_and_the_ledger_has_everything_but_the_value(revealing: Revealing, ledger: Ledger) -> None:
    assert revealing.reveal(person(Role.APPROVER), ORDER).values == (VALUE,)
    (event,) = noted(ledger)
    act = audited_in(event)
    assert (event.actor, event.type) == ("user:approver", "OriginalRevealed")
    assert (act.address, act.target, act.application, act.reason) == ("192.0.2.9", PSEUDONYM, "shop", REASON)
    assert act.after == {"entity": "EMAIL_ADDRESS", "values": 1}
    assert VALUE not in event.body
    assert ledger.verify().ok


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER])
def test_a_weaker_role_is_refused_and_told_which_is_needed(revealing: Revealing, ledger: Ledger, role: Role) -> None:
    with pytest.raises(ForbiddenError, match="approver on shop"):
        revealing.reveal(person(role), ORDER)
    assert noted(ledger) == []


def test_an_administrator_of_another_application_finds_nothing(revealing: Revealing) -> None:
    with pytest.raises(NotFoundError, match="no application 'shop'"):
        revealing.reveal(person(Role.ADMIN, "bank"), ORDER)


def test_the_same_pseudonym_of_another_application_is_not_there(revealing: Revealing) -> None:
    with pytest.raises(NotFoundError, match="of bank"):
        revealing.reveal(person(Role.ADMIN, "*"), Order(application="bank", pseudonym=PSEUDONYM, reason=REASON))


class Full(Access):
    """Access whose ledger takes nothing more."""

    def note(self, by: Identity, audited: object) -> None:
        raise StoreError("ledger: the disk is full")


def test_nothing_leaves_that_the_ledger_does_not_take(vault: Vault, ledger: Ledger, clock: FakeClock) -> None:
    revealing = Revealing(vault, Full(ledger.accounts, clock, passwords=CHEAP), clock)
    with pytest.raises(StoreError, match="disk is full") as caught:
        revealing.reveal(person(Role.APPROVER), ORDER)
    assert VALUE not in str(caught.value)
    with pytest.raises(StoreError, match="disk is full"):
        revealing.erase(person(Role.ADMIN), ORDER)
    assert vault.count() == {"shop": 1}


def test_what_was_changed_does_not_open_and_is_not_noted_as_seen(revealing: Revealing, vault: Vault, ledger: Ledger) -> None:
    with vault._database.writing() as connection:
        connection.execute(sa.update(ORIGINALS).values(sealed=b"x" * 40))
    with pytest.raises(UnopenedError, match="it was changed"):
        revealing.reveal(person(Role.APPROVER), ORDER)
    assert noted(ledger) == []


def test_reveals_are_slow_for_each_and_for_nobody_else(vault: Vault, ledger: Ledger, clock: FakeClock) -> None:
    policy = RatePolicy(per_s=1 / 60, burst=2, write_cost=1)
    revealing = Revealing(vault, Access(ledger.accounts, clock, passwords=CHEAP), clock, policy)
    for _ in range(2):
        revealing.reveal(person(Role.APPROVER), ORDER)
    with pytest.raises(BackpressureError) as caught:
        revealing.reveal(person(Role.APPROVER), ORDER)
    assert 50 < caught.value.retry_after_s <= 60
    assert revealing.reveal(person(Role.ADMIN), ORDER)
    clock.advance(61)
    assert revealing.reveal(person(Role.APPROVER), ORDER)
    assert REVEALS.burst == 20


def test_what_is_refused_costs_nothing_of_the_rate(vault: Vault, ledger: Ledger, clock: FakeClock) -> None:
    revealing = Revealing(vault, Access(ledger.accounts, clock, passwords=CHEAP), clock, RatePolicy(burst=1, write_cost=1))
    for _ in range(3):
        with pytest.raises(InputError):
            revealing.reveal(person(Role.APPROVER), Order(application="shop", pseudonym=PSEUDONYM, reason="why"))
    assert revealing.reveal(person(Role.APPROVER), ORDER)


def test_an_administrator_erases_it_and_the_ledger_says_so(revealing: Revealing, vault: Vault, ledger: Ledger) -> None:
    with pytest.raises(ForbiddenError, match="admin on shop"):
        revealing.erase(person(Role.APPROVER), ORDER)
    assert revealing.erase(person(Role.ADMIN), ORDER) == 1
    assert [event.type for event in noted(ledger)] == ["OriginalErased"]
    with pytest.raises(NotFoundError):
        revealing.reveal(person(Role.ADMIN), ORDER)
    assert vault.count() == {}


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "   ",
        "because",
        "incident 12",
        "x" * 500 + " y " + "z" * 500,
        "one two\nthree four",
        "why not \x1b[31m now",
        "a b \u202e c",
    ],
    ids=range(8),
)
def test_a_reason_that_says_nothing_is_refused(reason: str) -> None:
    with pytest.raises(InputError, match="say in 3 words"):
        check_reason(reason)


def test_a_reason_does_not_carry_into_the_ledger_what_the_vault_forgets() -> None:
    with pytest.raises(InputError, match="holds an EMAIL_ADDRESS: the ledger keeps it") as caught:
        check_reason("joe@example.com asked for his data")
    assert "joe" not in str(caught.value)
    check_reason("the person behind EMAIL_ADDRESS:3fa9c1d2 asked, ticket 4711")
