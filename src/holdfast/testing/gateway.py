"""`GatewayProcess`: `holdfast gateway` as people run it, on a free port of loopback, with a snapshot file that tests rewrite."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from holdfast.control.snapshot import Desired, Lease, Route, Snapshot, Target, Template, VirtualKey, WeightedTarget
from holdfast.core.clock import NS_PER_S, SystemClock
from holdfast.gateway.status import WorkerStatus, read_statuses
from holdfast.testing.upstream import wait_until

KEY = "hf-test-key"
READY_S = 30.0


def hashed(key: str) -> str:
    """What a snapshot holds of a virtual key."""
    return hashlib.sha256(key.encode()).hexdigest()


def simple(*urls: str, **changes: Any) -> Desired:
    """A route `chat` for any model over OpenAI targets `t0`, `t1`, … at `urls`, tried in this order, and the key `KEY`.

    `changes` replace fields of the result.
    """
    desired = Desired(
        targets=tuple(
            Target(name=f"t{n}", base_url=url, connect_s=1.0, first_byte_s=5.0, queue_s=0.2) for n, url in enumerate(urls)
        ),
        routes=(Route(name="chat", targets=tuple(WeightedTarget(target=f"t{n}", order=n) for n in range(len(urls)))),),
        templates=(Template(name="sorry", texts={"": "We will come back to you.", "de": "Wir melden uns."}),),
        keys=(VirtualKey(name="app", sha256=hashed(KEY), application="shop", tenant="acme"),),
    )
    return msgspec.structs.replace(desired, **changes)


def lease(number: int, effect: Any, scope: dict[str, str], seconds: float = 600.0, **changes: Any) -> Lease:
    """A live lease with `effect` on `scope`."""
    now_ns = SystemClock().now_ns()
    made = Lease(
        id=f"lease-{number}",
        sequence=number,
        action="test",
        effect=effect,
        scope=scope,
        share=1.0,
        granted_ns=now_ns,
        expires_ns=now_ns + int(seconds * NS_PER_S),
        owner="inc-1",
        actor="test",
        reason="test",
        plan_hash="",
        before="",
    )
    return msgspec.structs.replace(made, **changes)


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in values.items() if value is not None]


class GatewayProcess:
    """The program with its own folder below `directory`.

    `settings` go into the `[gateway]` table of its configuration, those that are None not; `server` into the `[server]` table.
    """

    def __init__(
        self, directory: Path, desired: Desired | None = None, *, server: Mapping[str, Any] | None = None, **settings: Any
    ) -> None:
        self.directory = directory / "gateway"
        self._file = directory / "snapshot.json"
        self.config = directory / "holdfast.toml"
        self._log = directory / "gateway.log"
        self.version = 0
        if desired is not None:
            self.put(desired)
            settings = {"snapshot": str(self._file), "server_url": ""} | settings
        values = {"port": 0, "data_dir": str(self.directory), "otlp_url": "", "drain_s": 5.0} | settings
        shared = {"data_dir": str(directory / "data")} | dict(server or {})
        self.config.write_text("\n".join(["[server]", *_lines(shared), "[gateway]", *_lines(values), ""]))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def put(self, desired: Desired, *leases: Lease, **changes: Any) -> int:
        """Write the next snapshot into the file that the gateway follows; its version."""
        self.version += 1
        now_ns = SystemClock().now_ns()
        snapshot = Snapshot(version=self.version, created_ns=now_ns, desired=desired, leases=leases)
        self.put_bytes(msgspec.json.encode(msgspec.structs.replace(snapshot, **changes)))
        return self.version

    def put_bytes(self, data: bytes) -> None:
        """Write anything into that file."""
        new = self._file.with_suffix(".new")
        new.write_bytes(data)
        new.replace(self._file)

    def apply(self, desired: Desired, *leases: Lease, **changes: Any) -> None:
        """Write the next snapshot and wait until every worker runs it."""
        version = self.put(desired, *leases, **changes)
        wait_until(lambda: (known := self.statuses()) and all(s.version == version for s in known))

    def start(self, wait: bool = True) -> None:
        """Start it, and wait until it takes requests."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")}
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "holdfast", "gateway", "--config", str(self.config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)  # noqa: S603 - our own program
        if wait:
            wait_until(self._listens, READY_S)
            if self.version:
                wait_until(self._runs_the_latest, READY_S)

    def _listens(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"the gateway ended with {self._process.returncode}: {self.log()}")
        for line in self.log().splitlines():
            if '"gateway listens"' in line:
                self.port = int(msgspec.json.decode(line)["port"])
        return self.port > 0

    def _runs_the_latest(self) -> bool:
        known = self.statuses()
        if "snapshot refused" in self.log():
            raise RuntimeError(f"the snapshot was refused: {self.log()}")
        return bool(known) and all(s.version == self.version for s in known)

    @property
    def url(self) -> str:
        """Such as ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """All that it has said."""
        return self._log.read_text() if self._log.exists() else ""

    def statuses(self) -> list[WorkerStatus]:
        """What its workers say of themselves."""
        return read_statuses(self.directory, SystemClock().now_ns())

    def worker_pids(self) -> list[int]:
        """Of the workers."""
        return [s.pid for s in self.statuses()]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, timeout_s: float = 20.0) -> int:
        """Ask it to end, wait for that, and return its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
            raise
        finally:
            self._process = None

    def kill(self) -> None:
        """End the supervisor at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
            self._process = None
            self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
