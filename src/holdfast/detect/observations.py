"""What streams observed of a batch, as arrays: everything that is not 0, and how many observations there were."""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from holdfast.detect.kernel import Rows

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Panel(NamedTuple):
    """N ≥ 1 places, in order of arrival, of which each has an observation of every one of C columns.

    `x` in [0, 1] and the raw `value` are N × C; `order` (N, rising) says where a place stands among all of the batch. `place` and
    `segment` are the pairs of a place and a segment that it belongs to, ordered by place.
    """

    columns: Ints
    x: Floats
    value: Floats
    reached_ns: Ints
    order: Ints
    place: Ints
    segment: Ints


class Observations(NamedTuple):
    """Observations of G streams, each of which has at least one; they are numbered from 0 within their stream.

    `group`, `rank`, `x` (E) are those that are not 0, ordered by stream and number. Event times and running sums of the raw
    value lie in `reached_ns` and `summed`: number r of stream g at `time_at[g] + r`, and the sum before it at
    `value_at[g] + r·step[g]`.
    """

    stream: Ints
    calls: Ints
    time_at: Ints
    value_at: Ints
    step: Ints
    group: Ints
    rank: Ints
    x: Floats
    reached_ns: Ints
    summed: Floats

    def time(self, group: Ints, rank: Ints) -> Ints:
        """Event time, ns, of these observations."""
        return np.asarray(self.reached_ns[self.time_at[group] + rank], np.int64)

    def value(self, group: Ints, count: Ints) -> Floats:
        """Sum of the raw values of the first `count` observations of these streams."""
        at = self.value_at[group]
        return np.asarray(self.summed[at + count * self.step[group]] - self.summed[at], np.float64)

    def of(self, groups: Ints) -> "Observations":
        """Those of some streams, given in rising order."""
        to = np.full(len(self.stream), -1, np.int64)
        to[groups] = np.arange(len(groups))
        keep = to[self.group] >= 0
        return self._replace(
            stream=self.stream[groups],
            calls=self.calls[groups],
            time_at=self.time_at[groups],
            value_at=self.value_at[groups],
            step=self.step[groups],
            group=to[self.group[keep]],
            rank=self.rank[keep],
            x=self.x[keep],
        )

    def first(self, count: Ints) -> "Observations":
        """The first `count` (G, at least 1) of each stream."""
        keep = self.rank < count[self.group]
        return self._replace(calls=count, group=self.group[keep], rank=self.rank[keep], x=self.x[keep])

    def after(self, count: Ints) -> "Observations":
        """What comes after the first `count` (G) of each stream; streams without any more are left out."""
        keep = self.rank >= count[self.group]
        rest = self._replace(
            calls=self.calls - count,
            time_at=self.time_at + count,
            value_at=self.value_at + count * self.step,
            group=self.group[keep],
            rank=(self.rank - count[self.group])[keep],
            x=self.x[keep],
        )
        return rest.of(np.flatnonzero(rest.calls))

    def rows(self, folded: Bools) -> Rows:
        """Rows for the kernel; zeros are folded into the row that follows them in the streams where `folded` (G)."""
        if folded.all():
            alone = self._folded(folded)
            return alone.take(by_number(alone.group, len(folded)))
        count = np.where(folded, 0, self.calls)
        start = np.cumsum(count) - count
        group = np.repeat(np.arange(len(count)), count)
        rank = np.arange(len(group)) - start[group]
        x, told = np.zeros(len(group)), ~folded[self.group]
        x[start[self.group[told]] + self.rank[told]] = self.x[told]
        single = Rows(group, rank, np.zeros(len(group), np.int64), x, np.zeros(len(group), np.bool_))
        if not folded.any():
            return single
        both = Rows._make(np.concatenate(pair) for pair in zip(single, self._folded(folded), strict=True))
        return both.take(by_number(both.group, len(count)))

    def _folded(self, folded: Bools) -> Rows:
        """Each observation with the zeros before it, and at last, for all streams, the zeros after the last one."""
        keep = folded[self.group]
        group, rank, x = self.group[keep], self.rank[keep], self.x[keep]
        zeros = rank.copy()
        same = np.flatnonzero(group[1:] == group[:-1]) + 1
        zeros[same] -= rank[same - 1] + 1
        seen = np.zeros(len(self.calls), np.int64)
        # Of several the last one stays.
        seen[group] = rank + 1
        left = np.flatnonzero(folded & (seen < self.calls))
        ends = np.zeros(len(group) + len(left), np.bool_)
        ends[len(group) :] = True
        return Rows(
            np.concatenate((group, left)),
            np.concatenate((rank, self.calls[left] - 1)),
            np.concatenate((zeros, (self.calls - seen)[left])),
            np.concatenate((x, np.zeros(len(left)))),
            ends,
        )


