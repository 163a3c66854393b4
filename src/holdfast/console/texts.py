"""Untrusted text in pieces: what is plain, what a score points at, what was redacted. Pieces are text; nothing is ever markup."""

from collections.abc import Iterable

import msgspec

from holdfast.context.entities import PLACEHOLDER
from holdfast.core.score import Span

LONGEST = 6_000
"""Characters shown of one text; what is cut is said."""


class Piece(msgspec.Struct, frozen=True):
    """A stretch of text. `kind` is plain, redacted or marked; `why` says what a mark is about."""

    kind: str
    text: str
    why: str = ""


def pieces(text: str, spans: Iterable[Span] = ()) -> list[Piece]:
    """The text in order, cut where marks and redactions begin and end; a mark inside another is left out."""
    shown = text[:LONGEST]
    found: list[Piece] = []
    at = 0
    for start, end, piece in sorted([*_redactions(shown), *_marks(shown, spans)], key=lambda item: item[:2]):
        if start < at:
            continue
        if start > at:
            found.append(Piece("plain", shown[at:start]))
        found.append(piece)
        at = end
    if at < len(shown):
        found.append(Piece("plain", shown[at:]))
    if len(text) > LONGEST:
        found.append(Piece("plain", f" … {len(text) - LONGEST} more characters"))
    return found


def _redactions(text: str) -> Iterable[tuple[int, int, Piece]]:
    return ((m.start(), m.end(), Piece("redacted", m.group()[1:-1])) for m in PLACEHOLDER.finditer(text))


def _marks(text: str, spans: Iterable[Span]) -> Iterable[tuple[int, int, Piece]]:
    for span in spans:
        start, end = max(span.start, 0), min(span.end, len(text))
        if start < end:
            yield start, end, Piece("marked", text[start:end], span.why)
