"""`misplaced_citation`: a citation points at a document that does not hold what is said, while another one does."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.call import Document
from holdfast.core.score import Direction, Family, Metric, Score, Span, Unit
from holdfast.core.trace import Trace
from holdfast.score.facts import raw_numbers
from holdfast.score.pieces import Piece
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import Reading, reading_of
from holdfast.score.text import sentences, shortened, sigmoid, words
from holdfast.score.words import STOPWORDS

MISPLACED = Metric(
    name="misplaced_citation",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="wrong_citation",
    description=(
        "Probability that a citation of the answer points at the wrong document: another of the retrieved ones holds clearly more"
        " of the words and numbers of the cited sentence. Absent without citations."
    ),
    harm=2,
)
MAX_CITED = 50
"""Cited sentences of an answer that are looked at."""
LEAST_CONTENT = 4
"""Words and numbers that a sentence must have to say which document it is from."""

_MARK = re.compile(r"\[([\w.:#/ -]{1,60})\](?!\()|【([\w.:#/ -]{1,60})[^】]{0,20}】")
_LEADING = re.compile(rf"(?:(?:{_MARK.pattern})\s*)+")
_NUMBERED = re.compile(r"(?:doc(?:ument)?|source|ref)?\s?#?(\d{1,3})")


@dataclass(frozen=True)
class Citations:
    """Reads citations by number, in the order of retrieval, and by id or source of a document.

    `midpoint` is the difference of shares, of the best other document and of those cited, at which the probability is one half.
    """

    midpoint: float = 0.35
    slope: float = 0.07
    name: str = "citations"
    version: str = "1"
    metrics: tuple[Metric, ...] = (MISPLACED,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per answer that cites at least one of two or more documents: that of its worst citation."""
        if "[" not in trace.delivered_answer and "【" not in trace.delivered_answer:
            return ()
        reading = reading_of(trace)
        if len(reading.documents) < 2:
            return ()
        worst: tuple[float, Span] | None = None
        for sentence, start, end, cited in _cited(reading):
            gap, best = _gap(sentence, cited, reading.document_pieces)
            if worst is None or gap > worst[0]:
                worst = gap, Span("answer", start, end, f"document {best + 1} holds more of it")
        if worst is None:
            return ()
        value = sigmoid((worst[0] - self.midpoint) / self.slope)
        if value < NOTABLE:
            return (score_of(self, reading.anchor, MISPLACED, value),)
        why = f"{worst[1].why}: {shortened(reading.answer[worst[1].start : worst[1].end])}"
        return (score_of(self, reading.anchor, MISPLACED, value, why, (worst[1],)),)


def _cited(reading: Reading) -> Iterable[tuple[str, int, int, frozenset[int]]]:
    """Sentences that cite documents, without their marks, where they begin and end, and which documents (from 0)."""
    named = _names(reading.documents)
    first = _first_number(reading.answer, len(reading.documents))
    found = 0
    before: tuple[str, int, int] | None = None
    for start, end in sentences(reading.answer):
        text = reading.answer[start:end]
        leading = _LEADING.match(text)
        if leading is not None and before is not None:
            # A mark behind the full stop stands at the beginning of what follows, or alone.
            cited = _documents(leading.group(), named, first)
            if cited:
                yield *before, cited
                found += 1
            start, text = start + leading.end(), text[leading.end() :]
        cited, told = _documents(text, named, first), _MARK.sub(" ", text)
        if cited:
            yield told, start, end, cited
            found += 1
        if found >= MAX_CITED:
            return
        before = None if cited else (told, start, end)


def _names(documents: tuple[Document, ...]) -> dict[str, int]:
    """Id or source → number of the document; a source that several documents share names none of them."""
    found: dict[str, int] = {}
    for name in ("source", "id"):
        told = [getattr(document, name).strip().lower() for document in documents]
        found |= {value: number for number, value in enumerate(told) if value and told.count(value) == 1}
    return found


def _first_number(answer: str, documents: int) -> int:
    """Number of the first document, 1 or 0; −1 where what is cited has other numbers, which say nothing here."""
    cited = [
        int(m.group(1)) for mark in _MARK.findall(answer) if (m := _NUMBERED.fullmatch((mark[0] or mark[1]).strip().lower()))
    ]
    if not cited:
        return -1
    first = 0 if 0 in cited else 1
    return first if max(cited) < documents + first else -1


def _documents(text: str, named: dict[str, int], first: int) -> frozenset[int]:
    """Which documents (from 0) the marks in a text cite."""
    found = set[int]()
    for match in _MARK.finditer(text):
        mark = (match.group(1) or match.group(2)).strip().lower()
        number = _NUMBERED.fullmatch(mark)
        if number and first >= 0:
            found.add(int(number.group(1)) - first)
        elif mark in named:
            found.add(named[mark])
    return frozenset(found)


def _gap(sentence: str, cited: frozenset[int], documents: tuple[Piece, ...]) -> tuple[float, int]:
    """How much more of a sentence the best other document holds than the cited ones together, as a share; and which one it is."""
    content, figures = frozenset(words(sentence)) - STOPWORDS, raw_numbers(sentence)
    if len(content | figures) < LEAST_CONTENT:
        return 0.0, 0
    held = [len(content & piece.kinds) + len(figures & piece.numbers) for piece in documents]
    total = len(content) + len(figures)
    own = len(content.intersection(frozenset().union(*(documents[n].kinds for n in cited)))) + len(
        figures.intersection(frozenset().union(*(documents[n].numbers for n in cited)))
    )
    others = [-1 if number in cited else share for number, share in enumerate(held)]
    best = max(range(len(others)), key=others.__getitem__)
    return (others[best] - own) / total, best
