"""One head: a logistic regression over three blocks, each with its own strength of regularisation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from training.inline.matrix import Blocks, Floats


@dataclass(frozen=True)
class Recipe:
    """How much each block is trusted: the larger the scale of a block, the weaker its regularisation."""

    grams: float = 1.0
    vectors: float = 1.0
    structure: float = 0.3
    c: float = 1.0


@dataclass
class Head:
    """Log-odds = grams · text + vectors · text + structure · text + intercept."""

    grams: Floats
    vectors: Floats
    structure: Floats
    intercept: float

    def logits(self, blocks: Blocks) -> Floats:
        """Log-odds of each row."""
        found: Floats = blocks.grams @ self.grams + blocks.vectors @ self.vectors + blocks.structure @ self.structure
        return found + self.intercept


def balanced(labels: npt.NDArray[np.int64], weights: Floats) -> Floats:
    """Weights that give both labels the same sum."""
    result = weights.copy()
    for label in (0, 1):
        chosen = labels == label
        result[chosen] *= len(labels) / 2 / max(weights[chosen].sum(), 1e-9)
    return result


def fit(blocks: Blocks, labels: npt.NDArray[np.int64], weights: Floats, recipe: Recipe) -> Head:
    """Fit a head; deterministic."""
    matrix = sparse.hstack(
        [blocks.grams * recipe.grams, sparse.csr_matrix(blocks.vectors * recipe.vectors), sparse.csr_matrix(blocks.structure * recipe.structure)],
        format="csr",
    )
    model = LogisticRegression(C=recipe.c, max_iter=200, tol=1e-3)
    model.fit(matrix, labels, sample_weight=balanced(labels, weights))
    found = model.coef_[0]
    end = blocks.grams.shape[1]
    middle = end + blocks.vectors.shape[1]
    return Head(
        found[:end] * recipe.grams,
        found[end:middle] * recipe.vectors,
        found[middle:] * recipe.structure,
        float(model.intercept_[0]),
    )


def folds(keys: Sequence[str], count: int) -> Iterable[npt.NDArray[np.bool_]]:
    """Masks of `count` parts that keep equal keys together."""
    names = sorted(set(keys))
    number = {name: i % count for i, name in enumerate(np.random.default_rng(0).permutation(names))}
    places = np.array([number[k] for k in keys])
    for fold in range(count):
        yield places == fold
