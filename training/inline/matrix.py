"""Texts as rows of a matrix: what the runtime computes of one text, for many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from holdfast.models.ngrams import BUCKETS, ngrams

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Structure = Callable[[str], Sequence[float]]


@dataclass(frozen=True)
class Blocks:
    """Hashed n-grams, a sparse matrix (texts, buckets), and structural features (texts, features)."""

    grams: sparse.csr_matrix
    structure: Floats

    def part(self, index: Index) -> "Blocks":
        """Some of the rows."""
        return Blocks(self.grams[index], self.structure[index])


def gram_row(text: str) -> tuple[Index, Floats]:
    """Buckets and values of one text: counts by the square root of the number of n-grams."""
    found = ngrams(text).buckets
    kinds, counts = np.unique(found, return_counts=True)
    return kinds, counts / np.sqrt(max(found.size, 1))


def blocks(texts: Sequence[str], structure: Structure) -> Blocks:
    """Everything that a head may look at; `texts` are folded already."""
    columns, values, ends = [], [], [0]
    for text in texts:
        kinds, counts = gram_row(text)
        columns.append(kinds)
        values.append(counts)
        ends.append(ends[-1] + kinds.size)
    grams = sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), np.array(ends)), shape=(len(texts), BUCKETS))
    return Blocks(grams, np.array([structure(text) for text in texts], dtype=np.float64).reshape(len(texts), -1))
