"""An API over real stores with one incident in them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from holdfast.access.access import Access
from holdfast.access.passwords import Passwords
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.rate import RateLimit
from holdfast.core.call import Call, Kind, Message
from holdfast.core.trace import Trace
from holdfast.ledger.store import Ledger
from holdfast.live import Progress
from holdfast.score.registry import METRICS, SCORERS
from holdfast.score.run import Scoring
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.clock import FakeClock
from tests.report.conftest import MINUTE, START, events

TOKEN = "correct horse battery staple"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""Hashes that take no time, for tests."""


def trace(number: int, end_ns: int) -> Trace:
    asked = Message(role="user", content="Where is my order?")
    told = Message(role="assistant", content="It is on its way and should arrive within three days.")
    call = Call(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        kind=Kind.LLM,
        start_ns=end_ns - 1_000_000,
        end_ns=end_ns,
        dimensions={"service.name": ("shop",)},
        input_messages=(asked,),
        output_messages=(told,),
    )
    return Trace(call.trace_id, (call,))


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ApiContext]:
    clock = FakeClock(START + 10 * MINUTE)
    with TelemetryStore(f"chdb://{tmp_path}/telemetry") as telemetry, Ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        scoring = Scoring(SCORERS)
        telemetry.append(scoring.score([trace(n, START + 9 * MINUTE + n) for n in range(1, 4)]))
        ledger.append(events())
        yield ApiContext(
            telemetry=telemetry,
            ledger=ledger,
            metrics=METRICS,
            progress=Progress(last_read_ns=clock.now_ns()),
            clock=clock,
            access=Access(ledger.accounts, clock, fixed={TOKEN: "token:test"}, passwords=CHEAP),
            rate=RateLimit(clock),
        )


@pytest.fixture
def client(context: ApiContext) -> Iterator[TestClient]:
    with TestClient(create_app(context), headers={"Authorization": f"Bearer {TOKEN}"}) as found:
        yield found
