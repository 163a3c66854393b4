"""Texts as the encoder reads them: emoji by name, word pieces in windows, and how each word is written."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from tokenizers import Tokenizer

WINDOW = 112
"""Tokens that are read together, the two marks at the ends included: attention costs their square."""
EVEN = 16
"""Windows of a longer text have a multiple of so many tokens: attention to any other number takes a quarter more time."""
USUAL = 5
"""Characters that prose has for each token, or a little less: so much of a text is tokenized at first."""
PER_TOKEN = 40
"""Characters that are shown to the tokenizer for each token that is read: prose has four or five, a long rule of signs more."""
FIRST, LAST = 101, 102
"""Ids of the marks at the start and at the end of a text."""

_PICTURE = re.compile("[\u2190-\u21ff\u2300-\u2bff\U0001f000-\U0001faff]")
_JOINERS = re.compile("[\ufe0f\u200d]")
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")
_WORD = re.compile(r"\w+")
_BLANK = re.compile("[ \t\r\n]")
"""Signs that no tokenizer drops: others count as blanks for Python, and as nothing for the tokenizer."""
SHAPES = 24
"""How many ways of writing a word `shapes` tells apart."""
_UNMARKED, _NEW_LINE = 10, 11


class Window(msgspec.Struct, frozen=True):
    """Word pieces that are read together.

    `ids` and `types` (0 first text, 1 second) include the marks; `offsets` are the characters of the text that each piece stands
    for, (0, 0) for a mark.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


def plain(text: str) -> str:
    """`text` with every emoji and pictograph written out as its Unicode name: the vocabulary has next to none of them."""
    return text if text.isascii() else _JOINERS.sub("", _PICTURE.sub(lambda m: _named(m[0]), text))


@lru_cache(maxsize=4096)
def _named(sign: str) -> str:
    return "" if _SKIN.match(sign) else f" {unicodedata.name(sign, '').lower()} "


def windows(tokenizer: Tokenizer, text: str, limit: int, most: int = WINDOW) -> list[Window]:
    """`text` in windows of at most `most` tokens, cut between two words where it can be; the first `limit` of them."""
    ids, offsets = _first(tokenizer, text, limit * (most - 2))
    found: list[Window] = []
    start, size = 0, most - 2
    while start < len(ids) and len(found) < limit:
        end = min(start + size, len(ids))
        if end < len(ids):
            end = _cut(offsets, start, end)
        found.append(_marked(ids[start:end], offsets[start:end]))
        start = end
    return found


def _first(tokenizer: Tokenizer, text: str, wanted: int) -> tuple[Sequence[int], Sequence[tuple[int, int]]]:
    """Ids and places of more than `wanted` tokens, the first ones of `text`, or of all there are: no longer text is tokenized.

    What is shown ends before a blank, where no word piece goes on, so that its tokens are the first ones of the whole text.
    """
    text, room = text[: (wanted + 1) * PER_TOKEN], (wanted + 1) * USUAL
    while True:
        ends = _BLANK.search(text, room)
        read = tokenizer.encode(text[: ends.start()] if ends else text, add_special_tokens=False)
        if ends is None or len(read.ids) > wanted:
            return read.ids, read.offsets
        room *= 2


def _marked(ids: Sequence[int], offsets: Sequence[tuple[int, int]]) -> Window:
    return Window((FIRST, *ids, LAST), (0,) * (len(ids) + 2), ((0, 0), *offsets, (0, 0)))


def _cut(offsets: Sequence[tuple[int, int]], start: int, end: int) -> int:
    """Where to cut: behind the last word of the second half that leaves an even window, else behind any word, else at `end`."""
    words = [i + 1 for i in range(start + (end - start) // 2, end) if offsets[i][1] < offsets[i + 1][0]]
    even = [i for i in words if (i - start + 2) % EVEN == 0]
    return (even or words or [end])[-1]


def pair(tokenizer: Tokenizer, first: str, second: str, limit: int) -> Window:
    """Two texts in one window; what is too long is cut at the end, the longer text first."""
    left = tokenizer.encode(first[: limit * PER_TOKEN], add_special_tokens=False)
    right = tokenizer.encode(second[: limit * PER_TOKEN], add_special_tokens=False)
    room = limit - 3
    one, two = len(left.ids), len(right.ids)
    if one + two > room:
        two = min(two, max(room // 2, room - one))
        one = min(one, room - two)
    return Window(
        (FIRST, *left.ids[:one], LAST, *right.ids[:two], LAST),
        (0,) * (one + 2) + (1,) * (two + 1),
        ((0, 0), *left.offsets[:one], (0, 0), *right.offsets[:two], (0, 0)),
    )


def shape(word: str) -> int:
    """How a word is written, 1 to 9: two digits, four, others; with letters; CAPITALS; one capital; Capital; small; miXed."""
    if word.isdigit():
        return 1 if len(word) < 3 else 2 if len(word) == 4 else 3
    if any(map(str.isdigit, word)):
        return 4
    if word.isupper():
        return 5 if len(word) > 1 else 6
    if word[0].isupper():
        return 7
    return 8 if word.islower() else 9


def shapes(text: str, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Shape of the word that each piece is of, in [0, SHAPES): the vocabulary has small letters only, and names have capitals.

    0 for a mark, 10 for what is no word; 11 more where a line begins.
    """
    words = [(m.start(), m.end()) for m in _WORD.finditer(text, offsets[0][0] if offsets else 0)] if offsets else []
    found, place, known, kind = [], 0, -1, _UNMARKED
    for start, end in offsets:
        if start == end:
            found.append(0)
            continue
        while place < len(words) and words[place][1] <= start:
            place += 1
        inside = place < len(words) and words[place][0] <= start
        if inside and known != place:
            # A script without blanks makes one word of a page: it is looked at once, not once for each of its pieces.
            known, kind = place, shape(text[words[place][0] : words[place][1]])
        found.append((kind if inside else _UNMARKED) + (_NEW_LINE if "\n" in text[max(0, start - 2) : start] else 0))
    return found
