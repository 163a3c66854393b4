"""The server in Prometheus' names and units, as it stands when somebody asks."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from holdfast.api.context import ApiContext
from holdfast.api.health import not_ready
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import StoreError
from holdfast.core.incident import State
from holdfast.ledger.listing import IncidentQuery

HOUR_NS = 3600 * NS_PER_S
OUTCOMES = ("ran", "failed", "skipped")
MOST_OPEN = 100


def exposition(context: ApiContext, services: frozenset[str] | None = None) -> bytes:
    """All of it in Prometheus' text format. A store that does not answer is said to be down; what it would tell is left out.

    With `services` only what concerns these applications, and whether the pipeline and the stores are there.
    """
    meters = _Meters(context, services)
    for store, tell in (("ledger", meters.ledger), ("telemetry", meters.telemetry)):
        meters.up(store, tell)
    meters.pipeline()
    if services is None:
        meters.installation()
    return generate_latest(meters.registry)


class _Records(Collector):
    """A counter that says nothing of when it was made: this one is made anew each time."""

    def __init__(self, records: int) -> None:
        self._records = records

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The one sample."""
        yield CounterMetricFamily("holdfast_pipeline_records", "Records that went through since the start.", self._records)


class _Meters:
    """One exposition."""

    def __init__(self, context: ApiContext, services: frozenset[str] | None) -> None:
        self._context = context
        self._services = services
        self._now_ns = context.clock.now_ns()
        self.registry = CollectorRegistry()
        self._stores = self._gauge("store_up", "1 while the store answers.", "store")

    def up(self, store: str, tell: Callable[[], None]) -> None:
        """Tells what a store says, and whether it does."""
        try:
            tell()
        except StoreError:
            self._stores.labels(store).set(0)
        else:
            self._stores.labels(store).set(1)

    def pipeline(self) -> None:
        """How the pipeline is doing."""
        progress = self._context.progress
        self._gauge("pipeline_up", "1 while the pipeline reads its journal.").set(not not_ready(progress, self._now_ns))
        self._gauge("pipeline_read_timestamp_seconds", "When it last did.").set(progress.last_read_ns / NS_PER_S)

    def installation(self) -> None:
        """What all applications share."""
        progress = self._context.progress
        if progress.budget is not None:
            self._gauge("false_alarm_budget_per_day", "False alarms that a day may bring.").set(progress.budget.per_day)
            self._gauge("false_alarms_spent", "Upper bound of the false alarms expected so far.").set(progress.budget.spent.total)
            self._gauge("false_alarms_spent_today", "The part of it of the last day.").set(progress.spent_today)
        self.registry.register(_Records(progress.records))

    def ledger(self) -> None:
        """What is open."""
        ledger = self._context.ledger
        counts = ledger.counts(self._services)
        incidents = self._gauge("incidents", "Incidents by state.", "state")
        for state in State:
            incidents.labels(state.value).set(counts.get(state, 0))
        open_ones = ledger.page(IncidentQuery(services=self._services, states=(State.OPEN,), limit=MOST_OPEN)).incidents
        waiting = sum("acknowledged" not in incident.timestamps for incident in open_ones)
        self._gauge("incidents_unacknowledged", f"Open incidents that nobody has acknowledged, of the last {MOST_OPEN}.").set(
            waiting
        )
        if self._services is None:
            self._gauge("ledger_events", "Events in the hash chain.").set(ledger.anchor().seq)

    def telemetry(self) -> None:
        """Which scorers ran."""
        traces = self._gauge("scorer_traces", "Traces of the last hour by what a scorer did.", "scorer", "outcome")
        found = self._context.telemetry.coverage(max(0, self._now_ns - HOUR_NS), self._now_ns + 1, self._services)
        for scorer, counts in found.items():
            for outcome in OUTCOMES:
                traces.labels(scorer, outcome).set(counts[outcome])

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"holdfast_{name}", text, labels, registry=self.registry)
