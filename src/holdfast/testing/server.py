"""A real `holdfast up` in a process of its own, on free ports, for tests that need the whole product."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import httpx

from holdfast.core.errors import StoreError

STEP_S = 0.05


def free_ports(count: int) -> list[int]:
    """Ports on the loopback address that were free a moment ago, all different."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class ServerProcess:
    """The server over `folder`; may be killed and started again there.

    Raises:
        StoreError: it was not ready in time; the message ends with its log.
    """

    def __init__(self, folder: Path, timeout_s: float = 60.0) -> None:
        self.folder = folder
        self._timeout_s = timeout_s
        self._api, self._http, self._grpc = free_ports(3)
        self.otlp = f"http://127.0.0.1:{self._http}"
        self.grpc = f"127.0.0.1:{self._grpc}"
        self.api = f"http://127.0.0.1:{self._api}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data_dir(self) -> Path:
        """Where its stores are."""
        return self.folder / "data"

    @property
    def headers(self) -> dict[str, str]:
        """What a program on this machine sends with its requests."""
        file = self.data_dir / "local.token"
        return {"Authorization": f"Bearer {file.read_text().strip()}"} if file.exists() else {}

    @property
    def log(self) -> str:
        """What it logged so far."""
        return (self.folder / "server.log").read_text(errors="replace")

    def start(self) -> Self:
        """Starts it and waits until it is ready."""
        environment = {
            **os.environ,
            "HOLDFAST_SERVER__API_PORT": str(self._api),
            "HOLDFAST_SERVER__OTLP_HTTP_PORT": str(self._http),
            "HOLDFAST_SERVER__OTLP_GRPC_PORT": str(self._grpc),
            "HOLDFAST_SERVER__DATA_DIR": str(self.data_dir),
        }
        with (self.folder / "server.log").open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "holdfast", "up", "--no-gateway"],
                env=environment,
                cwd=self.folder,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        try:
            self.wait_for("/readyz", lambda answer: answer.status_code == 200)
        except StoreError:
            self.kill()
            raise
        return self

    def wait_for(self, path: str, holds: Callable[[httpx.Response], bool]) -> httpx.Response:
        """GETs `path` of the API until `holds` of the answer.

        Raises:
            StoreError: it never did within the time-out, or the server ended.
        """
        pause = Event()
        for _ in range(int(self._timeout_s / STEP_S)):
            if self._process is None or self._process.poll() is not None:
                break
            try:
                answer = httpx.get(f"{self.api}{path}", headers=self.headers, timeout=self._timeout_s)
            except httpx.HTTPError:
                pause.wait(STEP_S)
                continue
            if holds(answer):
                return answer
            pause.wait(STEP_S)
        raise StoreError(f"{path} did not become what was waited for; the server's log ends with:\n{self.log[-3000:]}")

    def kill(self) -> None:
        """kill -9 of the server and its receiver, as a power cut would."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(self._timeout_s)
            self._process = None

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        code = self._process.wait(self._timeout_s)
        self._process = None
        return code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
