from collections import Counter

from holdfast.core.call import Call
from holdfast.core.clock import NS_PER_S
from holdfast.drills.decoys.decoy import Delivery
from holdfast.drills.decoys.delivery import deliver


def calls(count: int = 1000) -> list[tuple[Call, str]]:
    return [
        (Call(trace_id=f"{i // 4:032x}", span_id=f"{i:016x}", parent_span_id="" if i % 4 == 3 else "1", end_ns=i * NS_PER_S), "a")
        for i in range(count)
    ]


def ids(found: list[tuple[Call, str]]) -> list[str]:
    return [call.span_id for call, _ in found]


def test_without_trouble_everything_arrives_as_it_was_sent() -> None:
    assert list(deliver(calls(), Delivery(), 0, 1)) == calls()


def test_late_spans_all_arrive_but_after_their_turn() -> None:
    arrived = ids(list(deliver(calls(), Delivery(late=0.2), 0, 1)))
    assert sorted(arrived) == ids(calls())
    assert arrived != ids(calls())


def test_duplicates_arrive_twice_and_nothing_is_lost() -> None:
    counts = Counter(ids(list(deliver(calls(), Delivery(duplicate=0.2), 0, 1))))
    assert set(counts) == set(ids(calls()))
    assert 150 < sum(n == 2 for n in counts.values()) < 250


def test_missing_spans_are_gone_but_roots_never() -> None:
    arrived = list(deliver(calls(), Delivery(missing=0.3), 0, 1))
    assert 700 < len(arrived) < 850
    assert sum(not call.parent_span_id for call, _ in arrived) == 250


def test_trouble_begins_at_its_moment() -> None:
    arrived = ids(list(deliver(calls(), Delivery(missing=0.5), 500 * NS_PER_S, 1)))
    assert arrived[:500] == ids(calls())[:500]
