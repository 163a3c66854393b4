"""The console over real stores, as people of each role see it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from holdfast.access.access import Access
from holdfast.access.roles import EVERYWHERE, Identity, Role
from holdfast.api.application import create_app
from holdfast.api.context import COOKIE, ApiContext
from holdfast.api.drill_runs import DrillRuns
from holdfast.api.rate import RateLimit
from holdfast.console.router import router
from holdfast.ledger.store import Ledger
from holdfast.live import Progress
from holdfast.score.registry import METRICS, SCORERS
from holdfast.score.run import Scoring
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.clock import FakeClock
from tests.api.conftest import CHEAP, trace
from tests.report.conftest import MINUTE, START, events

PASSWORD = "correct horse battery"
ADMIN = Identity(actor="user:root", grants={EVERYWHERE: Role.ADMIN}, address="192.0.2.1")


class Visitor(TestClient):
    """A browser without scripts: follows links, fills in forms with the secret that their page holds."""

    def csrf(self, path: str) -> str:
        """The secret of the forms of a page."""
        found = re.search(r'name="csrf" value="([^"]*)"', self.get(path).text)
        return found.group(1) if found else ""

    def submit(self, page: str, path: str, **fields: str) -> Any:
        """Sends a form of a page."""
        return self.post(path, data={"csrf": self.csrf(page), **fields}, follow_redirects=False)


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TelemetryStore]:
    """Three scored calls. Opened once a file: that is what takes time."""
    with TelemetryStore(f"chdb://{tmp_path_factory.mktemp('telemetry')}") as opened:
        opened.append(Scoring(SCORERS).score([trace(n, START + 9 * MINUTE + n) for n in range(1, 4)]))
        yield opened


@pytest.fixture
def context(tmp_path: Path, telemetry: TelemetryStore) -> Iterator[ApiContext]:
    clock = FakeClock(START + 10 * MINUTE)
    with Ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        ledger.append(events())
        yield ApiContext(
            telemetry=telemetry,
            ledger=ledger,
            metrics=METRICS,
            progress=Progress(last_read_ns=clock.now_ns()),
            clock=clock,
            access=Access(ledger.accounts, clock, passwords=CHEAP),
            rate=RateLimit(clock),
            drills=DrillRuns(tmp_path / "drills", clock),
        )


@pytest.fixture
def app(context: ApiContext) -> FastAPI:
    return create_app(context, router)


@pytest.fixture
def visitor(app: FastAPI) -> Iterator[Visitor]:
    """Somebody who has not signed in."""
    with Visitor(app, base_url="http://localhost") as found:
        yield found


@pytest.fixture
def sign_in(app: FastAPI, context: ApiContext) -> Callable[..., Visitor]:
    """Signs somebody in with a role on an application (or all), and gives their browser."""

    def signed_in(role: Role, application: str = EVERYWHERE) -> Visitor:
        name = f"{role}-{'all' if application == EVERYWHERE else application}"
        if context.access.accounts.user(name) is None:
            context.access.add_user(ADMIN, name, PASSWORD, {application: role.value})
        found = Visitor(app, base_url="http://localhost")
        found.cookies.set(COOKIE, context.access.log_in(name, PASSWORD, "192.0.2.2"))
        return found

    return signed_in


@pytest.fixture
def admin(sign_in: Callable[..., Visitor]) -> Visitor:
    return sign_in(Role.ADMIN)


@pytest.fixture
def responder(sign_in: Callable[..., Visitor]) -> Visitor:
    return sign_in(Role.RESPONDER)


@pytest.fixture
def viewer(sign_in: Callable[..., Visitor]) -> Visitor:
    return sign_in(Role.VIEWER)
