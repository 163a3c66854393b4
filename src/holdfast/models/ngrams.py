"""Hashed n-grams of a text: three to five characters, one and two words, without a Python loop over characters."""

from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt

BITS = 17
BUCKETS = 1 << BITS
CAP = 20_000
"""Characters that are read: time is linear in the length up to here, and constant from here on."""

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
SIZES = (3, 4, 5)


class Ngrams(msgspec.Struct, frozen=True):
    """Buckets of the n-grams of a text with `length` code points; `starts` is where each begins, in the same order."""

    buckets: Buckets
    starts: npt.NDArray[np.intp]
    length: int


def codes(text: str) -> Codes:
    """Code points of `text` in single blanks, one blank before and after, every digit a zero. Shape (length,).

    `text` must be valid Unicode: a lone surrogate raises UnicodeEncodeError.
    """
    plain = f" {' '.join(text[:CAP].split())} "
    found = np.frombuffer(plain.encode("utf-32-le"), dtype=np.uint32).copy()
    # Below 48 the difference wraps round to a large number: one comparison finds the digits.
    found[(found - _ZERO) <= _NINE] = _ZERO
    return found


def ngrams(text: str) -> Ngrams:
    """The n-grams of a text; none at all for a blank one."""
    points = codes(text)
    if points.size <= 2:
        return Ngrams(np.empty(0, np.intp), np.empty(0, np.intp), 0)
    hashes, starts = [], []
    for size in SIZES:
        count = points.size - size + 1
        if count <= 0:
            continue
        value = np.full(count, size, np.uint32)
        for offset in range(size):
            value ^= points[offset : offset + count]
            value *= _PRIME
        hashes.append(value)
        starts.append(np.arange(count))
    first, value = _words(points)
    hashes += [value ^ _WORD_SEED, (value[:-1] * _PAIR) ^ value[1:] ^ _PAIR_SEED]
    starts += [first, first[:-1]]
    return Ngrams(_bucket(np.concatenate(hashes)), np.concatenate(starts), points.size)


def _words(points: Codes) -> tuple[npt.NDArray[np.intp], Codes]:
    """Starts and hashes of the runs of letters, digits and apostrophes."""
    inside = _is_letter(points)
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    first, last = edges[0::2], edges[1::2]
    powers, inverses = _powers()
    sums = np.concatenate([np.zeros(1, np.uint32), np.cumsum(points * powers[: points.size], dtype=np.uint32)])
    return first, (sums[last] - sums[first]) * inverses[first]


def _is_letter(points: Codes) -> npt.NDArray[np.bool_]:
    small = (points >= 97) & (points <= 122)
    capital = (points >= 65) & (points <= 90)
    foreign = (points >= 0xC0) & ((points < 0x2000) | (points > 0x206F))
    found: npt.NDArray[np.bool_] = small | capital | (points == 48) | (points == 39) | foreign
    return found


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
    for _ in range(CAP + 2):
        up.append(up[-1] * base & 0xFFFFFFFF)
        down.append(down[-1] * inverse & 0xFFFFFFFF)
    return np.array(up, np.uint32), np.array(down, np.uint32)
