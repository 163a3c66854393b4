"""What a call's badness would have been in health, given its dimensions: ridge logistic regression on calls before onset."""

import numpy as np
import numpy.typing as npt

from holdfast.diagnose.frame import Floats

RIDGE = 4.0
"""Precision of the prior of a coefficient: values of a dimension seldom multiply the odds of failure by more than e."""
MOST_ROWS = 6_000
ROUNDS = 6
LEAST_ROWS = 50


class Expectation:
    """Expected badness in [0, 1] from one-hot conditions. A value never seen in health moves nothing."""

    def __init__(self, intercept: float, weights: Floats) -> None:
        self.intercept = intercept
        self.weights = weights

    def __call__(self, conditions: npt.NDArray[np.float32]) -> Floats:
        """Expected badness of each row of `conditions` (n x k)."""
        logit = self.intercept + conditions.astype(np.float64) @ self.weights
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -12.0, 12.0))), dtype=np.float64)


def fit(conditions: npt.NDArray[np.float32], badness: Floats, calls: Floats | None = None) -> Expectation:
    """Fit on healthy rows by Newton steps.

    Args:
        conditions: n x k, 0 or 1; rows of multi-valued dimensions may have several ones.
        badness: n values in [0, 1]; soft labels are fine.
        calls: n counts, where a row stands for several calls; one each where left out.
    """
    rows, width = conditions.shape
    counts = np.ones(rows) if calls is None else calls
    mean = (float(badness @ counts) + 0.25) / (float(counts.sum()) + 0.5)
    intercept = float(np.log(mean / (1.0 - mean)))
    if counts.sum() < LEAST_ROWS or width == 0:
        return Expectation(intercept, np.zeros(width))
    step = max(1, -(-rows // MOST_ROWS))
    x = np.column_stack([np.ones(len(badness[::step]), dtype=np.float32), conditions[::step]])
    y, count = badness[::step], counts[::step]
    ridge = np.full(width + 1, RIDGE)
    ridge[0] = 1e-6
    beta = np.zeros(width + 1)
    beta[0] = intercept
    for _ in range(ROUNDS):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -12.0, 12.0)))
        weight = np.maximum(count * p * (1.0 - p), 1e-6)
        gradient = x.T @ (count * (y - p)) - ridge * beta
        hessian = ((x * weight[:, None].astype(np.float32)).T @ x).astype(np.float64) + np.diag(ridge)
        move = np.linalg.solve(hessian, gradient)
        beta = beta + np.clip(move, -3.0, 3.0)
        if float(np.abs(move).max()) < 1e-3:
            break
    return Expectation(float(beta[0]), beta[1:])