class _Sorted:
    """A panel by segment: S segments, each with its places in order of arrival."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        count = np.bincount(panel.segment)
        self.segments = np.flatnonzero(count)
        self.count = count[self.segments]
        self.start = np.cumsum(self.count) - self.count
        count[self.segments] = np.arange(len(self.segments))
        self.number = count[panel.segment]
        self.order = by_number(self.number, len(self.segments))
        self.place = panel.place[self.order]
        self.first = self.place[self.start]

    def heads(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Segment, column, event time of the first place and its order, of each stream (S · C)."""
        columns = len(self.panel.columns)
        first = np.repeat(self.first, columns)
        return (
            np.repeat(self.segments, columns),
            np.broadcast_to(self.panel.columns, (len(self.segments), columns)).ravel(),
            self.panel.reached_ns[first],
            self.panel.order[first],
        )

    def observations(self, stream: Ints) -> Observations:
        """Of these streams (S · C)."""
        columns, parts = len(self.panel.columns), len(self.segments)
        summed = np.zeros((len(self.place) + 1, columns))
        np.cumsum(self.panel.value[self.place], axis=0, out=summed[1:])
        group, rank, x = self._told()
        start = np.repeat(self.start, columns)
        return Observations(
            stream,
            np.repeat(self.count, columns),
            start,
            ((self.start * columns)[:, None] + np.arange(columns)).ravel(),
            np.full(columns * parts, columns),
            group,
            rank,
            x,
            self.panel.reached_ns[self.place],
            summed.ravel(),
        )

    def _told(self) -> tuple[Ints, Ints, Floats]:
        """Stream, number and x of what is not 0."""
        panel, columns = self.panel, len(self.panel.columns)
        place, column = np.nonzero(panel.x)
        many = np.bincount(panel.place, minlength=len(panel.x))
        pairs = (np.cumsum(many) - many)[place]
        times = many[place]
        entry = np.repeat(np.arange(len(place)), times)
        pair = pairs[entry] + np.arange(len(entry)) - (np.cumsum(times) - times)[entry]
        stands = np.empty_like(self.order)
        stands[self.order] = np.arange(len(self.order))
        number = self.number[pair]
        group = number * columns + column[entry]
        order = by_number(group, columns * len(self.segments))
        rank = stands[pair] - self.start[number]
        return group[order], rank[order], panel.x[place, column][entry[order]]


def observations(panels: Sequence[Panel], place: Callable[[Ints, Ints, Ints, Ints], Ints]) -> Observations:
    """What the streams of these panels observed; `place` gives the stream of each segment and column, −1 for none.

    It is also told when each was observed first, and where that stands among all of the batch: numbers of streams that are given
    in this order do not depend on how observations were cut into batches.
    """
    parts = [_Sorted(panel) for panel in panels]
    heads = [part.heads() for part in parts]
    stream = place(*(np.concatenate(arrays) for arrays in zip(*heads, strict=True)) if len(heads) > 1 else heads[0])
    bounds = pairwise([0, *accumulate([len(head[0]) for head in heads])])
    told = _joined([part.observations(stream[low:high]) for part, (low, high) in zip(parts, bounds, strict=True)])
    return told if (stream >= 0).all() else told.of(np.flatnonzero(stream >= 0))


def _joined(parts: list[Observations]) -> Observations:
    """All of them as one; no stream is in two of them."""
    if len(parts) == 1:
        return parts[0]
    streams = np.cumsum([0, *[len(part.stream) for part in parts[:-1]]])
    times = np.cumsum([0, *[len(part.reached_ns) for part in parts[:-1]]])
    values = np.cumsum([0, *[len(part.summed) for part in parts[:-1]]])
    shifted = [
        part._replace(time_at=part.time_at + time, value_at=part.value_at + value, group=part.group + stream)
        for part, stream, time, value in zip(parts, streams, times, values, strict=True)
    ]
    return Observations._make(np.concatenate(column) for column in zip(*shifted, strict=True))


def by_number(numbers: Ints, most: int) -> Ints:
    """Stable order of numbers in 0..most − 1: numpy sorts 16 bits by radix."""
    return np.argsort(numbers.astype(np.uint16) if most <= 2**16 else numbers, kind="stable")
