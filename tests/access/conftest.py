"""Access over a real ledger, with hashes that take no time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from holdfast.access.access import Access
from holdfast.access.passwords import Passwords
from holdfast.ledger.store import Ledger
from holdfast.testing.clock import FakeClock

ADDRESS = "192.0.2.7"
PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def access(ledger: Ledger, clock: FakeClock, passwords: Passwords) -> Access:
    return Access(ledger.accounts, clock, fixed={"the fixed secret": "token:local"}, passwords=passwords)
