"""Decoys of the telemetry itself: spans that come late, twice or never; and doing it to them."""

import heapq
from collections.abc import Iterable, Iterator
from random import Random

from holdfast.core.call import Call
from holdfast.core.clock import NS_PER_S
from holdfast.drills.decoys.decoy import Decoy, Delivery

DECOYS = (
    Decoy(name="late_spans", title="Spans of a slow exporter come late", delivery=Delivery(late=0.15)),
    Decoy(name="duplicate_spans", title="An exporter sends a fifth of its spans twice", delivery=Delivery(duplicate=0.2)),
    Decoy(name="missing_spans", title="An overloaded collector drops spans", delivery=Delivery(missing=0.06)),
)


def deliver(calls: Iterable[tuple[Call, str]], delivery: Delivery, since_ns: int, seed: int) -> Iterator[tuple[Call, str]]:
    """The calls as they arrive: from `since_ns` on some late, some twice, some not at all."""
    rng = Random(seed)
    waiting: list[tuple[int, int, Call, str]] = []
    for number, (call, replica) in enumerate(calls):
        while waiting and waiting[0][0] <= call.end_ns:
            yield waiting[0][2], waiting[0][3]
            heapq.heappop(waiting)
        fate = rng.random()
        if call.end_ns < since_ns or fate >= delivery.late + delivery.duplicate + delivery.missing:
            yield call, replica
        elif fate < delivery.missing:
            if not call.parent_span_id:
                yield call, replica
        else:
            heapq.heappush(
                waiting, (call.end_ns + int(rng.uniform(0.5, 1.0) * delivery.late_s * NS_PER_S), number, call, replica)
            )
            if fate < delivery.missing + delivery.duplicate:
                yield call, replica
    for _, _, call, replica in sorted(waiting, key=lambda entry: entry[:2]):
        yield call, replica
