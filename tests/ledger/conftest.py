"""The ledger's suite runs over both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.ledger.store import Ledger
from holdfast.testing.postgres import PostgresCluster


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    with cluster.database() as url:
        yield url


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """An empty ledger in each kind of database."""
    with Ledger(ledger_url) as opened:
        yield opened
