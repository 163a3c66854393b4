"""The state of all streams as arrays, one row per stream."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.detect.kernel import RATIOS

K = len(RATIOS)
N, X, XX, V = 0, 1, 2, 3
"""Columns of totals: number of observations, Σx, Σx², Σ of the raw value."""
TIME = 4
"""Column of `zero` that holds the event time (ns) beside the totals."""

LEARNING, WATCHING, ALARMED = 0, 1, 2
"""Mode of a stream: its baseline is too young; it may alarm; it has alarmed and waits for recovery."""

_FIELDS: dict[str, tuple[str, tuple[int, ...], float]] = {
    "segment": ("i8", (), -1),
    "column": ("i8", (), -1),
    "parent": ("i8", (), -1),
    "mode": ("i8", (), LEARNING),
    "held": ("i8", (), 0),
    "weight": ("f8", (), 1.0),
    "evidence": ("f8", (K,), 0.0),
    "cusum": ("f8", (K,), 0.0),
    "zero": ("f8", (K, 5), 0.0),
    "totals": ("f8", (4,), 0.0),
    "committed": ("f8", (4,), 0.0),
    "base": ("f8", (4,), 0.0),
    "refreshed": ("f8", (), -1.0),
    "strength": ("f8", (), 0.0),
    "null": ("f8", (), 0.5),
    "threshold": ("f8", (), np.inf),
    "spent_at": ("f8", (), 0.0),
    "middle": ("f8", (), 0.5),
    "stake": ("f8", (), 0.0),
    "first_ns": ("f8", (), 0.0),
    "last_ns": ("f8", (), 0.0),
}


class Streams:
    """Arrays of S rows that grow as streams appear; of `size` rows those with a segment are in use.

    evidence, cusum: R and W of the kernel. totals: since the stream began; committed: how much of them the baseline has taken
    in; base: what it has taken in and still remembers. zero: totals and event time where W was last at or below 1. null: the
    mean that is still normal. weight: part of the budget, against that of others. held: 1 where a new value must be as good
    as its parent from its first call. middle, stake: null and bet of the recovery test.
    """

    segment: npt.NDArray[np.int64]
    column: npt.NDArray[np.int64]
    parent: npt.NDArray[np.int64]
    mode: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    evidence: npt.NDArray[np.float64]
    cusum: npt.NDArray[np.float64]
    zero: npt.NDArray[np.float64]
    totals: npt.NDArray[np.float64]
    committed: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    refreshed: npt.NDArray[np.float64]
    strength: npt.NDArray[np.float64]
    null: npt.NDArray[np.float64]
    threshold: npt.NDArray[np.float64]
    spent_at: npt.NDArray[np.float64]
    middle: npt.NDArray[np.float64]
    stake: npt.NDArray[np.float64]
    first_ns: npt.NDArray[np.float64]
    last_ns: npt.NDArray[np.float64]

    def __init__(self) -> None:
        self.size = 0
        self._free: list[int] = []
        self._room = 0
        self._grow(64)

    def add(self, segment: int, column: int, parent: int, time_ns: int) -> int:
        """A new stream that learns; its number. `parent` is the stream of the whole application, −1 for such a one itself."""
        number = self._free.pop() if self._free else self._next()
        self.segment[number], self.column[number], self.parent[number] = segment, column, parent
        self.first_ns[number] = self.last_ns[number] = time_ns
        self.zero[number, :, TIME] = time_ns
        return number

    def _next(self) -> int:
        if self.size == self._room:
            self._grow(2 * self._room)
        self.size += 1
        return self.size - 1

    @property
    def used(self) -> int:
        """How many streams there are."""
        return self.size - len(self._free)

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """End these streams: their rows are empty until others get them."""
        for name, (_, _, empty) in _FIELDS.items():
            getattr(self, name)[rows] = empty
        self._free = sorted((*self._free, *rows.tolist()), reverse=True)

    def forget(self, rows: npt.NDArray[np.int64]) -> None:
        """Start the baseline of these streams anew."""
        self.mode[rows] = LEARNING
        self.base[rows] = 0.0
        self.committed[rows] = self.totals[rows]
        self.refreshed[rows] = -1.0
        self.strength[rows] = 0.0
        self.restart(rows)

    def resume(self, row: int, twin: int) -> None:
        """Go on where a stream with the same traffic stands: what was normal for it is normal here."""
        self.base[row] = self.base[twin]
        self.mode[row] = LEARNING if self.mode[twin] == LEARNING else WATCHING
        self.refreshed[row] = -1.0
        self.spent_at[row] = self.totals[row, N]
        self.restart(np.array([row]))

    def restart(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget all evidence of these streams, and what they saw since the baseline last took something in."""
        self.evidence[rows] = 0.0
        self.cusum[rows] = 0.0
        self.committed[rows] = self.totals[rows]
        self.zero[rows, :, :TIME] = self.totals[rows][:, None, :]
        self.zero[rows, :, TIME] = self.last_ns[rows][:, None]

    def state(self) -> dict[str, bytes]:
        """Rows up to `size`, as raw bytes by field."""
        return {name: getattr(self, name)[: self.size].tobytes() for name in _FIELDS}

    def load(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""
        fields = msgspec.convert(state, dict[str, bytes])
        size = len(fields["segment"]) // 8
        self._room = 0
        self._grow(max(64, size))
        for name, (kind, shape, _) in _FIELDS.items():
            getattr(self, name)[:size] = np.frombuffer(fields[name], kind).reshape((size, *shape))
        self.size = size
        self._free = np.flatnonzero(self.segment[:size] < 0)[::-1].tolist()

    def _grow(self, room: int) -> None:
        for name, (kind, shape, empty) in _FIELDS.items():
            wider = np.full((room, *shape), empty, kind)
            if self._room:
                wider[: self._room] = getattr(self, name)
            setattr(self, name, wider)
        self._room = room
