from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.detect.kernel import Rows
from holdfast.detect.observations import Ints, Observations, Panel, by_number, observations


class Told(NamedTuple):
    """One observation of a stream."""

    x: float
    value: float
    time_ns: int


def panel(seed: int, columns: list[int], segments: int, places: int, graded: bool) -> Panel:
    rng = np.random.default_rng(seed)
    shape = (places, len(columns))
    x = np.where(rng.random(shape) < 0.2, rng.random(shape) if graded else 1.0, 0.0)
    belongs = [[0, *np.flatnonzero(rng.random(segments) < 0.5).tolist()] for _ in range(places)]
    index = np.repeat(np.arange(places), [len(set(of)) for of in belongs])
    segment = np.array([s for of in belongs for s in dict.fromkeys(of)])
    return Panel(np.array(columns), x, rng.random(shape) * 900, np.arange(places) * 7 + seed, np.arange(places), index, segment)


PANELS = [
    pytest.param([panel(1, [0], 3, 40, False)], id="one column"),
    pytest.param([panel(2, [0, 2, 5], 4, 60, False), panel(3, [1, 3], 2, 9, True)], id="flags and graded scores"),
    pytest.param([panel(4, [0, 1], 5, 1, True), panel(5, [7], 3, 130, False), panel(6, [8, 9], 3, 64, True)], id="three"),
]


def one_by_one(panels: list[Panel]) -> dict[tuple[int, int], list[Told]]:
    """Segment and column → what it observed, the straightforward way."""
    found: dict[tuple[int, int], list[Told]] = {}
    for each in panels:
        for place, segment in zip(each.place.tolist(), each.segment.tolist(), strict=True):
            for at, column in enumerate(each.columns.tolist()):
                told = Told(float(each.x[place, at]), float(each.value[place, at]), int(each.reached_ns[place]))
                found.setdefault((segment, column), []).append(told)
    return found


class Numbers:
    """Numbers streams as they appear; refuses those of one segment."""

    def __init__(self, refused: int = -1) -> None:
        self.streams: dict[tuple[int, int], int] = {}
        self._refused = refused

    def place(self, segment: Ints, column: Ints, time_ns: Ints, order: Ints) -> Ints:
        assert len(segment) == len(column) == len(order) == len(time_ns)
        pairs, found = list(zip(segment.tolist(), column.tolist(), strict=True)), np.full(len(segment), -1)
        for at in np.lexsort((segment, column, order)).tolist():
            if pairs[at][0] != self._refused:
                found[at] = self.streams.setdefault(pairs[at], len(self.streams))
        return found


def spelt_out(seen: Observations, rows: Rows | None = None) -> dict[int, list[Told]]:
    """Stream → what it observed, from the arrays, or from the rows that a kernel runs over."""
    found = dict[int, list[Told]]()
    for group, stream in enumerate(seen.stream.tolist()):
        count = int(seen.calls[group])
        x = np.zeros(count)
        if rows is None:
            x[seen.rank[seen.group == group]] = seen.x[seen.group == group]
        else:
            x = np.array(sequence(rows, group))
        numbers = np.arange(count + 1)
        values = np.diff(seen.value(np.full(count + 1, group), numbers))
        times = seen.time(np.full(count, group), numbers[:-1])
        found[stream] = [Told(*each) for each in zip(x.tolist(), values.tolist(), times.tolist(), strict=True)]
    return found


def sequence(rows: Rows, group: int) -> list[float]:
    found = list[float]()
    for row in np.flatnonzero(rows.group == group).tolist():
        found += [0.0] * int(rows.zeros[row])
        if not rows.ends[row]:
            found.append(float(rows.x[row]))
        assert len(found) == rows.rank[row] + 1
    return found


def same(found: dict[int, list[Told]], expected: dict[int, list[Told]]) -> None:
    assert found.keys() == expected.keys()
    for stream, told in found.items():
        assert [(t.x, t.time_ns) for t in told] == [(t.x, t.time_ns) for t in expected[stream]]
        assert np.allclose([t.value for t in told], [t.value for t in expected[stream]], rtol=1e-9)


@pytest.mark.parametrize("panels", PANELS)
def test_every_stream_observes_what_it_would_one_call_at_a_time(panels: list[Panel]) -> None:
    numbers = Numbers()
    seen = observations(panels, numbers.place)
    same(spelt_out(seen), {numbers.streams[key]: told for key, told in one_by_one(panels).items()})


@pytest.mark.parametrize("panels", PANELS)
def test_zeros_that_are_folded_are_still_counted(panels: list[Panel]) -> None:
    seen = observations(panels, Numbers().place)
    for folded in (np.ones(len(seen.stream), bool), np.zeros(len(seen.stream), bool), np.arange(len(seen.stream)) % 2 == 0):
        rows = seen.rows(folded)
        assert (np.diff(rows.group) >= 0).all()
        same(spelt_out(seen, rows), spelt_out(seen))
        assert not rows.zeros[~folded[rows.group]].any()


@pytest.mark.parametrize("panels", PANELS)
def test_what_is_cut_in_two_is_the_same_as_before(panels: list[Panel]) -> None:
    seen = observations(panels, Numbers().place)
    whole = spelt_out(seen)
    count = np.maximum(seen.calls // 2, 1)
    cut = dict(zip(seen.stream.tolist(), count.tolist(), strict=True))
    same(spelt_out(seen.first(count)), {stream: told[: cut[stream]] for stream, told in whole.items()})
    rest = {stream: told[cut[stream] :] for stream, told in whole.items() if len(told) > cut[stream]}
    same(spelt_out(seen.after(count)), rest)


def test_nothing_is_left_after_everything() -> None:
    seen = observations([panel(1, [0, 1], 3, 20, False)], Numbers().place)
    assert not len(seen.after(seen.calls).stream)


def test_streams_without_room_are_left_out_and_the_others_are_as_they_were() -> None:
    panels = [panel(2, [0, 2], 4, 60, False), panel(3, [1], 2, 9, True)]
    numbers = Numbers(refused=1)
    seen = observations(panels, numbers.place)
    expected = {numbers.streams[key]: told for key, told in one_by_one(panels).items() if key[0] != 1}
    same(spelt_out(seen), expected)


def test_streams_are_placed_in_the_order_in_which_they_appeared() -> None:
    times = np.array([10, 20, 30])
    first = Panel(np.array([4]), np.ones((3, 1)), np.ones((3, 1)), times, np.array([0, 2, 4]), np.arange(3), np.array([9, 3, 9]))
    other = first._replace(columns=np.array([1]), order=np.array([1, 2, 3]))
    numbers = Numbers()
    observations([first, other], numbers.place)
    assert list(numbers.streams) == [(9, 4), (9, 1), (3, 1), (3, 4)]


@given(st.lists(st.integers(0, 5), max_size=50), st.booleans())
def test_numbers_are_ordered_and_equal_ones_keep_their_order(numbers: list[int], wide: bool) -> None:
    order = by_number(np.array(numbers, np.int64), 2**20 if wide else 6)
    assert order.tolist() == sorted(range(len(numbers)), key=lambda i: numbers[i])
