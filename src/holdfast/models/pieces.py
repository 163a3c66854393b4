"""Words to rows of the encoder's vocabulary: WordPiece, without the encoder."""

from collections.abc import Iterable, Mapping

MAX_PIECES = 4
"""Parts of one word; a word of more is no word of the vocabulary's language and gets none."""
MAX_LETTERS = 24


def pieces(words: Iterable[str], vocabulary: Mapping[str, int]) -> list[list[int]]:
    """For each word the rows of its pieces; empty for a word that is not in the vocabulary even in pieces."""
    found = []
    for word in words:
        row = vocabulary.get(word)
        found.append([row] if row is not None else _split(word, vocabulary))
    return found


def _split(word: str, vocabulary: Mapping[str, int]) -> list[int]:
    if len(word) > MAX_LETTERS or not word.isascii():
        return []
    rows: list[int] = []
    start, mark = 0, ""
    while start < len(word):
        for end in range(len(word), start, -1):
            row = vocabulary.get(mark + word[start:end])
            if row is not None:
                rows.append(row)
                start, mark = end, "##"
                break
        else:
            return []
        if len(rows) > MAX_PIECES:
            return []
    return rows
