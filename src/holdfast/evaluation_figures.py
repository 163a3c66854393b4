"""Figures of merit of a detector: what its scores and labels say, None where they say nothing."""

from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 10

Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


def counted(labels: Labels, said: Labels) -> dict[str, float | None]:
    """Accuracy, precision, recall, F1, balanced accuracy and false-positive rate."""
    true = int((labels & said).sum())
    false = int(((1 - labels) & said).sum())
    positive, negative = int(labels.sum()), int((1 - labels).sum())
    recall, fpr = ratio(true, positive), ratio(false, negative)
    return {
        "accuracy": ratio(int((labels == said).sum()), len(labels)),
        "precision": ratio(true, true + false) if positive else None,
        "recall": recall,
        "f1": ratio(2 * true, positive + true + false) if positive else None,
        "balanced_accuracy": None if recall is None or fpr is None else round((recall + 1 - fpr) / 2, 6),
        "fpr": fpr,
    }


def ratio(part: float, whole: float) -> float | None:
    """`part` of `whole`, None of nothing."""
    return round(part / whole, 6) if whole else None


def auroc(labels: Labels, scores: Scores) -> float | None:
    """Probability that a positive scores above a negative, ties half; None where there is one class only."""
    positive, negative = int(labels.sum()), int((1 - labels).sum())
    if not positive or not negative:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return round(float((ranks[labels == 1].sum() - positive * (positive + 1) / 2) / (positive * negative)), 6)


def auprc(labels: Labels, scores: Scores) -> float | None:
    """Average precision, equal scores taken together; None where there is one class only."""
    positive = int(labels.sum())
    if not positive or positive == len(labels):
        return None
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    precision = hits[last] / (last + 1)
    recall = np.diff(hits[last], prepend=0) / positive
    return round(float((precision * recall).sum()), 6)


def reliability(labels: Labels, scores: Scores) -> dict[str, Any]:
    """Said against observed frequency in bins of equal width, and the expected calibration error (Naeini et al. 2015)."""
    places = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    bins = []
    error = 0.0
    for number in range(BINS):
        inside = places == number
        count = int(inside.sum())
        if count:
            said, observed = float(scores[inside].mean()), float(labels[inside].mean())
            error += count / len(labels) * abs(said - observed)
            bins.append({"from": number / BINS, "rows": count, "said": round(said, 4), "observed": round(observed, 4)})
    return {"ece": round(error, 6), "bins": bins}
