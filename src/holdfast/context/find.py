"""Where the sensitive values of a text are: one pass tells which kinds can be in it, and only those are looked for."""

import re
from collections.abc import Iterator

import re2

from holdfast.context import accounts, email_addresses, numbers, secrets
from holdfast.context.entities import PLACEHOLDER, Found

_EMAIL, _NUMBER, _TOKEN, _JWT, _NAME, _SCHEME, _KEY, _IBAN, _PERSON, _HINT = range(10)
_FAMILIES = (
    email_addresses.AT,
    numbers.RUNS,
    secrets.TOKENS,
    secrets.JWTS,
    secrets.NAMES,
    secrets.SCHEMES,
    rb"PRIVATE KEY",
    accounts.IBANS,
    accounts.PERSONS,
    numbers.HINTS,
)


def _gate() -> re2.Set:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    options.max_mem = 64 << 20
    gate = re2.Set.SearchSet(options)
    for family in _FAMILIES:
        gate.Add(family)
    gate.Compile()
    return gate


_GATE = _gate()

_FOLDED = {
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-", "\ufe63": "-", "\uff0d": "-",
    "\u00ad": "-", "\u00a0": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ", "\u3000": " ", "\u200b": " ", "\uff20": "@",
    "\uff0e": ".", "\uff0b": "+", "\uff1a": ":", "\uff1d": "=",
}  # fmt: skip
"""Characters that look like an ASCII separator: one for one, so that offsets stay."""
_OTHER_DIGIT = re.compile("[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\uff10-\uff19]")
_ESCAPE = re.compile(r"(?<!\\)\\++(?:u[0-9a-fA-F]{4}|[bfnrt])")


def _fold(text: str) -> str:
    """`text` with the same length in which placeholders, escapes and look-alikes stand in nobody's way."""
    if "<" in text:
        text = PLACEHOLDER.sub(lambda m: "\0" * len(m[0]), text)
    if "\\" in text:
        text = _ESCAPE.sub(lambda m: "\n" * len(m[0]), text)
    if not text.isascii():
        for odd, plain in _FOLDED.items():
            if odd in text:
                text = text.replace(odd, plain)
        if _OTHER_DIGIT.search(text):
            text = _OTHER_DIGIT.sub(lambda m: str(int(m[0])), text)
    return text


_ONLY_HINT = [_HINT]


def suspect(text: str) -> frozenset[int]:
    """The families of sensitive values that `text` may hold: one pass, a few microseconds. Empty: nothing is in it."""
    families = _GATE.Match(_fold(text).encode("latin-1", "replace"))
    return frozenset() if not families or families == _ONLY_HINT else frozenset(families)


def find(text: str, families: frozenset[int] | None = None) -> tuple[Found, ...]:
    """Every sensitive value of `text`, in order, without overlaps. Placeholders are none.

    Takes time linear in the length of `text`. `families` is what `suspect` said of it, where that was asked already.
    """
    if families is None:
        families = suspect(text)
    if not families:
        return ()
    folded = _fold(text)
    return _without_overlaps(list(_candidates(folded, folded.encode("latin-1", "replace"), families)))


def _candidates(text: str, haystack: bytes, families: frozenset[int]) -> Iterator[Found]:
    if _KEY in families:
        yield from secrets.find_private_keys(text)
    if _TOKEN in families:
        yield from secrets.find_tokens(haystack)
    if _JWT in families:
        yield from secrets.find_jwts(haystack)
    if _NAME in families:
        yield from secrets.find_named(text, haystack)
    if _SCHEME in families:
        yield from secrets.find_credentials(haystack)
    if _EMAIL in families:
        yield from email_addresses.find_at_signs(text)
    if _IBAN in families:
        yield from accounts.find_ibans(text, haystack)
    if _PERSON in families:
        yield from accounts.find_persons(text, haystack)
    if _NUMBER in families:
        yield from numbers.find_numbers(text, haystack, _HINT in families)


def _without_overlaps(found: list[Found]) -> tuple[Found, ...]:
    """The longest of those that begin first; whoever overlaps it gives way."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (f.start, -f.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)
