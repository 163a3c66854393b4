"""Learns from people's labels what a score of one application is worth as a probability."""

import hashlib
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from holdfast.score.beta_map import MOST, BetaMap, Floats, features_of, sigmoid

FEWEST_LABELS = 50
FEWEST_OF_EACH = 10
FOLDS = 10
PRIOR = 1.0
"""Strength of the prior that the scores are right already (a = b = 1, c = 0), in units of inverse variance."""
TIE = 5.0
"""Strength of the prior that a = b: few labels tell how sure a score should be, many how that differs between its ends."""
BINS = 10


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """What labels taught. `refused` says why the map must not be used, and is empty where it may.

    Brier scores and expected calibration errors are out of fold: each label was predicted by a map that had not seen it.
    `error` is the standard error of the improvement `brier_before - brier_after`.
    """

    map: BetaMap
    labels: int
    failed: int
    brier_before: float
    brier_after: float
    error: float
    ece_before: float
    ece_after: float
    refused: str = ""


def learn(scores: Floats, failed: npt.NDArray[np.bool_], groups: Sequence[str]) -> Learnt:
    """A map from scores to probabilities, cross-validated by group (such as the trace), so that no group is on both sides.

    Refused: fewer than 50 labels or 10 of a kind; no improvement of the Brier score beyond its standard error.

    Args:
        scores: shape (n,), in [0, 1]. failed: shape (n,). groups: n names.

    Raises:
        ValueError: the lengths differ.
    """
    if not len(scores) == len(failed) == len(groups):
        raise ValueError(f"{len(scores)} scores, {len(failed)} labels and {len(groups)} groups")
    labels, bad = len(scores), int(failed.sum())
    if labels < FEWEST_LABELS or min(bad, labels - bad) < FEWEST_OF_EACH:
        why = f"{labels} labels, {bad} of them failed: {FEWEST_LABELS} with {FEWEST_OF_EACH} of each kind are needed"
        return _told(BetaMap(), scores, scores, failed, why)
    folds = np.array([_fold(group) for group in groups])
    after = np.empty(labels)
    for fold in range(FOLDS):
        held = folds == fold
        after[held] = fit(scores[~held], failed[~held])(scores[held])
    told = _told(fit(scores, failed), scores, after, failed, "")
    gain = told.brier_before - told.brier_after
    if gain <= told.error:
        why = f"the Brier score would change from {told.brier_before:.4f} to {told.brier_after:.4f}: no improvement beyond chance"
        return msgspec.structs.replace(told, refused=why)
    return told


def fit(scores: Floats, failed: npt.NDArray[np.bool_]) -> BetaMap:
    """The map with the largest posterior, its slopes not negative."""
    features, truth = features_of(scores), failed.astype(np.float64)
    identity = np.array([1.0, 1.0, 0.0])
    stiffness = PRIOR * np.eye(3)
    stiffness[:2, :2] += TIE * np.array([[1.0, -1.0], [-1.0, 1.0]])

    def loss(weights: Floats) -> tuple[float, Floats]:
        odds, pull = features @ weights, stiffness @ (weights - identity)
        value = float((np.logaddexp(0.0, odds) - truth * odds).sum() + 0.5 * (weights - identity) @ pull)
        return value, features.T @ (sigmoid(odds) - truth) + pull

    found = minimize(loss, identity, jac=True, method="L-BFGS-B", bounds=[(0.0, MOST), (0.0, MOST), (-MOST, MOST)])
    return BetaMap(*(float(weight) for weight in found.x))


def expected_error(scores: Floats, failed: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error: mean distance of said and observed over ten bins of equal width, by their sizes."""
    bins = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, scores - failed, BINS)
    return float(np.abs(gaps).sum() / max(len(scores), 1))


def _fold(group: str) -> int:
    return int.from_bytes(hashlib.sha256(group.encode("utf-8", "surrogatepass")).digest()[:8], "big") % FOLDS


def _told(found: BetaMap, before: Floats, after: Floats, failed: npt.NDArray[np.bool_], refused: str) -> Learnt:
    gains = np.square(before - failed) - np.square(after - failed)
    count = max(len(gains), 1)
    return Learnt(
        map=found,
        labels=len(failed),
        failed=int(failed.sum()),
        brier_before=float(np.square(before - failed).sum() / count),
        brier_after=float(np.square(after - failed).sum() / count),
        error=float(gains.std(ddof=1) / np.sqrt(count)) if len(gains) > 1 else 0.0,
        ece_before=expected_error(before, failed),
        ece_after=expected_error(after, failed),
        refused=refused,
    )
