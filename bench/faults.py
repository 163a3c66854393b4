"""What breaks around the gateway, with real processes: what clients see, how long they wait, what is lost.

    python -m bench.faults [--fault NAME] [--clients 8]

Every row starts a gateway of its own (two workers where one of them dies) and clients that ask without a pause, breaks something
under them, waits, and, where it says so, puts it right again. "Opened after": from the moment when the last failure that the
breaker needed was there until it was open, by both processes' clocks; for a target that hangs its time-out is taken off. A
request is answered when it got a 200. Prints a Markdown table.
"""

import argparse
import os
import resource
import signal
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx

from holdfast.control.snapshot import (
    BreakerRule,
    BreakerSignal,
    Desired,
    Guard,
    GuardMode,
    GuardPlace,
    Retries,
    Route,
    Target,
    WeightedTarget,
)
from holdfast.core.clock import SystemClock
from holdfast.gateway.breaker import BreakerState, Transition
from holdfast.gateway.spool import SpoolReader
from holdfast.testing.gateway import GatewayProcess, simple
from holdfast.testing.load import CHAT, HEADERS, Load
from holdfast.testing.model_server import Reply
from holdfast.testing.upstream import Behaviour, UpstreamProcess, wait_until

PATIENCE_S = 0.5
"""Time-outs of the targets."""
WARM, AFTERWARDS = 20, 400
"""Answers before something breaks, and since."""
STREAMS = 50
NOWHERE = "http://127.0.0.1:9"
RULE = BreakerRule(name="transport", signal=BreakerSignal.TRANSPORT, cool_s=1.0, probes=2)
WORDS = Reply(text="one two three four five six seven eight nine ten")


class Row(NamedTuple):
    """What came of a fault; times in ms, `opened_ms` None where no breaker was to open."""

    seen: Counter[str]
    slowest_ms: float
    opened_ms: float | None = None
    told: str = ""


def desired(*upstreams: UpstreamProcess, guards: tuple[Guard, ...] = ()) -> Desired:
    """One route over these targets in this order, with a transport breaker and one retry."""
    targets = tuple(
        Target(name=f"t{n}", base_url=u.url, connect_s=PATIENCE_S, first_byte_s=PATIENCE_S) for n, u in enumerate(upstreams)
    )
    weighted = tuple(WeightedTarget(target=target.name, order=n) for n, target in enumerate(targets))
    route = Route(name="chat", targets=weighted, retries=Retries(attempts=1))
    return simple(targets=targets, routes=(route,), breakers=(RULE,), guards=guards)


@contextmanager
def two_targets(folder: Path) -> Iterator[tuple[GatewayProcess, UpstreamProcess]]:
    """A gateway over two targets, and the first of them."""
    with UpstreamProcess() as first, UpstreamProcess() as second, GatewayProcess(folder, desired(first, second)) as gateway:
        yield gateway, first


@contextmanager
def one_target(
    folder: Path, guards: tuple[Guard, ...] = (), workers: int = 1
) -> Iterator[tuple[GatewayProcess, UpstreamProcess]]:
    """A gateway over one target, and the target."""
    with UpstreamProcess() as target, GatewayProcess(folder, desired(target, guards=guards), workers=workers) as gateway:
        wait_until(lambda: len(gateway.statuses()) == workers)
        yield gateway, target


def sick_target(kind: str, folder: Path, clients: int) -> Row:
    """The first of two targets does `kind` until its breaker is open, and then is well again until it is asked again."""
    with two_targets(folder) as (gateway, first):
        with Load(gateway.url, clients) as load:
            load.wait_for(WARM)
            first.asked()
            first.behave(Behaviour(kind=kind, retry_after_s=1.0 if kind == "busy" else None))
            load.wait_for(AFTERWARDS)
            if kind != "busy":
                wait_until(lambda: bool(trips(gateway)), 60)
            failed_ns = sorted(int(headers[":time_ns"]) for _, headers in first.asked())
            first.behave(Behaviour())
            before = load.seen["200 t0"]
            wait_until(lambda: load.seen["200 t0"] > before + WARM, 60)
        tripped = trips(gateway)
    if not tripped:
        return Row(load.seen, load.slowest_s * 1e3, told="no breaker opens: 429 is no fault")
    needed_ns = failed_ns[tripped[0].bad - 1] + (PATIENCE_S * 1e9 if kind == "hang" else 0)
    return Row(load.seen, load.slowest_s * 1e3, (tripped[0].at_ns - needed_ns) / 1e6, f"{tripped[0].bad} failures behind it")


