"""Cost of the control plane. Run: ``python -m bench.control [--seconds N]``.

Matching: microseconds that a request waits for what the leases make of it, by number of leases; target: 5 us at 50.
Convergence: milliseconds from the answer to a change (and from its beginning) until a gateway's stream has it, on the server that
made it and on another server of the same ledger; target: 1 s. Changes, validation and folding: milliseconds.
"""

import argparse
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import msgspec

from holdfast.control.effective import Matcher
from holdfast.control.effects import DisableTool, PinParameters
from holdfast.control.events import fold
from holdfast.control.leases import Draft
from holdfast.control.snapshot import Lease, Snapshot
from holdfast.control.store import STREAM, ControlStore
from holdfast.control.validate import must_be_sound
from holdfast.core.call import Dimensions
from holdfast.core.clock import SystemClock
from holdfast.ledger.store import Ledger
from holdfast.testing.control import example_desired
from holdfast.testing.control_server import ControlServer

NOW = 1_000_000_000_000
REQUEST: Dimensions = {
    "service.name": ("shop",),
    "route": ("support",),
    "model": ("large-1",),
    "prompt.version": ("v2",),
    "tenant": ("acme",),
    "region": ("eu",),
    "language": ("de",),
    "user": ("u17",),
    "tool": ("refund", "search", "order"),
}


def lease(number: int, scope: dict[str, str], share: float = 1.0) -> Lease:
    """One containment."""
    effect = PinParameters(parameters={"temperature": 0}) if number % 2 else DisableTool(tool=f"t{number}")
    return Lease(
        id=f"lse_{number:012x}",
        sequence=number,
        action="a",
        effect=effect,
        scope=scope,
        share=share,
        granted_ns=1,
        expires_ns=NOW * 2,
        owner="inc_1",
        actor="bench",
        reason="r",
        plan_hash="",
        before="",
    )


def mixed(count: int) -> Snapshot:
    """Most leases are for other users and tenants; three match the request."""
    scopes = [{"user": f"m{n}"} if n % 3 else {"tenant": f"t{n}", "route": "support"} for n in range(count - 3)]
    scopes += [{"route": "support", "tenant": "acme"}, {"tool": "refund"}, {"language": "de", "region": "eu"}]
    leases = tuple(lease(n, scope) for n, scope in enumerate(scopes[-count:], 1))
    return Snapshot(version=1, created_ns=1, desired=example_desired(), leases=leases)


def canaries(count: int) -> Snapshot:
    """Every lease matches, and each draws the user anew: as bad as it gets."""
    leases = tuple(lease(n, {"route": "support"}, 0.5) for n in range(1, count + 1))
    return Snapshot(version=1, created_ns=1, desired=example_desired(), leases=leases)


def us(call: Callable[[], object], seconds: float) -> float:
    """Median microseconds of this thread's CPU time for a call, in batches of two hundred: others may want the processor too."""
    batches = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.thread_time()
        for _ in range(200):
            call()
        batches.append((time.thread_time() - started) * 5_000)
    return statistics.median(batches)


def matching(seconds: float) -> None:
    """By number of leases."""
    print("matching, us per request        leases     0    10    50   200   500")
    for name, made in (("three match", mixed), ("all match, all canaries", canaries)):
        figures = []
        for count in (0, 10, 50, 200, 500):
            matcher = Matcher(made(count) if count else Snapshot(version=1, created_ns=1, desired=example_desired()))
            figures.append(us(lambda matcher=matcher: matcher.match(REQUEST, NOW, "u17"), seconds))  # type: ignore[misc]
        print(f"  {name:<34}" + "".join(f"{figure:7.2f}" for figure in figures))
    snapshot = mixed(50)
    print(f"compiling 50 leases: {us(lambda: Matcher(snapshot), seconds):.0f} us")
    print(f"judging a snapshot with 50 leases: {us(lambda: must_be_sound(snapshot), seconds) / 1_000:.2f} ms")
    print(f"its JSON: {len(msgspec.json.encode(snapshot))} bytes")


