"""A linear head over hashed n-grams and structural features: log-odds of a text, or of its worst stretch."""

from collections.abc import Sequence
from math import sqrt

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.models.ngrams import Ngrams


class Head(msgspec.Struct, frozen=True):
    """Weights of one head.

    Args:
        grams: shape (BUCKETS,), int16, to be multiplied by `unit`.
        structure: one weight a structural feature.
        slope: calibrated log-odds = slope × (log-odds - threshold), so that the operating point lies at probability 0.5.
        window: characters of a stretch that is judged for itself; 0: the text is judged as a whole.
    """

    name: str
    grams: npt.NDArray[np.int16]
    unit: float
    structure: tuple[float, ...]
    intercept: float
    slope: float
    threshold: float
    window: int = 0

    def log_odds(self, found: Ngrams, structure: Sequence[float]) -> float:
        """Calibrated log-odds; above 0 is beyond the operating point.

        Raises:
            ValueError: as many structural features as weights are needed.
        """
        told = sum([w * v for w, v in zip(self.structure, structure, strict=True)]) + self.intercept
        return self.slope * (self._heard(found) + told - self.threshold)

    def place(self, found: Ngrams) -> int:
        """Where the stretch with the most evidence begins, in characters of the text that the n-grams are of."""
        if not self.window or found.length <= self.window:
            return 0
        return int(self._stretches(found, self.grams.take(found.buckets)).argmax()) * (self.window // 2)

    def _heard(self, found: Ngrams) -> float:
        if not found.buckets.size:
            return 0.0
        weights = self.grams.take(found.buckets)
        if not self.window or found.length <= self.window:
            return self.unit * int(weights.sum(dtype=np.int64)) / sqrt(weights.size)
        return self.unit * float(self._stretches(found, weights).max())

    def _stretches(self, found: Ngrams, weights: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
        """The evidence in stretches that overlap by half, shape (number of them,); one pass over the text for all of them."""
        step = self.window // 2
        edges = np.minimum(np.arange(0, found.length + step, step), found.length)
        before = found.before(edges)
        sums = np.zeros(weights.size + 1, np.int64)
        # A sum that turns one type into another as it goes takes four times as long.
        sums[1:] = weights
        np.cumsum(sums, out=sums)
        heard, counts = sums.take(before).sum(axis=0), before.sum(axis=0)
        evidence: npt.NDArray[np.float64] = (heard[2:] - heard[:-2]) / np.sqrt(np.maximum(counts[2:] - counts[:-2], 1))
        return evidence
