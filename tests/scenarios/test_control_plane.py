"""The control plane of a real server: changes reach who listens, from wherever they are made, and survive a power cut."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import msgspec

from holdfast.control.snapshot import Snapshot
from holdfast.control.store import STREAM, ControlStore
from holdfast.core.clock import SystemClock
from holdfast.ledger.store import Ledger
from holdfast.testing.control import example_desired
from holdfast.testing.server import ServerProcess

BASE = "/api/v1/control"
WITHIN_S = 1.0
"""What is promised from a change to its effect on every gateway."""


class Listener:
    """A gateway that only listens; comes again with the version that it had last."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._seen: list[tuple[int, float]] = []
        self._news = threading.Condition()
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._leave.is_set():
            last = {"Last-Event-ID": str(self._seen[-1][0])} if self._seen else {}
            try:
                with httpx.stream(
                    "GET", f"{self._server.api}{BASE}/stream", headers={**self._server.headers, **last}, timeout=15
                ) as response:
                    self._read(response)
            except httpx.HTTPError:
                self._leave.wait(0.05)

    def _read(self, response: httpx.Response) -> None:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                version = msgspec.json.decode(line.removeprefix("data: "), type=Snapshot).version
                with self._news:
                    self._seen.append((version, time.monotonic()))
                    self._news.notify_all()
            if self._leave.is_set():
                return

    @property
    def versions(self) -> list[int]:
        """All versions that came, in the order in which they came."""
        return [version for version, _ in self._seen]

    def when(self, version: int) -> float:
        """When it had this version."""
        with self._news:
            assert self._news.wait_for(lambda: version in self.versions, 30), f"version {version} never came: {self.versions}"
            return next(at for had, at in self._seen if had == version)

    def leave(self) -> None:
        """Stops listening."""
        self._leave.set()

    def join(self) -> None:
        """Waits until it has left."""
        self._thread.join(30)
        assert not self._thread.is_alive()


def test_changes_reach_every_gateway_and_survive_a_power_cut(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        listeners = [Listener(server) for _ in range(3)]
        try:
            configure(server)
            delays = []
            for version in (2, 3, 4):
                asked = granted(server, version)
                delays.append(max(listener.when(version) for listener in listeners) - asked)
            assert min(delays) < WITHIN_S, delays

            by_hand = time.monotonic()
            command = ["control", "red-button", "--reason", "it errs", "--as", "ada"]
            subprocess.run(
                [sys.executable, "-m", "holdfast", *command], cwd=tmp_path, env=environment(server), check=True, timeout=60
            )
            assert all(listener.when(5) > by_hand for listener in listeners)

            server.kill()
            server.start()
            with Ledger(f"sqlite:///{server.data_dir}/ledger.sqlite") as ledger:
                assert ledger.verify().ok
                store = ControlStore(ledger.stream(STREAM), SystemClock())
                assert (store.snapshot.version, store.snapshot.automation) == (5, False)
                store.resume_automation("user:ada", "mended")
            for listener in listeners:
                listener.when(6)
                assert listener.versions == sorted(set(listener.versions)), "nothing twice, nothing backwards"
        finally:
            for listener in listeners:
                listener.leave()
        assert server.stop() == 0
    for listener in listeners:
        listener.join()
    assert "Traceback" not in server.log


def configure(server: ServerProcess) -> None:
    body = {"desired": msgspec.to_builtins(example_desired()), "reason": "first configuration"}
    headers = {**server.headers, "If-Match": '"0"'}
    httpx.put(f"{server.api}{BASE}/desired", json=body, headers=headers, timeout=30).raise_for_status()


def granted(server: ServerProcess, number: int) -> float:
    """Grants a lease over HTTP, and says when it was asked for."""
    body = {
        "action": "disable_tool",
        "arguments": {"tool": "refund"},
        "scope": {"user": f"u{number}"},
        "ttl_s": 600,
        "owner": "inc_1",
        "reason": "it refunds everybody",
    }
    asked = time.monotonic()
    httpx.post(f"{server.api}{BASE}/leases", json=body, headers=server.headers, timeout=30).raise_for_status()
    return asked


def environment(server: ServerProcess) -> dict[str, str]:
    return {**os.environ, "HOLDFAST_SERVER__DATA_DIR": str(server.data_dir)}
