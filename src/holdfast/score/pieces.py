"""`Piece`: a text that was read, with its words, and what is looked up in them."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from holdfast.context.memo import Memo
from holdfast.score.facts import counted, raw_numbers, spelled_numbers
from holdfast.score.text import words

STEM = 5
"""Letters of a word that must agree for it to count as another form of the same one."""
MAX_KEPT = 500_000
"""Characters of texts that are kept, twice: documents and system prompts come back in request after request. About 50 MB."""

Answer = TypeVar("Answer")


class Piece:
    """A text; its words and everything else are made on first use."""

    __slots__ = ("_asked", "_kinds", "_line", "_notes", "_numbers", "_pairs", "_stems", "_tokens", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens: list[str] | None = None
        self._kinds: frozenset[str] | None = None
        self._stems: frozenset[str] | None = None
        self._asked = False
        self._pairs: frozenset[tuple[str, str]] | None = None
        self._numbers: frozenset[str] | None = None
        self._line: str | None = None
        self._notes: dict[Hashable, Any] = {}

    @property
    def tokens(self) -> list[str]:
        """Its words in order."""
        if self._tokens is None:
            self._tokens = words(self.text)
        return self._tokens

    @property
    def kinds(self) -> frozenset[str]:
        """Its different words."""
        if self._kinds is None:
            self._kinds = frozenset(self.tokens)
        return self._kinds

    @property
    def stems(self) -> frozenset[str]:
        """The first letters of its longer words."""
        if self._stems is None:
            self._stems = frozenset([w[:STEM] for w in self.kinds if len(w) >= STEM])
        return self._stems

    @property
    def pairs(self) -> Iterable[tuple[str, str]]:
        """Its neighbouring words. A set of them is made for a piece that is asked again: most pieces never are."""
        if self._pairs is not None:
            return self._pairs
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        if not self._asked:
            self._asked = True
            return pairs
        self._pairs = frozenset(pairs)
        return self._pairs

    @property
    def numbers(self) -> frozenset[str]:
        """Plain forms of the numbers that it writes in digits."""
        if self._numbers is None:
            self._numbers = raw_numbers(self.text)
        return self._numbers

    @property
    def line(self) -> str:
        """Its words with one blank around each, so that a phrase can be looked up."""
        if self._line is None:
            self._line = f" {' '.join(self.tokens)} "
        return self._line

    def noted(self, name: Hashable) -> bool:
        """Whether something is kept under `name`."""
        return name in self._notes

    def note(self, name: Hashable, answer: object) -> None:
        """Keeps what was found out about the text elsewhere."""
        self._notes[name] = answer

    def once(self, name: Hashable, work: Callable[[str], Answer]) -> Answer:
        """What `work` makes of the text, kept under `name` for as long as the piece is."""
        try:
            answer: Answer = self._notes[name]
        except KeyError:
            answer = self._notes[name] = work(self.text)
        return answer


_KEPT: Memo[Piece] = Memo(max_entries=4096, max_weight=MAX_KEPT)


def piece_of(text: str) -> Piece:
    """The piece of a text that may come back: a document, a system prompt, an earlier message."""
    piece = _KEPT.get(text)
    if piece is None:
        piece = Piece(text)
        _KEPT.put(text, piece, len(text) + 50)
    return piece


def known_numbers(piece: Piece) -> frozenset[str]:
    """Plain forms of all numbers that a source has: in digits, in words, and how many members its lists have."""
    return piece.numbers | spelled_numbers(piece.kinds) | piece.once("counted", counted)


def unknown(wanted: frozenset[str], pieces: tuple[Piece, ...]) -> frozenset[str]:
    """Those of `wanted` that are in none of `pieces`, in no other form either."""
    for piece in pieces:
        if not wanted:
            return wanted
        wanted -= piece.kinds
    if not wanted:
        return wanted
    stems = {w[:STEM]: w for w in wanted if len(w) >= STEM}
    if not stems:
        return wanted
    found = {stem for piece in pieces for stem in stems.keys() & piece.stems}
    return frozenset(w for w in wanted if w[:STEM] not in found) if found else wanted
