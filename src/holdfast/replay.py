"""Replays records of the past through the pipeline, with event time as its clock."""

from collections.abc import Iterable, Iterator

from holdfast.core.clock import NS_PER_S
from holdfast.ingest.checkpoint import Position
from holdfast.ingest.record import Record
from holdfast.pipeline import Pipeline

BATCH_RECORDS = 1_000
BATCH_NS = 300 * NS_PER_S
"""Incidents are considered at least this often in event time; the alarm itself carries the time of the call that raised it."""

_NOWHERE = Position()


def replay(pipeline: Pipeline, records: Iterable[tuple[int, Record]]) -> int:
    """Feeds (event time in ns, record) pairs, oldest first, and finishes.

    Returns the event time of the last one, 0 without any.
    """
    last_ns = 0
    for last_ns, batch in _batches(records):
        pipeline.feed(((_NOWHERE, record) for record in batch), last_ns)
    pipeline.finish(last_ns)
    return last_ns


def _batches(records: Iterable[tuple[int, Record]]) -> Iterator[tuple[int, list[Record]]]:
    batch: list[Record] = []
    first_ns = last_ns = 0
    for time_ns, record in records:
        if batch and (len(batch) >= BATCH_RECORDS or time_ns - first_ns >= BATCH_NS):
            yield last_ns, batch
            batch = []
        if not batch:
            first_ns = time_ns
        batch.append(record)
        last_ns = time_ns
    if batch:
        yield last_ns, batch
