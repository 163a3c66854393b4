"""Figures with their 95 % intervals, as training and its checks print them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from holdfast.drills.statistics import wilson

DRAWS = 400
Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def share(flagged: Flags) -> str:
    """How many of at least one are flagged (Wilson 1927)."""
    low, high = wilson(int(flagged.sum()), len(flagged))
    return f"{flagged.mean():.3f} [{low:.3f}, {high:.3f}]"


def over_all(figure: Callable[[Ints, Floats], float | None], labels: Ints, scores: Floats) -> str:
    """A figure over rows of both labels (percentile bootstrap, Efron 1979); draws of one label only are left out."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(labels), len(labels)) for _ in range(DRAWS)]
    values = [figure(labels[d], scores[d]) for d in draws if 0 < labels[d].mean() < 1]
    low, high = np.quantile(np.array(values, dtype=np.float64), (0.025, 0.975))
    return f"{figure(labels, scores):.3f} [{low:.3f}, {high:.3f}]"
