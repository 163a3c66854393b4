"""Static word embeddings: the mean of fixed vectors, one a word piece. Meaning without a network, at the price of word order."""

import re
import unicodedata
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from holdfast.models.pieces import pieces

_WORD = re.compile(r"[^\W_]+|[!?]")
CAP = 20_000

Vector = npt.NDArray[np.float32]


class Embeddings:
    """A table of `table[row] * scale[row]`; the scale of a piece also holds how much it matters (frequent ones little)."""

    def __init__(self, vocabulary: Mapping[str, int], table: npt.NDArray[np.int8], scale: Vector) -> None:
        """`table` has shape (pieces, dimensions), `scale` (pieces,)."""
        self.vocabulary = vocabulary
        self.table = table
        self.scale = scale

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self.table.shape[1])

    def rows(self, text: str) -> list[int]:
        """Rows of the known pieces of `text`, in order."""
        lowered = text[:CAP].lower()
        if not lowered.isascii():
            lowered = "".join(c for c in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(c))
        return [row for found in pieces(_WORD.findall(lowered), self.vocabulary) for row in found]

    def mean(self, text: str) -> Vector:
        """The mean vector, shape (dimensions,); zero for a text without a known word."""
        rows = self.rows(text)
        if not rows:
            return np.zeros(self.dimensions, np.float32)
        scale = self.scale[rows]
        return (scale @ self.table[rows].astype(np.float32)) / np.float32(len(rows))
