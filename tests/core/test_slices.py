"""A long period comes in slices that together are all of it, none much larger than asked for."""

from collections.abc import Sequence

import numpy as np
import pytest

from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.core.observations import Observations
from holdfast.core.slices import FIRST_NS, LONGEST_NS, SHORTEST_NS, Period

METRICS = ["latency", "cost"]


class Store:
    """Scores at these seconds, the same in every metric; remembers the periods that were asked for."""

    def __init__(self, seconds: Sequence[float]) -> None:
        self.time_ns = np.sort(np.array([round(s * NS_PER_S) for s in seconds], np.int64))
        self.asked: list[tuple[int, int]] = []

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        self.asked.append((start_ns, end_ns))
        return {metric: self._all(metric).between(start_ns, end_ns) for metric in metrics}

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        return []

    def _all(self, metric: str) -> Observations:
        n = len(self.time_ns)
        return Observations.of(
            metric=metric,
            time_ns=self.time_ns,
            value=np.arange(n, dtype=np.float64),
            trace_id=[str(i) for i in range(n)],
            span_id=["s"] * n,
            dimensions=[{}] * n,
        )


def period(store: Store, end_s: float, start_s: float = 0.0) -> Period:
    return Period(store, "shop", round(start_s * NS_PER_S), round(end_s * NS_PER_S))


@pytest.mark.parametrize("rows", [1, 7, 100, 1e9])
def test_the_slices_together_are_the_period_in_order_and_nothing_twice(rows: float) -> None:
    store = Store(np.random.default_rng(1).uniform(0, 30_000, 500).tolist())
    found = list(period(store, 25_000).slices(METRICS, rows))
    seen = [trace for one in found for trace in one["cost"].trace_id]
    assert seen == [str(i) for i in range(int((store.time_ns < 25_000 * NS_PER_S).sum()))]
    assert [end for _, end in store.asked[:-1]] == [start for start, _ in store.asked[1:]]
    assert (store.asked[0][0], store.asked[-1][1]) == (0, 25_000 * NS_PER_S)


def test_a_slice_of_steady_traffic_holds_about_as_many_scores_as_were_asked_for() -> None:
    found = list(period(Store(range(0, 200_000, 10)), 200_000).slices(METRICS, 1_000))
    sizes = [sum(map(len, one.values())) for one in found]
    assert all(900 <= size <= 1_100 for size in sizes[1:-1])


def test_traffic_that_grows_a_hundredfold_makes_two_slices_too_large_and_the_next_ones_small_again() -> None:
    store = Store([*range(0, 20_000, 10), *(20_000 + i / 10 for i in range(100_000))])
    sizes = [sum(map(len, one.values())) for one in period(store, 30_000).slices(METRICS, 1_000)]
    assert sum(size > 2_000 for size in sizes) <= 2


def test_a_year_of_silence_is_read_a_day_at_a_time_at_most() -> None:
    store = Store([])
    assert sum(len(one["cost"]) for one in period(store, 365 * 86_400.0).slices(METRICS, 1_000)) == 0
    assert len(store.asked) <= 370
    assert max(end - start for start, end in store.asked) <= LONGEST_NS


def test_no_storm_makes_a_slice_shorter_than_a_second() -> None:
    store = Store([700.0] * 5_000)
    list(period(store, 1_000).slices(METRICS, 1))
    assert min(end - start for start, end in store.asked[:-1]) >= min(SHORTEST_NS, FIRST_NS)


@pytest.mark.parametrize("end_s", [0.0, -5.0], ids=["empty", "backwards"])
def test_a_period_without_any_time_in_it_is_one_slice_without_scores(end_s: float) -> None:
    (only,) = period(Store([1.0, 2.0]), end_s).slices(METRICS, 1_000)
    assert {name: len(one) for name, one in only.items()} == {"latency": 0, "cost": 0}
