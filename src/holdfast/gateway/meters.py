"""What one worker counts of itself, in Prometheus' names and units.

Counting is in the path of every request: here it is an addition in a dictionary, and becomes metrics when somebody asks.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from holdfast.gateway.exchange import Exchange

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
MAX_LABELS = 5_000
"""Label sets of all counters together: names come from snapshots, but snapshots change. Over that, new ones are not counted."""

_COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "requests": ("Requests by how they ended.", ("route", "code", "reason")),
    "attempts": ("Tries at targets.", ("target", "outcome")),
    "changes": ("Requests that were not served as asked.", ("what",)),
    "guard_verdicts": ("What guards said, and what was done.", ("guard", "verdict", "enforced")),
    "tokens": ("Tokens as targets report them.", ("target", "kind")),
    "cost_usd": ("Cost of answers.", ("target",)),
    "internal_errors": ("Mistakes of the gateway itself.", ("where",)),
}
_PREFIX = "holdfast_gateway_"


class Seconds:
    """A histogram of seconds."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper bound."""
        found, so_far = [], 0
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self.counts, strict=True):
            so_far += count
            found.append((bound, float(so_far)))
        return found


class Meters(Collector):
    """Counters of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._counts: dict[tuple[str, ...], float] = {}
        self._seconds: dict[str, Seconds] = {}
        self._first_byte = Seconds()
        registry.register(self)
        self.in_flight = Gauge(f"{_PREFIX}in_flight", "Requests under way.", registry=registry)
        self.snapshot = Gauge(f"{_PREFIX}snapshot_version", "Version of the snapshot in force.", registry=registry)
        self.breakers = Gauge(f"{_PREFIX}breakers", "Breakers by state.", ["state"], registry=registry)
        self.over_blocking = Gauge(
            f"{_PREFIX}over_blocking_share",
            "Estimated share of harmless requests blocked.",
            ["guard", "segment"],
            registry=registry,
        )
        self.relaxed = Gauge(
            f"{_PREFIX}guard_relaxed", "1 while the budget of a guard is spent.", ["guard", "segment"], registry=registry
        )
        self.guard_process = Gauge(f"{_PREFIX}guard_processes", "Workers whose guard process judges.", registry=registry)
        self.dropped = Gauge(f"{_PREFIX}telemetry_dropped", "Calls whose telemetry was lost.", registry=registry)

    def count(self, name: str, *labels: str, by: float = 1.0) -> None:
        """Add to a counter."""
        key = (name, *labels)
        known = self._counts.get(key)
        if known is None and len(self._counts) >= MAX_LABELS:
            return
        self._counts[key] = (known or 0.0) + by

    def finished(self, exchange: Exchange) -> None:
        """Count a finished exchange."""
        reason = exchange.refusal.reason.value if exchange.refusal is not None else ""
        self.count("requests", exchange.route.name, str(exchange.status), reason)
        for attempt in exchange.attempts:
            self.count("attempts", attempt.target, attempt.failure or "ok")
        for change in exchange.changes:
            self.count("changes", change.partition(":")[0])
        for verdict in exchange.verdicts:
            self.count("guard_verdicts", verdict.guard, verdict.ruling, verdict.enforced)
        if exchange.said is not None and exchange.target:
            usage = exchange.said.usage
            self.count("tokens", exchange.target, "input", by=usage.input_tokens or 0)
            self.count("tokens", exchange.target, "output", by=usage.output_tokens or 0)
        if exchange.cost_usd:
            self.count("cost_usd", exchange.target, by=exchange.cost_usd)
        started_ns, route = exchange.request.started_ns, exchange.route.name
        seconds = self._seconds.get(route)
        if seconds is None:
            seconds = self._seconds[route] = Seconds()
        seconds.add(max(exchange.ended_ns - started_ns, 0) / 1e9)
        if exchange.first_byte_ns:
            self._first_byte.add(max(exchange.first_byte_ns - started_ns, 0) / 1e9)

    def failed(self, where: str) -> None:
        """Count a mistake of the gateway itself."""
        self.count("internal_errors", where)

    def collect(self) -> Iterable[Metric]:
        """What was counted, as metrics."""
        families = {
            name: CounterMetricFamily(_PREFIX + name, text, labels=list(labels)) for name, (text, labels) in _COUNTERS.items()
        }
        for (name, *labels), value in self._counts.items():
            families[name].add_metric(labels, value)
        yield from families.values()
        yield from self._histograms()

    def _histograms(self) -> Iterator[Metric]:
        requests = HistogramMetricFamily(
            f"{_PREFIX}request_seconds", "From the request to the end of the answer.", labels=["route"]
        )
        for route, seconds in self._seconds.items():
            requests.add_metric([route], seconds.buckets(), seconds.total)
        yield requests
        first = HistogramMetricFamily(
            f"{_PREFIX}first_byte_seconds", "From the request to the first byte of a target.", labels=[]
        )
        first.add_metric([], self._first_byte.buckets(), self._first_byte.total)
        yield first

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
