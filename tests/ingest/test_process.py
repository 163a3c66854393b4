import gzip
import os
import signal
import socket
import threading
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import pytest

from holdfast.core.errors import ConfigurationError, StoreError
from holdfast.ingest.journal import Journal
from holdfast.ingest.process import ReceiverProcess
from holdfast.ingest.receiver import ReceiverConfig
from tests.ingest.journals import PROMPT, wait_until
from tests.ingest.receivers import PROTOBUF, config, span_numbers, trace_body, twice

TIMEOUT_S = 30


def post(process: ReceiverProcess, body: bytes, **headers: str) -> httpx.Response:
    return httpx.post(f"{process.endpoints.http_url}/v1/traces", content=body, headers=PROTOBUF | headers, timeout=TIMEOUT_S)


def test_a_receiver_process_is_ready_when_it_is_there_and_stops_in_good_order(tmp_path: Path) -> None:
    with ReceiverProcess(config(tmp_path, grpc_port=0)) as process:
        assert post(process, trace_body([1])).status_code == 200
        assert process.exit_code is None
        assert process.stop() == 0
    assert span_numbers(config(tmp_path)) == [1]


def test_sigterm_ends_it_with_exit_code_zero(tmp_path: Path) -> None:
    with ReceiverProcess(config(tmp_path)) as process:
        post(process, trace_body([1]))
        os.kill(process.pid, signal.SIGTERM)
        wait_until(lambda: process.exit_code is not None)
        assert process.exit_code == 0


def test_what_the_child_cannot_do_is_told_in_its_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ConfigurationError, match="in use"):
        ReceiverProcess(config(tmp_path, http_port=other.getsockname()[1]))
    with Journal(config(tmp_path).directory, PROMPT), pytest.raises(StoreError, match="writes to it already"):
        ReceiverProcess(config(tmp_path))


def test_a_child_that_is_not_ready_in_time_is_ended(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="ready"):
        ReceiverProcess(config(tmp_path), ready_timeout_s=0.001)
    Journal(config(tmp_path).directory, PROMPT).close()


def _own_a_receiver(configured: ReceiverConfig, told: Connection) -> None:
    process = ReceiverProcess(configured)
    told.send(process.pid)
    threading.Event().wait()


def test_it_stops_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    owner = context.Process(target=_own_a_receiver, args=(config(tmp_path), theirs))
    owner.start()
    assert ours.poll(TIMEOUT_S)
    receiver = ours.recv()
    owner.kill()
    owner.join(TIMEOUT_S)
    wait_until(lambda: not _runs(receiver))
    Journal(config(tmp_path).directory, PROMPT).close()


def _runs(pid: int) -> bool:
    """A zombie does not run any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("end", [ReceiverProcess.kill, ReceiverProcess.stop])
def test_every_acknowledged_span_survives_kill_9_and_sigterm_under_load_exactly_once(
    tmp_path: Path, end: Callable[[ReceiverProcess], int | None]
) -> None:
    acknowledged: list[int] = []
    process = ReceiverProcess(config(tmp_path))

    def sender(first: int) -> None:
        with httpx.Client(base_url=process.endpoints.http_url, timeout=TIMEOUT_S) as client:
            for start in range(first, first + 10**6, 25):
                batch = range(start, start + 25)
                try:
                    response = client.post("/v1/traces", content=trace_body(batch), headers=PROTOBUF)
                except httpx.TransportError:
                    return
                assert response.status_code == 200
                acknowledged.extend(batch)

    senders = [threading.Thread(target=sender, args=(1 + n * 10**6,)) for n in range(4)]
    for thread in senders:
        thread.start()
    wait_until(lambda: len(acknowledged) > 1000)
    end(process)
    for thread in senders:
        thread.join(TIMEOUT_S)
    with ReceiverProcess(config(tmp_path)) as again:
        assert post(again, trace_body([10**7])).status_code == 200
    found = span_numbers(config(tmp_path))
    assert set(acknowledged) <= set(found)
    assert twice(found) == []
    assert 10**7 in found


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_a_gzip_bomb_never_expands_in_memory(tmp_path: Path) -> None:
    bomb = gzip.compress(b"\x0a" * 2**20, 9) * 900
    with ReceiverProcess(config(tmp_path)) as process:
        before = _peak_mib(process.pid)
        assert post(process, bomb, **{"content-encoding": "gzip"}).status_code == 413
        assert _peak_mib(process.pid) - before < 200
        assert post(process, trace_body([1])).status_code == 200
