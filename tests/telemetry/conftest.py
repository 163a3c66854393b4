"""An embedded store for each test. chDB opens one directory at a time in a process: each is closed before the next."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.telemetry.store import TelemetryStore


@pytest.fixture
def dsn(tmp_path: Path) -> str:
    return f"chdb://{tmp_path}/telemetry"


@pytest.fixture
def store(dsn: str) -> Iterator[TelemetryStore]:
    with TelemetryStore(dsn) as opened:
        yield opened
