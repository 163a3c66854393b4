"""A vault over each kind of database, its keys, and originals to put into it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.context.entities import Entity
from holdfast.context.originals import Original
from holdfast.testing.clock import FakeClock
from holdfast.testing.postgres import PostgresCluster
from holdfast.vault.keys import VaultKeys, load_keys, new_key_line
from holdfast.vault.store import Vault, VaultPolicy

NOW = FakeClock().now_ns()
Opens = Callable[..., Vault]


def original(value: str = "joe@example.com", application: str = "shop", code: str = "", time_ns: int = NOW) -> Original:
    """An original; its code is made from the value unless it is told."""
    return Original(
        application=application,
        entity=Entity.EMAIL_ADDRESS,
        code=code or value.encode().hex().ljust(64, "0")[:64],
        value=value,
        time_ns=time_ns,
    )


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "vault.key"
    path.write_bytes(new_key_line())
    path.chmod(0o600)
    return path


@pytest.fixture
def keys(key_file: Path) -> VaultKeys:
    return load_keys(key_file)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def vault_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/vault.sqlite"
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    with cluster.database() as url:
        yield url


@pytest.fixture
def opens(vault_url: str, keys: VaultKeys, clock: FakeClock) -> Iterator[Opens]:
    """Opens the vault; with other bounds or other keys where they are told."""
    opened: list[Vault] = []

    def open_it(policy: VaultPolicy | None = None, other: VaultKeys | None = None) -> Vault:
        opened.append(Vault(vault_url, other or keys, policy or VaultPolicy(), clock))
        return opened[-1]

    yield open_it
    for vault in opened:
        vault.close()


@pytest.fixture
def vault(opens: Opens) -> Vault:
    return opens()
