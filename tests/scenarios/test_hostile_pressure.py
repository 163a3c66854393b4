"""When the pipeline cannot follow, senders are asked to wait; when it can again, nothing that was acknowledged is missing."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from holdfast.core.clock import SystemClock
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.server import ServerProcess
from tests.ingest.otlp.bodies import as_protobuf, span, traces
from tests.ingest.receivers import PROTOBUF

TIMEOUT_S = 30
TEXT = "a" * 100_000


def send(server: ServerProcess, number: int) -> httpx.Response:
    now_ns = SystemClock().now_ns()
    times = {"startTimeUnixNano": str(now_ns), "endTimeUnixNano": str(now_ns + 1)}
    body = as_protobuf(traces(span({"input.value": TEXT}, traceId=f"{number:032x}", spanId=f"{number:016x}", **times)))
    return httpx.post(f"{server.otlp}/v1/traces", content=body, headers=PROTOBUF, timeout=TIMEOUT_S)


def pipeline_pid(server: ServerProcess) -> int:
    """The process of pipeline and API: the parent of the receiver, which goes on without it."""
    receiver = (server.data_dir / "journal" / "lock").read_text()
    return int(Path(f"/proc/{receiver}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_pipeline_that_stands_still_costs_no_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_INGEST__MAX_LAG_BYTES", str(2**20))
    monkeypatch.setenv("HOLDFAST_INGEST__TRACE_LINGER_S", "0")
    with ServerProcess(tmp_path) as server:
        pid = pipeline_pid(server)
        os.kill(pid, signal.SIGSTOP)
        try:
            answers: list[httpx.Response] = []
            while not answers or answers[-1].status_code == 200:
                answers.append(send(server, len(answers) + 1))
                assert len(answers) < 100, "nobody asked to wait"
        finally:
            os.kill(pid, signal.SIGCONT)
        *taken, refused = answers
        assert taken
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1

        numbers = list(range(1, len(taken) + 1))
        deadline = time.monotonic() + TIMEOUT_S
        while send(server, len(answers)).status_code != 200:
            assert time.monotonic() < deadline, "it never took anything again"
        numbers.append(len(answers))
        server.wait_for("/api/v1/status", lambda answer: answer.json()["calls"] >= len(numbers))
        assert server.stop() == 0
    with TelemetryStore(f"chdb://{server.data_dir}/telemetry") as store:
        assert store.count() == len(numbers)
        assert all(store.call(f"{n:032x}", f"{n:016x}") is not None for n in numbers)
