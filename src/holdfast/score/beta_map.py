"""`BetaMap`: from scores to probabilities, as three numbers."""

from math import exp, log, log1p
from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EDGE = 1e-6
"""Scores are read no closer to 0 and 1 than this: their logarithms must be finite."""
MOST = 1e3

Slope = Annotated[float, msgspec.Meta(ge=0, le=MOST)]


class BetaMap(msgspec.Struct, frozen=True):
    """The beta calibration p ↦ 1 / (1 + exp(-(a·ln p - b·ln(1-p) + c))) (Kull, Silva Filho, Flach 2017); rises with p.

    a = b = 1, c = 0 changes nothing; a = b is temperature scaling with an offset.
    """

    a: Slope = 1.0
    b: Slope = 1.0
    c: Annotated[float, msgspec.Meta(ge=-MOST, le=MOST)] = 0.0

    def __call__(self, scores: Floats) -> Floats:
        """Probabilities for scores in [0, 1], of the same shape."""
        return sigmoid(features_of(scores) @ np.array([self.a, self.b, self.c]))

    def of(self, score: float) -> float:
        """The probability for one score in [0, 1]."""
        near = min(max(score, EDGE), 1 - EDGE)
        return 1.0 / (1.0 + exp(-min(max(self.a * log(near) - self.b * log1p(-near) + self.c, -60.0), 60.0)))


def features_of(scores: Floats) -> Floats:
    """ln p, -ln(1-p) and 1 for scores in [0, 1] of shape (n,); shape (n, 3)."""
    near = np.clip(scores, EDGE, 1 - EDGE)
    return np.stack([np.log(near), -np.log1p(-near), np.ones_like(near)], axis=1)


def sigmoid(x: Floats) -> Floats:
    """The logistic function, of any shape."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -60, 60))), np.float64)