def trips(gateway: GatewayProcess) -> list[Transition]:
    """What opened, the first first."""
    found = (t for s in gateway.statuses() for t in s.transitions if t.after is BreakerState.OPEN)
    return sorted(found, key=lambda t: t.at_ns)


def killed_target(folder: Path, clients: int) -> Row:
    """The first of two targets is killed and comes back."""
    with two_targets(folder) as (gateway, first), Load(gateway.url, clients) as load:
        load.wait_for(WARM)
        first.kill()
        load.wait_for(AFTERWARDS)
        before = load.seen["200 t0"]
        with UpstreamProcess(port=first.port):
            wait_until(lambda: load.seen["200 t0"] > before + WARM, 60)
    return Row(load.seen, load.slowest_s * 1e3, told="asked again when it was back")


def busy_targets(folder: Path, clients: int) -> Row:
    """Every target says 429."""
    with UpstreamProcess() as first, UpstreamProcess() as second, GatewayProcess(folder, desired(first, second)) as gateway:
        with Load(gateway.url, clients) as load:
            load.wait_for(WARM)
            for one in (first, second):
                one.behave(Behaviour(kind="busy", retry_after_s=2.0))
            load.wait_for(AFTERWARDS)
            hint = httpx.post(gateway.url + CHAT, json=body("hi"), headers=HEADERS).headers["retry-after"]
        opened = len(trips(gateway))
    return Row(load.seen, load.slowest_s * 1e3, told=f"retry-after {hint}, {opened} breakers opened")


def broken_stream(kind: str, folder: Path, clients: int) -> Row:
    """Streams that end before their end; nobody else could go on with them."""
    seen, slowest = Counter[str](), 0.0
    with one_target(folder) as (gateway, target), httpx.Client(headers=HEADERS, timeout=20) as client:
        target.behave(Behaviour(kind=kind, after=4, reply=WORDS))
        for _ in range(STREAMS):
            told = client.post(gateway.url + CHAT, json=body("hi") | {"stream": True})
            slowest = max(slowest, told.elapsed.total_seconds())
            last = [line for line in told.text.splitlines() if line][-1]
            seen[f"{told.status_code} {'error event' if 'upstream_failed' in last else 'no error event'}"] += 1
            if told.status_code != 200:
                break
    return Row(seen, slowest * 1e3, told="the breaker opens on them, too" if len(seen) > 1 else "")


def no_server(folder: Path, clients: int) -> Row:
    """Neither control plane nor receiver is there, and the gateway starts anew from its last snapshot."""
    with UpstreamProcess() as target:
        with GatewayProcess(folder, desired(target)):
            pass
        with GatewayProcess(folder, None, server_url=NOWHERE, otlp_url=NOWHERE) as gateway:
            with Load(gateway.url, clients) as load:
                load.wait_for(AFTERWARDS)
            lost = wait_for_telemetry(gateway, load.total)
    return Row(load.seen, load.slowest_s * 1e3, told=f"telemetry waits on disk, {lost} lost")


def wait_for_telemetry(gateway: GatewayProcess, wanted: int) -> int:
    """How many of `wanted` requests are not in the spools when nothing more comes."""
    try:
        wait_until(lambda: recorded(gateway) >= wanted, 3)
    except TimeoutError:
        return wanted - recorded(gateway)
    return 0


def recorded(gateway: GatewayProcess) -> int:
    """Requests in the spools of all workers."""
    spools = sorted((gateway.directory / "spool").iterdir())
    return sum(len(SpoolReader(spool).read(2**30)[0]) for spool in spools)


def full_disk(folder: Path, clients: int) -> Row:
    """The worker can write nothing more (its limit of file size is one byte), and then again."""
    with one_target(folder) as (gateway, _):
        pid = gateway.worker_pids()[0]
        with Load(gateway.url, clients) as load:
            load.wait_for(WARM)
            before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            load.wait_for(AFTERWARDS)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
            load.wait_for(WARM)
        lost = wait_for_telemetry(gateway, load.total)
        text = httpx.get(gateway.url + "/metrics", headers=HEADERS).text
        counted = next(line.split()[-1] for line in text.splitlines() if line.startswith("holdfast_gateway_telemetry_dropped"))
    return Row(load.seen, load.slowest_s * 1e3, told=f"telemetry of {lost} lost, {float(counted):.0f} counted as lost")


