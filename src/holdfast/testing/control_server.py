"""A control plane served over real HTTP from a thread: the server's own endpoints, without pipeline and telemetry."""

import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import uvicorn
from argon2 import PasswordHasher

from holdfast.access.access import Access
from holdfast.access.passwords import Passwords
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.goodbye import ApiServer
from holdfast.api.plane import ControlPlane
from holdfast.api.rate import RateLimit, RatePolicy
from holdfast.control.snapshot import Desired
from holdfast.core.change import Change
from holdfast.core.clock import Clock, SystemClock
from holdfast.core.errors import StoreError
from holdfast.ledger.store import Ledger
from holdfast.live import Progress
from holdfast.telemetry.store import TelemetryStore

WAIT_S = 20.0
ADMIN = "the secret of the tests' administrator"


class ControlServer:
    """Serves until the block ends. Several may stand on one ledger, as several servers do.

    Args:
        folder: where its ledger is, unless `ledger_url` names another.
        ledger_url: a ledger that is shared with somebody.
        clock: the time by which leases end.

    Raises:
        StoreError: it did not start in time.
    """

    def __init__(self, folder: Path, ledger_url: str = "", clock: Clock | None = None) -> None:
        self._url = ledger_url or f"sqlite:///{folder}/control.sqlite"
        self._clock = clock or SystemClock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.headers = {"Authorization": f"Bearer {ADMIN}"}

    def __enter__(self) -> Self:
        self.ledger = Ledger(self._url)
        self.context = control_context(self.ledger, self._clock)
        self.app = create_app(self.context)
        self._server = ApiServer(
            uvicorn.Config(self.app, log_config=None, access_log=False, timeout_graceful_shutdown=1, lifespan="on")
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],), name="control-server")
        self._thread.start()
        pause = threading.Event()
        for _ in range(int(WAIT_S / 0.01)):
            if self._server.started:
                return self
            pause.wait(0.01)
        self.stop()
        raise StoreError("the control server did not start")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it, with whoever still listens to a stream."""
        self._server.should_exit = True
        self._thread.join(WAIT_S)
        self.ledger.close()

    @property
    def plane(self) -> ControlPlane:
        """What it serves, to look at and to change without HTTP."""
        found: ControlPlane = self.app.state.control
        return found

    def configure(self, desired: Desired) -> int:
        """Puts a desired state in place, and returns the snapshot's version."""
        self.plane.store.configure(desired, "user:ada", "for a test", self.plane.store.snapshot.version)
        return self.plane.store.snapshot.version


class ChangesOnly:
    """All that the control plane and its metrics ask of telemetry: it keeps changes, equal ones once."""

    def __init__(self) -> None:
        self.changes: dict[tuple[str, str], Change] = {}

    def append_changes(self, changes: Sequence[Change]) -> int:
        """Keeps changes, and returns how many were new."""
        before = len(self.changes)
        self.changes = {**{(change.source, change.id): change for change in changes}, **self.changes}
        return len(self.changes) - before

    def coverage(self, start_ns: int, end_ns: int, services: frozenset[str] | None = None) -> dict[str, dict[str, int]]:
        """No scorer ran."""
        del start_ns, end_ns
        return {}


def control_context(ledger: Ledger, clock: Clock) -> ApiContext:
    """The context of an application that serves the control plane only."""
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return ApiContext(
        telemetry=cast(TelemetryStore, ChangesOnly()),
        ledger=ledger,
        metrics={},
        progress=Progress(last_read_ns=clock.now_ns()),
        clock=clock,
        access=Access(ledger.accounts, clock, fixed={ADMIN: "user:root"}, passwords=cheap),
        rate=RateLimit(clock, RatePolicy(per_s=100_000, burst=1_000_000)),
    )
