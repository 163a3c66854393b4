"""Long texts in windows that a model can read: of one text, or of a pair whose second text is judged by the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Encoding = Any
"""A `tokenizers.Encoding`: that library is imported only where a model is opened."""


@dataclass(frozen=True)
class Piece:
    """A stretch of the text that is judged, beginning at character `start`, with all windows in which it is read."""

    start: int
    windows: tuple[Encoding, ...]


@dataclass(frozen=True)
class Cutter:
    """Cuts texts into at most `most` windows.

    Args:
        whole: the tokenizer, truncating to one window; of a pair it truncates the first text.
        half: the same tokenizer, truncating to half a window without overlap: for the second text of a pair.
    """

    whole: Any
    half: Any
    most: int

    def cut(self, texts: Sequence[str]) -> tuple[list[Piece], str]:
        """The pieces of the last text, and a note when not all of it is read.

        One text: each window is a piece. A pair: the second text in pieces of half a window, each with every window of the first.
        """
        found = self._of_one(texts[0]) if len(texts) == 1 else self._of_pair(texts[0], texts[1])
        share = max(self.most // max(len(found), 1), 1)
        kept = [Piece(piece.start, piece.windows[:share]) for piece in found[: self.most]]
        before, after = (sum(len(piece.windows) for piece in pieces) for pieces in (found, kept))
        return kept, f"({after} of {before} windows read)" if after < before else ""

    def _of_one(self, text: str) -> list[Piece]:
        return [Piece(0, (window,)) for window in _all(self.whole.encode(text))]

    def _of_pair(self, first: str, second: str) -> list[Piece]:
        found = []
        for part in _all(self.half.encode(second, add_special_tokens=False)):
            start, end = (part.offsets[0][0], part.offsets[-1][1]) if part.offsets else (0, len(second))
            found.append(Piece(start, _all(self.whole.encode(first, second[start:end]))))
        return found


def _all(encoding: Encoding) -> tuple[Encoding, ...]:
    return (encoding, *encoding.overflowing)
