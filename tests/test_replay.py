"""A replay moves in event time: batches are small enough that nothing is considered late."""

from holdfast.core.call import Call
from holdfast.core.clock import NS_PER_S
from holdfast.replay import BATCH_NS, BATCH_RECORDS, _batches


def records(times: list[int]) -> list[tuple[int, Call]]:
    return [(time, Call(trace_id=f"{n:032x}", span_id=f"{n:016x}", end_ns=time)) for n, time in enumerate(times)]


def test_a_batch_is_bounded_in_number() -> None:
    sizes = [len(batch) for _, batch in _batches(records([0] * (2 * BATCH_RECORDS + 1)))]
    assert sizes == [BATCH_RECORDS, BATCH_RECORDS, 1]


def test_a_batch_is_bounded_in_event_time_and_carries_its_last() -> None:
    times = [0, 10 * NS_PER_S, BATCH_NS, BATCH_NS + 1, 10 * BATCH_NS]
    assert [(last, len(batch)) for last, batch in _batches(records(times))] == [
        (10 * NS_PER_S, 2),
        (BATCH_NS + 1, 2),
        (10 * BATCH_NS, 1),
    ]


def test_nothing_gives_no_batch() -> None:
    assert list(_batches([])) == []
