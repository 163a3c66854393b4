"""Fixtures that several packages share."""

import os
from collections.abc import Iterator

# Rich reads the width when a console is made, which is when some test first imports it.
os.environ["COLUMNS"] = "200"

import pytest

from holdfast.testing.postgres import PostgresCluster, postgres


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """One PostgreSQL per test process, so that processes never wait for each other."""
    with postgres() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """An empty database."""
    with postgres_cluster.database() as url:
        yield url
