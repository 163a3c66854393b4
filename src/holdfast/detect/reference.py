"""Frozen references: how a heavy-tailed value (ms, tokens, usd) becomes a rank in [0, 1], and when a score is an outlier."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.detect.columns import Column

Floats = npt.NDArray[np.float64]

TAIL = 0.97
"""Quantile of the reference beyond which a value is extreme."""
CLEAR = 0.15
"""A probability of failure is an outlier from so much above the median of the reference on: clearly worse than usual.

A score that is 0.2 on healthy answers and 0.5 on bad ones hardly moves its mean when three times as many are bad; the share of
outliers does. That some questions are always scored like that hides nothing."""
OUTLIER = 0.99
"""Quantile of the reference beyond which a score of which low values are bad is an outlier: means of judgements drift."""
FURTHER = 0.5
"""A far outlier lies so much further from the median than that quantile does (or so much nearer to the worst there is).

A mean that drifts takes all of a narrow distribution with it, and multiplies what is beyond its quantile, but not what is far."""
NEAR, FAR = 0.95, 1.0
"""x of an outlier, and of one that is far."""
LEAST_GAP = 0.05
"""An outlier is at least so much worse than the median: 0.003 where all others are 0.002 hurts nobody."""
SURE = 0.9
"""A probability of failure from which there is no doubt."""
SATURATED = 0.9
"""A score that is so bad in every hundredth healthy call already has no room for outliers: there its mean says all."""
CLIP = 20.0
"""Values beyond so many times the tail's beginning count as that much, so that one outlier cannot move a mean."""


class Reference:
    """The first values of a metric of one application, sorted once there are enough.

    While it fills, observations wait; then they are released and ranked like all later ones, so that none is lost to warm-up.
    `values`, where given, is a reference that was frozen before.
    """

    def __init__(self, size: int, values: Floats | None = None) -> None:
        self._size = size
        self._limits: dict[bool, tuple[float, float] | None] = {}
        self.sorted = values
        self._telling: list[int] | None = None

    def telling(self, numbers: Sequence[int], columns: Sequence[Column]) -> list[int]:
        """Which columns of the metric, of these numbers, can say anything with this reference, once it is frozen."""
        if self._telling is None:
            self._telling = [number for number in numbers if self.tells(columns[number])]
        return self._telling

    def offer(self, values: Floats) -> bool:
        """Freeze the reference where these values, all that came so far, are enough; whether it is frozen."""
        if self.sorted is None and len(values) >= self._size:
            self.sorted = np.sort(values)
        return self.sorted is not None

    def tells(self, column: Column) -> bool:
        """Whether a column can say anything with this reference."""
        if column.kind == "outlier":
            return self._limits_of(column.falling) is not None
        if column.kind == "sure":
            # Of yes or no, the mean says it.
            return self.sorted is not None and not np.isin(self.sorted, (0.0, 1.0)).all()
        return column.kind in ("rank", "tail")

    def seen(self, column: Column, values: Floats) -> tuple[Floats, Floats]:
        """What such a column makes of values: x in [0, 1] of which large is bad, and the values as they count for a mean."""
        if column.kind == "outlier":
            limits = self._limits_of(column.falling)
            assert limits is not None, "tells() said so"  # noqa: S101 - an invariant, not a check of input
            badness = 1 - values if column.falling else values
            return np.where(badness > limits[1], FAR, np.where(badness > limits[0], NEAR, 0.0)), values
        if column.kind == "sure":
            return (values >= SURE).astype(np.float64), values
        if column.kind == "tail":
            return (values > self.tail).astype(np.float64), self.clip(values)
        rank = self.rank(values)
        return (1 - rank if column.falling else rank), self.clip(values)

    def rank(self, values: Floats) -> Floats:
        """Mid-ranks in (0, 1): the share of the reference that is below, ties counted half."""
        assert self.sorted is not None, "offer() said so"  # noqa: S101 - an invariant, not a check of input
        low = np.searchsorted(self.sorted, values, side="left")
        high = np.searchsorted(self.sorted, values, side="right")
        return np.asarray((low + high + 1) / (2 * len(self.sorted) + 2), np.float64)

    @property
    def tail(self) -> float:
        """Where extreme values begin."""
        assert self.sorted is not None, "offer() said so"  # noqa: S101 - an invariant, not a check of input
        return float(self.sorted[min(int(TAIL * len(self.sorted)), len(self.sorted) - 1)])

    def _limits_of(self, falling: bool) -> tuple[float, float] | None:
        """Badness beyond which a score in [0, 1] is an outlier, and from which it is far.

        None where that says nothing that the mean does not: scores of yes or no, and those that are often as bad as can be.
        """
        if falling not in self._limits:
            assert self.sorted is not None, "offer() said so"  # noqa: S101 - an invariant, not a check of input
            badness = 1 - self.sorted[::-1] if falling else self.sorted
            usual = float(badness[len(badness) // 2])
            limits = _beyond_most(badness, usual) if falling else (usual + CLEAR, usual + CLEAR)
            silent = limits[0] >= SATURATED or bool(np.isin(badness, (0.0, 1.0)).all())
            self._limits[falling] = None if silent else limits
        return self._limits[falling]

    def clip(self, values: Floats) -> Floats:
        """Values without outliers beyond all measure."""
        limit = CLIP * self.tail
        return np.minimum(values, limit) if limit > 0 else values


def _beyond_most(badness: Floats, usual: float) -> tuple[float, float]:
    """Where one in a hundred of a sorted reference is worse, and where a call is so by as much again as half of that."""
    extreme = float(badness[min(int(OUTLIER * len(badness)), len(badness) - 1)])
    limit = max(extreme, usual + LEAST_GAP)
    return limit, limit + FURTHER * min(extreme - usual, 1 - limit)


class Waiting(msgspec.Struct):
    """Observations of a metric of one application that wait for its reference, as parallel lists.

    `segments` holds the segments of each observation: profiles may be renumbered meanwhile.
    """

    value: list[float] = []
    reached_ns: list[int] = []
    segments: list[tuple[int, ...]] = []
