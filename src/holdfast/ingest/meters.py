"""What the receiver counts of itself, in Prometheus' names and units."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ACK_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Meters:
    """Counters of one receiver, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.accepted = Counter(
            "holdfast_ingest_accepted", "Items on disk before they were acknowledged.", ["feed"], registry=registry
        )
        self.rejected = Counter("holdfast_ingest_rejected", "Items that were not taken.", ["feed", "reason"], registry=registry)
        self.body_bytes = Counter("holdfast_ingest_body_bytes", "Bytes of bodies as they arrived.", ["feed"], registry=registry)
        self.requests = Counter(
            "holdfast_ingest_requests", "Requests by how they ended.", ["transport", "feed", "code"], registry=registry
        )
        self.ack_seconds = Histogram(
            "holdfast_ingest_ack_seconds",
            "From the end of the body to the acknowledgement.",
            ["feed"],
            buckets=ACK_BUCKETS,
            registry=registry,
        )
        self.originals = Counter(
            "holdfast_ingest_originals", "Values to be sealed: kept, dropped or failed.", ["fate"], registry=registry
        )
        self.lag_bytes = Gauge("holdfast_ingest_lag_bytes", "Bytes that the pipeline has yet to take over.", registry=registry)
        self.buffered_bytes = Gauge("holdfast_ingest_buffered_bytes", "Bytes of bodies in memory.", registry=registry)
        self.journal_failing = Gauge(
            "holdfast_ingest_journal_failing", "1 while the journal cannot be written.", registry=registry
        )

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