def changing(folder: Path, count: int) -> None:
    """Grants on a durable ledger, and how long a start takes after them."""
    with Ledger(f"sqlite:///{folder}/changes.sqlite") as ledger:
        store = ControlStore(ledger.stream(STREAM), SystemClock())
        store.configure(example_desired(), "bench", "r", 0)
        took = []
        for n in range(count):
            started = time.perf_counter()
            store.grant(lambda state, n=n: draft(n), "bench")  # type: ignore[misc]
            took.append((time.perf_counter() - started) * 1_000)
        started = time.perf_counter()
        ControlStore(ledger.stream(STREAM), SystemClock())
        opening = (time.perf_counter() - started) * 1_000
        entries = ledger.stream(STREAM).read()
        started = time.perf_counter()
        fold(entries)
        folding = (time.perf_counter() - started) * 1_000
    print(f"granting a lease on SQLite (durable): median {statistics.median(took):.1f} ms, worst {max(took):.1f} ms of {count}")
    print(f"starting over {len(entries)} events: {opening:.1f} ms, of which folding {folding:.1f} ms")


def draft(number: int) -> Draft:
    """A containment of a user of its own."""
    return Draft(
        action="disable_tool",
        effect=DisableTool(tool="x"),
        scope={"user": f"u{number}"},
        ttl_s=3600,
        owner="inc_1",
        reason="r",
        before="b",
    )


class Listener:
    """A gateway that only listens: when it had which version."""

    def __init__(self, server: ControlServer) -> None:
        self.seen: dict[int, float] = {}
        self.changed = threading.Condition()
        threading.Thread(target=self._listen, args=(server,), daemon=True).start()

    def _listen(self, server: ControlServer) -> None:
        try:
            with httpx.stream("GET", f"{server.url}/api/v1/control/stream", headers=server.headers, timeout=30) as response:
                for line in response.iter_lines():
                    if line.startswith("id: "):
                        with self.changed:
                            self.seen[int(line[4:])] = time.perf_counter()
                            self.changed.notify_all()
        except httpx.HTTPError:
            return

    def wait(self, version: int) -> float:
        """When it had this version."""
        with self.changed:
            if not self.changed.wait_for(lambda: any(v >= version for v in self.seen), 10):
                raise SystemExit(f"version {version} never came")
            return min(at for v, at in self.seen.items() if v >= version)


def converging(folder: Path, listeners: int, changes: int) -> None:
    """Many gateways on two servers of one ledger, changes over HTTP."""
    with ControlServer(folder) as one, ControlServer(folder) as other:
        one.configure(example_desired())
        here, there = ([Listener(server) for _ in range(listeners)] for server in (one, other))
        for listener in (*here, *there):
            listener.wait(1)
        delays: dict[str, list[float]] = {"the server that was told": [], "another server": []}
        for n in range(changes):
            body = {
                "action": "disable_tool",
                "arguments": {"tool": "x"},
                "scope": {"user": f"u{n}"},
                "ttl_s": 600,
                "owner": "o",
                "reason": "r",
            }
            started = time.perf_counter()
            httpx.post(f"{one.url}/api/v1/control/leases", json=body, headers=one.headers).raise_for_status()
            for name, group in (("the server that was told", here), ("another server", there)):
                delays[name] += [(listener.wait(n + 2) - started) * 1_000 for listener in group]
            time.sleep(0.05)
    print(f"from the request for a change to a gateway that runs it, ms ({2 * listeners} gateways, {changes} changes)")
    for name, found in delays.items():
        found.sort()
        p99 = found[int(len(found) * 0.99)]
        print(f"  {name:<26} median {statistics.median(found):6.1f}   p99 {p99:6.1f}   worst {found[-1]:6.1f}")


def main() -> None:
    """Runs all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="per figure of matching")
    parser.add_argument("--gateways", type=int, default=10, help="per server")
    parser.add_argument("--changes", type=int, default=30)
    options = parser.parse_args()
    matching(options.seconds)
    with TemporaryDirectory(prefix="holdfast-bench-") as folder:
        changing(Path(folder), 300)
        converging(Path(folder), options.gateways, options.changes)


if __name__ == "__main__":
    main()
