"""The control plane in Prometheus' names and units, as it stands when somebody asks."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from holdfast.control.gateways import KnownGateway
from holdfast.control.snapshot import Snapshot
from holdfast.core.clock import NS_PER_S

_UP = "1 while the control plane can be served."


def exposition(snapshot: Snapshot, gateways: Iterable[KnownGateway], now_ns: int) -> bytes:
    """All of it in Prometheus' text format.

    Args:
        snapshot: what is in force.
        gateways: what they said of themselves.
        now_ns: leases that have expired by then are gone.
    """
    registry = CollectorRegistry()

    def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"holdfast_control_{name}", text, labels, registry=registry)

    gauge("up", _UP).set(1)
    gauge("version", "Version of the snapshot.").set(snapshot.version)
    gauge("changed_timestamp_seconds", "When the snapshot was last changed.").set(snapshot.created_ns / NS_PER_S)
    gauge("automation", "1 while automation may act, 0 while the red button is pressed.").set(snapshot.automation)
    leases = gauge("leases", "Containments in force.", ("action", "automatic"))
    for (action, automatic), count in Counter((lease.action, lease.automatic) for lease in snapshot.live(now_ns)).items():
        leases.labels(action, str(automatic).lower()).set(count)
    running = gauge("gateways", "Gateways heard of within an hour, by how they stand.", ("state",))
    states = Counter(_state(gateway, snapshot.version) for gateway in gateways)
    for state in ("current", "behind", "refusing", "silent"):
        running.labels(state).set(states[state])
    return generate_latest(registry)


def unavailable() -> bytes:
    """What is said while the control plane cannot be served."""
    registry = CollectorRegistry()
    Gauge("holdfast_control_up", _UP, registry=registry).set(0)
    return generate_latest(registry)


def _state(gateway: KnownGateway, version: int) -> str:
    if gateway.silent:
        return "silent"
    if gateway.report.refused:
        return "refusing"
    return "current" if gateway.report.version == version else "behind"