def killed_worker(folder: Path, clients: int) -> Row:
    """One of two workers is killed."""
    with one_target(folder, workers=2) as (gateway, _):
        with Load(gateway.url, clients) as load:
            load.wait_for(WARM)
            victim = gateway.worker_pids()[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: len(gateway.worker_pids()) == 2 and victim not in gateway.worker_pids(), 30)
            load.wait_for(AFTERWARDS)
        lost = wait_for_telemetry(gateway, load.seen["200 t0"])
    return Row(load.seen, load.slowest_s * 1e3, told=f"telemetry of {lost} lost")


def killed_guard_process(folder: Path, clients: int) -> Row:
    """The process that judges for a worker is killed; its guard is in force."""
    guard = Guard(name="inj", kind="injection", place=GuardPlace.INPUT, mode=GuardMode.ENFORCE, threshold=0.9)
    with one_target(folder, (guard,)) as (gateway, _):
        wait_until(lambda: gateway.statuses()[0].guard_process > 0, 30)
        with Load(gateway.url, clients) as load:
            load.wait_for(WARM)
            victim = gateway.statuses()[0].guard_process
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: gateway.statuses()[0].guard_process not in (0, victim), 30)
            load.wait_for(AFTERWARDS)
    return Row(load.seen, load.slowest_s * 1e3, told="another one judges")


def killed_gateway(folder: Path, clients: int) -> Row:
    """Supervisor and workers are killed at once, and started again by whoever starts services."""
    with UpstreamProcess() as target:
        gateway = GatewayProcess(folder, desired(target), workers=2, port=free_port())
        gateway.start()
        wait_until(lambda: len(gateway.statuses()) == 2)
        with Load(gateway.url, clients) as load:
            load.wait_for(AFTERWARDS)
            workers = gateway.worker_pids()
            gateway.kill()
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            killed_ns, served = SystemClock().now_ns(), load.seen["200 t0"]
            with gateway:
                wait_until(lambda: load.seen["200 t0"] > served, 30)
                away_s = (SystemClock().now_ns() - killed_ns) / 1e9
                load.wait_for(AFTERWARDS)
                lost = wait_for_telemetry(gateway, load.seen["200 t0"])
    return Row(load.seen, load.slowest_s * 1e3, told=f"{away_s:.1f} s from the kill to the next answer; telemetry of {lost} lost")


def free_port() -> int:
    """Of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def body(text: str) -> dict[str, object]:
    """Of a chat."""
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


FAULTS: dict[str, Callable[[Path, int], Row]] = {
    **{
        f"one of two targets: {kind}": partial(sick_target, kind)
        for kind in ("down", "reset", "garbage", "empty", "hang", "busy")
    },
    "one of two targets: killed": killed_target,
    "every target: busy": busy_targets,
    **{f"a stream: {kind}": partial(broken_stream, kind) for kind in ("cut", "stall", "reset")},
    "the server: gone": no_server,
    "the disk: full": full_disk,
    "a worker: kill -9": killed_worker,
    "a guard process: kill -9": killed_guard_process,
    "all of the gateway: kill -9": killed_gateway,
}


def main() -> None:
    """All of them, or those whose name has a part."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults")
    parser.add_argument("--fault", default="")
    parser.add_argument("--clients", type=int, default=8)
    given = parser.parse_args()
    print("| fault | requests | answered | what else clients saw | slowest, ms | opened after, ms | |")
    print("|---|---|---|---|---|---|---|")
    for name, fault in FAULTS.items():
        if given.fault not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            row = fault(Path(folder), given.clients)
        answered = sum(count for seen, count in row.seen.items() if seen.startswith("200"))
        other = ", ".join(f"{count} × {seen}" for seen, count in sorted(row.seen.items()) if not seen.startswith("200 t"))
        opened = "" if row.opened_ms is None else f"{row.opened_ms:.1f}"
        cells = (name, row.seen.total(), answered, other or "nothing", f"{row.slowest_ms:.0f}", opened, row.told)
        print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
