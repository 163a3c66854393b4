"""From the receiver to the vault: nobody waits, nothing fails, and what was not kept is counted."""

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from holdfast.context.originals import Original
from holdfast.core.errors import ConfigurationError, StoreError
from holdfast.testing.clock import FakeClock
from holdfast.vault import deposits as module
from holdfast.vault.deposits import AGAIN_NS, Deposits, Fate, open_deposits
from holdfast.vault.keys import VaultKeys
from holdfast.vault.store import Vault, VaultPolicy
from tests.vault.conftest import NOW, original

WAIT_S = 20.0


class Told:
    """Counts fates, and lets a test wait for them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._changed = threading.Condition()

    def __call__(self, fate: str, count: int) -> None:
        with self._changed:
            self.counts[fate] += count
            self._changed.notify_all()

    def wait_for(self, fate: Fate, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.counts[fate] >= count, WAIT_S), self.counts


class Refusing(Vault):
    """A vault whose disk is full for the first `times`; `batches` is what it was asked to keep."""

    def __init__(self, url: str, keys: VaultKeys, times: int) -> None:
        super().__init__(url, keys, VaultPolicy(), FakeClock())
        self.times, self.batches = times, list[list[Original]]()

    def keep(self, originals: Sequence[Original]) -> int:  # type: ignore[override]
        self.batches.append(list(originals))
        if len(self.batches) <= self.times:
            raise StoreError("the disk is full")
        return super().keep(originals)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/vault.sqlite"


def held(url: str, keys: VaultKeys) -> dict[str, int]:
    vault = Vault(url, keys, VaultPolicy(), FakeClock())
    try:
        return vault.count()
    finally:
        vault.close()


def test_what_is_offered_is_sealed_behind_the_callers_back(url: str, keys: VaultKeys) -> None:
    told = Told()
    opened = Deposits(lambda: Vault(url, keys, VaultPolicy(), FakeClock()), told)
    opened.offer([original("a@example.com"), original("b@example.com"), original("a@example.com")])
    told.wait_for(Fate.KEPT, 2)
    opened.close()
    assert held(url, keys) == {"shop": 2}


def test_closing_seals_what_waits(url: str, keys: VaultKeys) -> None:
    opened = Deposits(lambda: Vault(url, keys, VaultPolicy(), FakeClock()))
    opened.offer([original(f"{n}@example.com") for n in range(50)])
    opened.close()
    assert held(url, keys) == {"shop": 50}


def test_a_value_that_was_just_kept_is_not_written_again_but_later_it_is(url: str, keys: VaultKeys) -> None:
    told = Told()
    vault = Refusing(url, keys, 0)
    opened = Deposits(lambda: vault, told)
    opened.offer([original()])
    told.wait_for(Fate.KEPT, 1)
    opened.offer([original(time_ns=NOW + AGAIN_NS - 1)])
    opened.offer([original(time_ns=NOW + AGAIN_NS)])
    told.wait_for(Fate.KEPT, 2)
    opened.close()
    assert [o.time_ns for batch in vault.batches for o in batch] == [NOW, NOW + AGAIN_NS]


def test_a_vault_that_fails_for_a_while_loses_nothing(url: str, keys: VaultKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.01)
    told = Told()
    opened = Deposits(lambda: Refusing(url, keys, 2), told)
    opened.offer([original()])
    told.wait_for(Fate.KEPT, 1)
    opened.close()
    assert held(url, keys) == {"shop": 1}


def test_a_vault_that_never_works_does_not_keep_values_in_memory_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.01)
    told = Told()

    def broken() -> Vault:
        raise ConfigurationError("vault.key_file: others can read it")

    opened = Deposits(broken, told)
    opened.offer([original(f"{n}@example.com") for n in range(3)])
    told.wait_for(Fate.FAILED, 3)
    assert opened._waiting == {}
    opened.close()


def test_a_fault_of_a_library_ends_nothing_and_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.01)
    told = Told()

    def faulty() -> Vault:
        raise TypeError("cannot bind joe@example.com")

    opened = Deposits(faulty, told)
    opened.offer([original()])
    told.wait_for(Fate.FAILED, 1)
    opened.close()
    printed = capsys.readouterr()
    assert "joe@example.com" not in printed.out + printed.err


def test_more_than_there_is_room_for_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch, url: str, keys: VaultKeys) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 5)
    blocked, told = threading.Event(), Told()

    def slow() -> Vault:
        assert blocked.wait(WAIT_S)
        return Vault(url, keys, VaultPolicy(), FakeClock())

    opened = Deposits(slow, told)
    opened.offer([original(f"{n}@example.com") for n in range(8)])
    assert told.counts == {Fate.DROPPED: 3}
    opened.offer([original("0@example.com", time_ns=NOW + 1)])
    assert told.counts == {Fate.DROPPED: 3}
    blocked.set()
    opened.close()
    assert held(url, keys) == {"shop": 5}


def test_what_is_offered_after_the_end_is_dropped(url: str, keys: VaultKeys) -> None:
    told = Told()
    opened = Deposits(lambda: Vault(url, keys, VaultPolicy(), FakeClock()), told)
    opened.close()
    opened.offer([original()])
    assert told.counts == {Fate.DROPPED: 1}


def test_a_vault_that_does_not_answer_does_not_hold_up_the_end() -> None:
    blocked = threading.Event()

    def stuck() -> Vault:
        blocked.wait(WAIT_S)
        raise StoreError("at last")

    opened = Deposits(stuck)
    opened.offer([original()])
    opened.close(timeout_s=0.05)
    blocked.set()


def test_a_process_opens_it_by_address_and_file_of_keys(url: str, keys: VaultKeys, key_file: Path) -> None:
    told = Told()
    opened = open_deposits(url, key_file, VaultPolicy(keep_ns=10**18 * 9), told)
    opened.offer([original()])
    told.wait_for(Fate.KEPT, 1)
    opened.close()
    assert held(url, keys) == {"shop": 1}
