"""Frozen references: how a heavy-tailed value (ms, tokens, usd) becomes a rank in [0, 1], and when a score is an outlier."""

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

TAIL = 0.97
"""Quantile of the reference beyond which a value is extreme."""
OUTLIER = 0.99
"""Quantile of the reference beyond which a bounded score is an outlier."""
LEAST_GAP = 0.05
"""An outlier is at least so much worse than the median: 0.003 where all others are 0.002 hurts nobody."""
SATURATED = 0.9
"""A score that is so bad in every hundredth healthy call already has no room for outliers: there its mean says all."""
CLIP = 20.0
"""Values beyond so many times the tail's beginning count as that much, so that one outlier cannot move a mean."""


class Reference:
    """The first values of a metric of one application, sorted once there are enough.

    While it fills, observations wait; then they are released and ranked like all later ones, so that none is lost to warm-up.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.sorted: Floats | None = None
        self.seen = 0

    def offer(self, values: Floats, waiting: Floats) -> bool:
        """Whether the reference is frozen, now that `values` came after `waiting`."""
        if self.sorted is None and len(values) + len(waiting) >= self._size:
            self.sorted = np.sort(np.concatenate((waiting, values)))
        return self.sorted is not None

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

    def outliers(self, values: Floats, falling: bool) -> Floats | None:
        """1 where a score in [0, 1] is worse than all but one in a hundred of the reference, else 0.

        None where that says nothing that the mean does not: scores of yes or no, and those that are often as bad as can be.
        """
        assert self.sorted is not None, "offer() said so"  # noqa: S101 - an invariant, not a check of input
        badness = 1 - self.sorted[::-1] if falling else self.sorted
        limit = float(badness[min(int(OUTLIER * len(badness)), len(badness) - 1)])
        limit = max(limit, float(badness[len(badness) // 2]) + LEAST_GAP)
        if limit >= SATURATED or bool(np.isin(badness, (0.0, 1.0)).all()):
            return None
        return ((1 - values if falling else values) > limit).astype(np.float64)

    def clip(self, values: Floats) -> Floats:
        """Values without outliers beyond all measure."""
        limit = CLIP * self.tail
        return np.minimum(values, limit) if limit > 0 else values


class Waiting(msgspec.Struct):
    """Observations of a metric of one application that wait for its reference, as parallel lists.

    `segments` holds the segments of each observation: profiles may be renumbered meanwhile.
    """

    value: list[float] = []
    reached_ns: list[int] = []
    segments: list[tuple[int, ...]] = []
