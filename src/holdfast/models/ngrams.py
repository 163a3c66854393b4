"""Hashed n-grams of a text: three to five characters, one and two words, without a Python loop over characters."""

from collections.abc import Sequence
from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt

BITS = 17
BUCKETS = 1 << BITS
CAP = 20_000
"""Characters that are read: time is linear in the length up to here, and constant from here on."""
BATCH = CAP + 2
"""Code points that are worked on together: few enough for the arrays to stay in the cache of a core."""

Codes = npt.NDArray[np.uint32]
Buckets = npt.NDArray[np.intp]

_ZERO, _NINE = np.uint32(48), np.uint32(9)
_PRIME = np.uint32(0x01000193)
_SHIFT = np.uint32(32 - BITS)
_HALF = np.uint32(15)
_MIX = np.uint32(0x2C1B3C6D)
_LAST = np.uint32(0x9E3779B1)
_PAIR = np.uint32(0x85EBCA6B)
_WORD_SEED = np.uint32(0x51ED270B)
_PAIR_SEED = np.uint32(0x7FEB352D)
_SIZE_SEED = 0x1F123BB5
SIZES = (3, 4, 5)


class Ngrams(msgspec.Struct, frozen=True):
    """Buckets of the n-grams of a text with `length` code points: by size, then words, then pairs of words, each in their order.

    `words` is where each word begins.
    """

    buckets: Buckets
    words: Buckets
    length: int

    def before(self, places: Buckets) -> Buckets:
        """How many members of `buckets` stand before the first that begins at each place, kind by kind.

        `places` in [0, length], shape (p,); the result has a row for each of the five kinds, shape (5, p): what begins between
        two places is, in each row, the run of `buckets` from the one number to the other.
        """
        words = self.words.searchsorted(places)
        pairs = max(self.words.size - 1, 0)
        kinds = [(places, max(self.length - size + 1, 0)) for size in SIZES] + [(words, self.words.size), (words, pairs)]
        rows = np.empty((len(kinds), places.size), np.intp)
        start = 0
        for row, (begun, count) in zip(rows, kinds, strict=True):
            np.minimum(begun, count, out=row)
            row += start
            start += count
        return rows


def plain(text: str) -> str:
    """The part of `text` that is read, in single blanks, one blank before and after."""
    return f" {' '.join(text[:CAP].split())} "


def codes(text: str) -> Codes:
    """Code points of `text`, every digit a zero. Shape (len(text),).

    `text` must be valid Unicode: a lone surrogate raises UnicodeEncodeError.
    """
    found = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).copy()
    # Below 48 the difference wraps round to a large number: one comparison finds the digits.
    found[(found - _ZERO) <= _NINE] = _ZERO
    return found


def ngrams(text: str) -> Ngrams:
    """The n-grams of a text; none at all for a blank one."""
    return ngrams_of_all((text,))[0]


def ngrams_of_all(texts: Sequence[str]) -> list[Ngrams]:
    """The n-grams of each text, worked out together: of short texts, most of the time goes into the number of steps."""
    found: list[Ngrams] = []
    batch: list[str] = []
    size = 0
    for text in map(plain, texts):
        if batch and size + len(text) > BATCH:
            found += _together(batch)
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    return found + (_together(batch) if batch else [])


def _together(batch: list[str]) -> list[Ngrams]:
    """Texts begin and end with a blank, so that no word crosses from one to the next; n-grams that do are left out."""
    points = codes("".join(batch))
    first, value = _words(points)
    hashes = [*_hashes(points), value ^ _WORD_SEED, (value[:-1] * _PAIR) ^ value[1:] ^ _PAIR_SEED]
    if len(batch) == 1 and points.size > 2:
        # Of one text, all five kinds are one array from here on: most of its time goes into the number of steps.
        return [Ngrams(_bucket(np.concatenate(hashes)), first, points.size)]
    *runs, words, pairs = map(_bucket, hashes)
    ends = np.cumsum([len(text) for text in batch])
    bounds = [0, *np.searchsorted(first, ends).tolist()]
    found, start = [], 0
    for i, end in enumerate(ends.tolist()):
        if end - start <= 2:
            found.append(_NONE)
        else:
            low, high = bounds[i], bounds[i + 1]
            parts = [run[start : max(end - size + 1, start)] for run, size in zip(runs, SIZES, strict=True)]
            parts += [words[low:high], pairs[low : max(high - 1, low)]]
            found.append(Ngrams(np.concatenate(parts), first[low:high] - start, end - start))
        start = end
    return found


def _hashes(points: Codes) -> list[Codes]:
    """One of each size, of shapes (max(len(points) - size + 1, 0),): a longer one goes on from where the shorter one ended."""
    found: list[Codes] = []
    value = points * _PRIME
    for offset in range(1, SIZES[-1]):
        value = value[:-1] ^ points[offset:] if value.size else value
        value *= _PRIME
        if offset + 1 in SIZES:
            # The size is a part of the hash: three characters with a zero after them are not four.
            found.append(value ^ np.uint32(offset * _SIZE_SEED))
    return found


def _words(points: Codes) -> tuple[Buckets, Codes]:
    """Starts and hashes of the runs of letters, digits and apostrophes."""
    inside = _is_letter(points)
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    first, last = edges[0::2], edges[1::2]
    powers, inverses = _powers()
    sums = np.concatenate([np.zeros(1, np.uint32), np.cumsum(points * powers[: points.size], dtype=np.uint32)])
    return first, (sums[last] - sums[first]) * inverses[first]


def _is_letter(points: Codes) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = _LETTERS.take(points, mode="clip")
    return found


def _letters() -> npt.NDArray[np.bool_]:
    """Whether a code point, zero for every digit, is part of a word; the last place stands for all that are larger."""
    points = np.arange(0x2071)
    small = (points >= 97) & (points <= 122)
    capital = (points >= 65) & (points <= 90)
    foreign = (points >= 0xC0) & ((points < 0x2000) | (points > 0x206F))
    found: npt.NDArray[np.bool_] = small | capital | (points == 48) | (points == 39) | foreign
    return found


_LETTERS = _letters()


def _bucket(values: Codes) -> Buckets:
    values ^= values >> _HALF
    values *= _MIX
    values ^= values >> _HALF
    values *= _LAST
    values >>= _SHIFT
    return values.astype(np.intp)


@cache
def _powers() -> tuple[Codes, Codes]:
    """Powers of an odd number modulo 2³² and of its inverse: a word's hash must not depend on where the word stands."""
    base, inverse = 0x01000193, pow(0x01000193, -1, 1 << 32)
    up, down = [1], [1]
    for _ in range(BATCH):
        up.append(up[-1] * base & 0xFFFFFFFF)
        down.append(down[-1] * inverse & 0xFFFFFFFF)
    return np.array(up, np.uint32), np.array(down, np.uint32)


_NONE = Ngrams(np.empty(0, np.intp), np.empty(0, np.intp), 0)
