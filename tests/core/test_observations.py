import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import Dimensions
from holdfast.core.observations import Calls, Observations, joined, one_table


def observations(times: list[int]) -> Observations:
    return Observations.of(
        metric="m",
        time_ns=np.array(times, dtype=np.int64),
        value=np.arange(len(times), dtype=np.float64),
        trace_id=[f"t{i}" for i in range(len(times))],
        span_id=[f"s{i}" for i in range(len(times))],
        dimensions=[{"route": (f"/{i}",)} for i in range(len(times))],
    )


def test_the_window_begins_with_its_start_and_ends_before_its_end() -> None:
    assert observations([1, 2, 3, 4]).between(2, 4).time_ns.tolist() == [2, 3]


@pytest.mark.parametrize(("start", "end"), [(9, 12), (3, 3), (4, 1)])
def test_a_window_without_scores_is_empty_and_not_an_error(start: int, end: int) -> None:
    assert len(observations([1, 2, 5]).between(start, end)) == 0


def test_no_scores_have_no_length() -> None:
    assert len(observations([])) == 0


@given(st.lists(st.integers(0, 100)).map(sorted), st.integers(-5, 105), st.integers(-5, 105))
def test_all_columns_are_cut_alike(times: list[int], start: int, end: int) -> None:
    whole = observations(times)
    part = whole.between(start, end)
    assert len(part) == len(part.time_ns) == len(part.value) == len(part.span_id) == len(part.dimensions)
    assert part.time_ns.tolist() == [t for t in times if start <= t < end]
    assert part.trace_id == [f"t{int(v)}" for v in part.value]


def test_chosen_rows_are_cut_out_of_all_columns() -> None:
    part = observations([1, 2, 3, 4]).take(np.array([0, 3]))
    assert part.time_ns.tolist() == [1, 4]
    assert (part.trace_id, part.span_id) == (["t0", "t3"], ["s0", "s3"])
    assert part.dimensions == [{"route": ("/0",)}, {"route": ("/3",)}]
    assert len(observations([1]).take(np.array([], dtype=np.int64))) == 0


def test_calls_of_equal_dimensions_are_asked_about_once() -> None:
    shared: Dimensions = {"route": ("/chat",)}
    asked = []

    def holds(dimensions: Dimensions) -> bool:
        asked.append(dimensions)
        return dimensions["route"] == ("/chat",)

    table = Calls(
        time_ns=np.arange(4),
        trace_id=list("abcd"),
        span_id=list("wxyz"),
        kind=np.array([0, 1, 0, 0]),
        kinds=[shared, {"route": ("/x",)}],
    )
    assert table.where(holds).tolist() == [True, False, True, True]
    assert len(asked) == 2
    assert len(table.take(np.array([1, 3]))) == 2
    assert table.take(np.array([1, 3])).where(holds).tolist() == [False, True]


def test_slices_become_one_period_over_one_table() -> None:
    whole = observations([1, 2, 3, 4])
    found = joined([{"m": whole.between(0, 3)}, {"m": observations([]), "n": whole}, {"m": whole.between(3, 9)}])
    assert list(found) == ["m"]
    assert found["m"].time_ns.tolist() == [1, 2, 3, 4]
    assert found["m"].trace_id == whole.trace_id
    assert found["m"].dimensions == whole.dimensions


def test_metrics_that_are_told_of_different_tables_get_one_of_both() -> None:
    found = joined([{"m": observations([1, 2]), "n": observations([5])}])
    assert found["m"].calls is found["n"].calls
    assert (found["m"].time_ns.tolist(), found["n"].time_ns.tolist()) == ([1, 2], [5])
    assert found["n"].dimensions == [{"route": ("/0",)}]


def test_metrics_of_one_table_stay_as_they_are() -> None:
    whole = observations([1, 2])
    other = msgspec.structs.replace(whole, metric="n")
    assert joined([{"m": whole, "n": other}])["n"].calls is whole.calls


def test_no_tables_are_a_table_without_calls() -> None:
    assert len(one_table([])) == 0
    assert joined([{}]) == {}
