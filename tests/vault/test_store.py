"""The vault: sealed, bounded, and of one application alone."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from holdfast.context.entities import Entity, Pseudonym
from holdfast.context.originals import Original
from holdfast.core.errors import ConfigurationError, NotFoundError, StoreError
from holdfast.testing.clock import FakeClock
from holdfast.vault.keys import VaultKeys, load_keys, rotated
from holdfast.vault.sealing import UnopenedError
from holdfast.vault.store import DAY_NS, Vault, VaultPolicy
from holdfast.vault.tables import ORIGINALS
from tests.vault.conftest import NOW, Opens, original

DAY_S = 86_400


def test_what_was_kept_is_revealed(vault: Vault) -> None:
    kept = original()
    assert vault.keep([kept]) == 1
    found = vault.reveal("shop", kept.pseudonym)
    assert (found.values, found.seen_ns) == (("joe@example.com",), NOW)
    assert "joe" not in repr(found)


def test_two_applications_never_see_each_others(vault: Vault) -> None:
    one, other = original("joe@example.com", code="1" * 64), original("eve@example.com", "bank", code="1" * 64)
    vault.keep([one, other])
    assert vault.reveal("shop", one.pseudonym).values == ("joe@example.com",)
    assert vault.reveal("bank", one.pseudonym).values == ("eve@example.com",)
    with pytest.raises(NotFoundError):
        vault.reveal("crm", one.pseudonym)
    assert vault.known("crm", [one.pseudonym]) == frozenset()


def test_a_row_that_is_moved_to_another_application_does_not_open(vault: Vault) -> None:
    vault.keep([original()])
    with vault._database.writing() as connection:
        connection.execute(sa.update(ORIGINALS).values(application="bank"))
    with pytest.raises(UnopenedError):
        vault.reveal("bank", original().pseudonym)


def test_values_that_share_a_pseudonym_by_chance_are_both_shown(vault: Vault) -> None:
    one, other = original("joe@example.com", code="0" * 64), original("eve@example.com", code="0" * 63 + "1", time_ns=NOW + 1)
    vault.keep([one, other])
    assert one.pseudonym == other.pseudonym
    assert vault.reveal("shop", one.pseudonym).values == ("eve@example.com", "joe@example.com")


def test_a_value_that_is_found_again_is_one_row_and_lives_on(vault: Vault, clock: FakeClock) -> None:
    vault.keep([original()])
    clock.advance(20 * DAY_S)
    vault.keep([original(time_ns=clock.now_ns())])
    vault.keep([original(time_ns=NOW)])
    assert vault.count() == {"shop": 1}
    clock.advance(20 * DAY_S)
    assert vault.reveal("shop", original().pseudonym).values == ("joe@example.com",)


def test_what_is_unknown_says_why_it_may_be(vault: Vault) -> None:
    with pytest.raises(NotFoundError, match=r"no EMAIL_ADDRESS:3fa9c1d2 of shop: it was never sealed .*erased, or made room"):
        vault.reveal("shop", Pseudonym(Entity.EMAIL_ADDRESS, "3fa9c1d2"))


def test_what_is_older_than_the_calls_is_gone_before_it_is_deleted(vault: Vault, clock: FakeClock) -> None:
    vault.keep([original()])
    clock.advance(32 * DAY_S)
    with pytest.raises(NotFoundError, match="expired with the calls"):
        vault.reveal("shop", original().pseudonym)
    assert vault.known("shop", [original().pseudonym]) == frozenset()


def test_originals_are_forgotten_by_whole_days_as_calls_are(vault: Vault) -> None:
    begin = NOW // DAY_NS * DAY_NS
    vault.keep([original("a@example.com", time_ns=begin), original("b@example.com", time_ns=begin - 1)])
    assert vault.forget_before(begin + DAY_NS // 2) == 1
    assert vault.forget_before(begin + DAY_NS // 2) == 0
    assert vault.known("shop", [original("a@example.com").pseudonym])


def test_what_is_too_old_already_is_not_kept(vault: Vault) -> None:
    assert vault.keep([original(time_ns=NOW - 40 * DAY_NS)]) == 0
    assert vault.count() == {}


def test_a_secret_is_kept_by_nobody_whatever_asks_for_it(vault: Vault) -> None:
    secret = Original(application="shop", entity=Entity.API_KEY, code="1" * 64, value="sk-1234", time_ns=NOW)
    assert vault.keep([secret]) == 0


def test_of_an_application_the_latest_are_kept_and_others_are_not_touched(opens: Opens) -> None:
    vault = opens(VaultPolicy(most=3))
    vault.keep([original("z@example.com", "bank", time_ns=NOW - 5)])
    made = [original(f"{n}@example.com", time_ns=NOW + n) for n in range(6)]
    vault.keep(made[3:])
    vault.keep(made[:3])
    assert vault.count() == {"bank": 1, "shop": 3}
    assert vault.known("shop", [o.pseudonym for o in made]) == {o.pseudonym for o in made[3:]}


def test_an_erased_value_is_nowhere_in_the_file(tmp_path: Path, keys: VaultKeys, clock: FakeClock) -> None:
    vault = Vault(f"sqlite:///{tmp_path}/v.sqlite", keys, VaultPolicy(), clock)
    vault.keep([original(), original("eve@example.com")])
    with vault._database.reading() as connection:
        of_joe = sa.select(ORIGINALS.c.sealed).where(ORIGINALS.c.code == original().code)
        sealed = connection.execute(of_joe).scalar()
    assert isinstance(sealed, bytes)
    held = b"".join(path.read_bytes() for path in tmp_path.glob("v.sqlite*"))
    assert sealed in held
    noted: list[int] = []
    assert vault.erase("shop", original().pseudonym, noted.append) == 1
    assert noted == [1]
    assert sealed not in b"".join(path.read_bytes() for path in tmp_path.glob("v.sqlite*"))
    assert vault.count() == {"shop": 1}
    vault.close()


def test_an_erasure_that_cannot_be_noted_erases_nothing(vault: Vault) -> None:
    vault.keep([original()])

    def refuse(_: int) -> None:
        raise StoreError("the ledger is full")

    with pytest.raises(StoreError, match="ledger is full"):
        vault.erase("shop", original().pseudonym, refuse)
    assert vault.reveal("shop", original().pseudonym).values


def test_what_is_not_there_cannot_be_erased(vault: Vault) -> None:
    vault.keep([original()])
    with pytest.raises(NotFoundError):
        vault.erase("bank", original().pseudonym, lambda _: None)
    assert vault.count() == {"shop": 1}


def test_after_a_rotation_of_the_key_everything_still_opens(opens: Opens, vault: Vault, key_file: Path) -> None:
    vault.keep([original()])
    key_file.write_bytes(rotated(key_file.read_bytes()))
    after = opens(other=load_keys(key_file))
    assert after.reveal("shop", original().pseudonym).values == ("joe@example.com",)


def test_without_its_key_nothing_opens_and_the_key_is_named(opens: Opens, vault: Vault, keys: VaultKeys, key_file: Path) -> None:
    vault.keep([original()])
    key_file.write_bytes(rotated(b""))
    with pytest.raises(UnopenedError, match=f"was sealed with key {keys.current}"):
        opens(other=load_keys(key_file)).reveal("shop", original().pseudonym)


def test_many_are_asked_for_at_once_and_none_is_no_question(vault: Vault) -> None:
    made = [original(f"{n}@example.com") for n in range(200)]
    vault.keep(made[:100])
    assert len(vault.known("shop", [o.pseudonym for o in made])) == 100
    assert vault.known("shop", []) == frozenset()


@pytest.mark.parametrize("application", ["", "shop' OR '1'='1", "shop%", "SHOP", "shop\x01"], ids=range(5))
def test_a_strange_name_of_an_application_is_another_application(vault: Vault, application: str) -> None:
    vault.keep([original()])
    with pytest.raises(NotFoundError):
        vault.reveal(application, original().pseudonym)


def test_a_url_of_no_database_names_the_vault(keys: VaultKeys, clock: FakeClock) -> None:
    with pytest.raises(ConfigurationError, match="the vault URL"):
        Vault("mysql://x", keys, VaultPolicy(), clock)


def test_a_store_that_cannot_be_opened_names_the_vault(tmp_path: Path, keys: VaultKeys, clock: FakeClock) -> None:
    with pytest.raises(StoreError, match=r"^vault "):
        Vault(f"sqlite:///{tmp_path}/none/v.sqlite", keys, VaultPolicy(), clock)
