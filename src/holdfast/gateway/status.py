"""What each worker says of itself, in files that its siblings and the supervisor read: counters, breakers, probes, metrics."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from holdfast.control.gateways import MAX_BREAKERS, BreakerPosition, BreakerStatus, GatewayReport
from holdfast.control.probes import ProbeAnswer, ProbeVerdict
from holdfast.gateway.breaker import BreakerState, Transition
from holdfast.gateway.gateway import Gateway
from holdfast.gateway.switch import Position

FRESH_S = 10
"""A status older than this is of a worker that is gone, or hangs."""
_ORDER = {BreakerState.OPEN: 0, BreakerState.HALF_OPEN: 1, BreakerState.CLOSED: 2}
_POSITIONS = {
    BreakerState.OPEN: BreakerPosition.OPEN,
    BreakerState.HALF_OPEN: BreakerPosition.HALF_OPEN,
    BreakerState.CLOSED: BreakerPosition.CLOSED,
}


class WorkerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One worker at `at_ns`.

    `refused`: why it did not take the newest snapshot that it saw. `guard_process`: id of the one that judges for it, 0 for none.
    """

    worker: int
    pid: int
    started_ns: int
    at_ns: int
    version: int
    refused: str = ""
    switch: Position = Position.ON
    in_flight: int = 0
    guard_process: int = 0
    written: int = 0
    dropped: int = 0
    spool_failure: str = ""
    breakers: tuple[BreakerStatus, ...] = ()
    transitions: tuple[Transition, ...] = ()
    probes: tuple[ProbeVerdict, ...] = ()
    answers: tuple[ProbeAnswer, ...] = ()
    exposition: str = ""


def breaker_statuses(gateway: Gateway) -> tuple[BreakerStatus, ...]:
    """All breakers of a worker, those that are not closed first, as many as a report may hold."""
    rules = {rule.name: rule for route in gateway.compiled.routes for rule in gateway.compiled.breakers(route)}
    found = []
    for key, state, since_ns, seen, bad in sorted(gateway.breakers.states(), key=lambda s: _ORDER[s[1]]):
        rule = rules.get(key.rule)
        if rule is None:
            continue
        found.append(
            BreakerStatus(
                rule=key.rule,
                target=key.target,
                dimensions=dict(zip(rule.dimensions, key.scope, strict=False)),
                position=_POSITIONS[state],
                since_ns=since_ns,
                seen=seen,
                bad=bad,
                shadow=rule.shadow,
            )
        )
    return tuple(found[:MAX_BREAKERS])


def status_path(directory: Path, worker: int) -> Path:
    """File of one worker."""
    return directory / f"worker-{worker}.status"


def write_status(directory: Path, status: WorkerStatus) -> None:
    """Put it there, whole. It need not outlive the machine, so nothing waits for the disk.

    Raises:
        OSError: it cannot be written.
    """
    path = status_path(directory, status.worker)
    new = path.with_suffix(f".{status.pid}")
    new.write_bytes(msgspec.json.encode(status))
    os.replace(new, path)


def read_statuses(directory: Path, now_ns: int) -> list[WorkerStatus]:
    """What all workers said lately; one that cannot be read is left out."""
    found = []
    for path in sorted(directory.glob("worker-*.status")):
        try:
            status = msgspec.json.decode(path.read_bytes(), type=WorkerStatus)
        except (OSError, msgspec.MsgspecError):
            continue
        if abs(now_ns - status.at_ns) <= FRESH_S * 1_000_000_000:
            found.append(status)
    return found


def report_of(statuses: Iterable[WorkerStatus], spooled: int, refused: str) -> GatewayReport:
    """The gateway as one, for the server: the oldest version that any of its workers runs."""
    known = list(statuses)
    return GatewayReport(
        version=min((s.version for s in known), default=0),
        started_ns=min((s.started_ns for s in known), default=0),
        refused=(refused or next((s.refused for s in known if s.refused), ""))[:500],
        interventions=all(s.switch is not Position.OFF for s in known),
        templates_forced=any(s.switch is Position.TEMPLATE for s in known),
        breakers=tuple([b for s in known for b in s.breakers][:MAX_BREAKERS]),
        spooled=spooled,
        dropped=sum(s.dropped for s in known),
        counters={"workers": float(len(known)), "in_flight": float(sum(s.in_flight for s in known))},
    )


def merged(expositions: Iterable[str]) -> bytes:
    """Metrics of all workers as one: samples of the same name and labels added up, of versions and times the largest taken."""
    notes: dict[str, None] = {}
    values: dict[str, float] = {}
    for text in expositions:
        for line in text.splitlines():
            if line.startswith("#"):
                notes.setdefault(line)
                continue
            name, _, value = line.rpartition(" ")
            if name.partition("{")[0].endswith(("_created", "_version")):
                values[name] = max(values.get(name, 0.0), float(value))
            else:
                values[name] = values.get(name, 0.0) + float(value)
    return _laid_out(notes, values)


def _laid_out(notes: Iterable[str], values: dict[str, float]) -> bytes:
    """Each family behind its own notes, as the format asks."""
    lines: list[str] = []
    left = dict(values)
    for note in notes:
        lines.append(note)
        if not note.startswith("# TYPE "):
            continue
        family = note.split(" ")[2]
        own = [n for n in left if _belongs(n.partition("{")[0], family)]
        lines += [f"{name} {left.pop(name)!r}" for name in own]
    return ("\n".join(lines) + "\n").encode()


def _belongs(name: str, family: str) -> bool:
    return name == family or name.removeprefix(family) in ("_total", "_bucket", "_sum", "_count", "_created")
