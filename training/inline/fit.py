"""One head: a logistic regression over n-grams and structural features, each with its own strength of regularisation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from training.inline.matrix import Blocks, Floats

STRUCTURE = 0.3
"""Scale of structural features: counts up to about three, which must not drown the n-grams."""
C = 1.0
"""Inverse strength of regularisation unless a recipe says otherwise."""

FOLDS = 4

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]


@dataclass
class Fitted:
    """Log-odds = grams · text + structure · text + intercept."""

    grams: Floats
    structure: Floats
    intercept: float

    def logits(self, blocks: Blocks) -> Floats:
        """Log-odds of each row."""
        found: Floats = blocks.grams @ self.grams + blocks.structure @ self.structure
        return found + self.intercept


def balanced(labels: Labels, weights: Floats) -> Floats:
    """Weights that give both labels the same sum."""
    result = weights.copy()
    for label in (0, 1):
        chosen = labels == label
        result[chosen] *= len(labels) / 2 / max(weights[chosen].sum(), 1e-9)
    return result


def fit(blocks: Blocks, labels: Labels, weights: Floats, c: float = C) -> Fitted:
    """Fit a head; deterministic."""
    matrix = sparse.hstack([blocks.grams, sparse.csr_matrix(blocks.structure * STRUCTURE)], format="csr")
    model = LogisticRegression(C=c, max_iter=200, tol=1e-3)
    model.fit(matrix, labels, sample_weight=balanced(labels, weights))
    found = model.coef_[0]
    end = blocks.grams.shape[1]
    return Fitted(found[:end], found[end:] * STRUCTURE, float(model.intercept_[0]))


def fold_of(keys: Sequence[str], count: int) -> dict[str, int]:
    """Key → fold, at random but always the same."""
    return {str(name): i % count for i, name in enumerate(np.random.default_rng(0).permutation(sorted(set(keys))))}


def folds(keys: Sequence[str], count: int) -> Iterator[Mask]:
    """Masks of `count` parts that keep equal keys together."""
    number = fold_of(keys, count)
    places = np.array([number[k] for k in keys])
    for fold in range(count):
        yield places == fold


def out_of_fold(blocks: Blocks, labels: Labels, weights: Floats, keys: Sequence[str], c: float = C) -> Floats:
    """Log-odds of each row by a head that saw none of its key."""
    found = np.zeros(len(labels))
    for mask in folds(keys, FOLDS):
        head = fit(blocks.part(np.flatnonzero(~mask)), labels[~mask], weights[~mask], c)
        found[mask] = head.logits(blocks.part(np.flatnonzero(mask)))
    return found
