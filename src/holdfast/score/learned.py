"""The learned heads as the scorers use them: a text and its structural features in, calibrated log-odds out."""

from collections.abc import Iterable, Sequence
from math import log1p

from holdfast.models.artefact import VERSION, inline
from holdfast.models.ngrams import Ngrams, ngrams_of_all, plain
from holdfast.score.pieces import Piece
from holdfast.score.text import folded

__all__ = [
    "LIMIT",
    "VERSION",
    "count_together",
    "document_structure",
    "grams_of",
    "log_odds",
    "output_structure",
    "size_structure",
    "worst_stretch",
]

LIMIT = 8.0
"""Log-odds beyond which a head's opinion counts no further as a feature of another head."""


GRAMS = "grams"
"""The note under which a piece keeps its n-grams."""


def count_together(pieces: Iterable[Piece]) -> None:
    """Counts the n-grams of those pieces that do not have them yet, for a quarter of what it costs one by one."""
    new = [piece for piece in pieces if not piece.noted(GRAMS)]
    for piece, grams in zip(new, ngrams_of_all([folded(piece.text) for piece in new]), strict=True):
        piece.note(GRAMS, grams)


def grams_of(piece: Piece) -> Ngrams:
    """The n-grams of a text as the heads were trained on them: folded first."""
    return piece.once(GRAMS, _counted)


def _counted(text: str) -> Ngrams:
    return ngrams_of_all((folded(text),))[0]


def log_odds(head: str, grams: Ngrams, structure: Sequence[float]) -> float:
    """Calibrated log-odds of the failure that `head` knows; above 0 is beyond its operating point."""
    return inline().heads[head].log_odds(grams, structure)


def worst_stretch(head: str, piece: Piece) -> str:
    """The part of a text that `head` finds worst, with half a window before and after it; the whole of a short text."""
    known = inline().heads[head]
    text = plain(folded(piece.text))
    place, half = known.place(grams_of(piece)), known.window // 2
    return text[max(place - half, 0) : place + known.window + half]


def output_structure(request: float, refused: float, abuse: float) -> tuple[float, ...]:
    """What `unsafe_output` knows beside the answer's n-grams.

    `request` and `abuse` are log-odds of an unsafe request and of toxicity in the answer, `refused` the probability of a refusal.
    """
    asked = max(-LIMIT, min(LIMIT, request))
    insulted = max(-LIMIT, min(LIMIT, abuse))
    return (asked, refused, insulted, asked * (1.0 - refused))


def document_structure(text: str, found: Sequence[float]) -> tuple[float, ...]:
    """Hand-made features of a document and its length: the worst of many stretches is worse than the worst of a few."""
    return (*found, log1p(len(text) / 240.0))


def size_structure(text: str) -> tuple[float, ...]:
    """How long a request is: long ones are letters and stories more often than demands."""
    return (log1p(len(text)) / 3.0,)
