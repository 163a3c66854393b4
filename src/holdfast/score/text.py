"""Words, sentences and folded forms of a text: what the lexical scorers share."""

import re
import unicodedata
from itertools import pairwise
from math import exp
from typing import Any

import re2

CAP = 20_000
"""Characters of one field that are read. Longer texts are cut: scoring time must not depend on who sends what."""

_KEPT = frozenset(b"'")
_TABLE = bytes(c if c > 127 or chr(c).isalnum() or c in _KEPT else 32 for c in range(256))
_BLANK = "“”„«»‹›…—–―·•¿¡。、，．！？：；（）「」『』【】《》،؛؟۔।\u00a0\u2002\u2003\u2009\u200a\u202f\u3000"
_WIDE = {ord(c): " " for c in _BLANK} | {ord("’"): "'", ord("‘"): "'"}
_NO_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]+")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]"
)


def valid(text: str) -> str:
    """`text` as valid Unicode: lone surrogates become question marks."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def capped(text: str) -> str:
    """The part of `text` that is read, as valid Unicode."""
    return valid(text[:CAP])


def listed(text: str) -> frozenset[str]:
    """The members of a list that is written with blanks between them."""
    return frozenset(text.split())


def words(text: str) -> list[str]:
    """Lower-case words in order. Scripts without spaces give overlapping pairs of characters."""
    if text.isascii():
        return text.lower().encode().translate(_TABLE).decode().split()
    lowered = text.lower().translate(_WIDE)
    if _NO_SPACES.search(lowered):
        lowered = _NO_SPACES.sub(_pairs, lowered)
    return lowered.encode("utf-8", "replace").translate(_TABLE).decode("utf-8", "replace").split()


def _pairs(match: re.Match[str]) -> str:
    run = match.group()
    return " " + " ".join(run[i : i + 2] for i in range(max(len(run) - 1, 1))) + " "


def sentences(text: str) -> list[tuple[int, int]]:
    """Offsets [start, end) of the sentences and lines of `text`, blanks around them left out."""
    found = []
    for start, end in _breaks(text):
        piece = text[start:end]
        left = len(piece) - len(piece.lstrip())
        if left < len(piece):
            found.append((start + left, start + len(piece.rstrip())))
    return found


_BREAK = re.compile(r"(?<=[.!?؟۔।])[\"'”’)\]]*\s+(?=[^a-z])|\n+|(?<=[。！？])")


def _breaks(text: str) -> list[tuple[int, int]]:
    edges = [0, *(m.end() for m in _BREAK.finditer(text)), len(text)]
    return list(pairwise(edges))


def visible(text: str) -> str:
    """`text` without characters that nobody sees (zero-width, direction marks, tags, variation selectors)."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


_SET_MEMORY = 16 << 20
"""Bytes for the automaton of `one_pass`, which forgets its states when they are full; it must hold a few hundred at least."""


def one_pass(*patterns: str) -> Any:
    """An `re2.Set` whose `Match(text)` is None where none of `patterns` is in `text`: all in one pass of a microsecond or two.

    A search of one pattern takes three or four, for the positions that it works out.
    """
    options = re2.Options()
    options.max_mem = _SET_MEMORY
    options.never_capture = True
    gate = re2.Set.SearchSet(options)
    for pattern in patterns:
        gate.Add(pattern)
    gate.Compile()
    return gate


def invisible_count(text: str) -> int:
    """How many characters of `text` nobody sees."""
    return 0 if text.isascii() else len(_INVISIBLE.findall(text))


_LOOKALIKE = str.maketrans("аеорсухіјѕԁһӏցոνωοαερτικ", "aeopcyxijsdhlgnvwoaeptik")
_ANY_LOOKALIKE = re.compile(f"[{''.join(map(chr, _LOOKALIKE))}]")


def folded(text: str) -> str:
    """Lower case, compatibility forms and look-alike letters made plain, invisible characters gone."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).lower()
    # Most text that is not ASCII has a dash or a curly quote, and nothing to translate, which takes ten times as long as to look.
    if not _ANY_LOOKALIKE.search(plain):
        return plain
    # Cyrillic and Greek text stays what it is: only a letter standing among Latin ones is a disguise.
    return plain if _mostly_foreign(plain) else plain.translate(_LOOKALIKE)


def _mostly_foreign(text: str) -> bool:
    latin = sum(map(text.count, "aeiou"))
    foreign = sum(map(text.count, "аеоиέαοι"))
    return foreign > latin


def sigmoid(x: float) -> float:
    """The logistic function, 1 / (1 + e^-x), safe for any finite `x`."""
    if x < -60.0:
        return 0.0
    return 1.0 / (1.0 + exp(-x)) if x < 60.0 else 1.0


def shortened(text: str, limit: int = 60) -> str:
    """One line of at most `limit` characters, for `why`."""
    line = " ".join(capped(text[: limit * 2]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
