"""`answer_irrelevance` and `context_gap`: the answer, and what was retrieved, against what was asked."""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.call import Kind
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.pieces import Piece, unknown
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import Reading, reading_of
from holdfast.score.text import sentences, sigmoid, words
from holdfast.score.words import STOPWORDS

IRRELEVANCE = Metric(
    name="answer_irrelevance",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="irrelevant_answer",
    description="Probability that the answer is about something else than the question, from the words that they share.",
    harm=1,
)
CONTEXT_GAP = Metric(
    name="context_gap",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="context_gap",
    description=(
        "Share of the question's content words, or of those of the best sentence of a long one, that no retrieved document has"
        " (1 - context coverage)."
    ),
    harm=1,
)
MIN_CONTENT = 1
MAX_SENTENCES = 50
NEAR = 0.8
"""What another form of a word counts."""
ANSWERABLE = 8
"""Content words up to which a question is taken as a whole.

Of a longer one the sentence that is taken up best counts: who explains at length is not answered at length."""
MIN_SENTENCE = 2
"""Content words that a sentence must have to count for itself."""


def covered(wanted: frozenset[str], pieces: tuple[Piece, ...]) -> float:
    """Share of `wanted` words that are in one of `pieces`, in [0, 1]; another form of a word counts for 0.8."""
    if not wanted:
        return 1.0
    exact = wanted
    for piece in pieces:
        exact -= piece.kinds
    if not exact:
        return 1.0
    none = len(unknown(exact, pieces))
    return (len(wanted) - len(exact) + NEAR * (len(exact) - none)) / len(wanted)


def taken_up(reading: Reading, pieces: tuple[Piece, ...]) -> float:
    """Share of the words of a question, or of the best sentence of a long one, that are in `pieces`, in [0, 1]."""
    asked = reading.question_content
    whole = covered(asked, pieces)
    if len(asked) <= ANSWERABLE:
        return whole
    told = reading.question_piece.once("sentences", _sentences)
    return max([whole, *(covered(sentence, pieces) for sentence in told)])


def _sentences(text: str) -> tuple[frozenset[str], ...]:
    """Content words of the sentences that have enough of them."""
    told = (frozenset(words(text[start:end])) - STOPWORDS for start, end in sentences(text)[:MAX_SENTENCES])
    return tuple([sentence for sentence in told if len(sentence) >= MIN_SENTENCE])


@dataclass(frozen=True)
class Relevance:
    """Coverage of the question's content words, stems counting."""

    name: str = "relevance"
    version: str = "3"
    metrics: tuple[Metric, ...] = (IRRELEVANCE, CONTEXT_GAP)

    def score(self, trace: Trace) -> Iterable[Score]:
        """`answer_irrelevance` where question and answer have content words; `context_gap` where something was retrieved."""
        reading = reading_of(trace)
        asked = reading.question_content
        if len(asked) < MIN_CONTENT:
            return ()
        scores = []
        offered = reading.document_pieces
        if reading.answer_content:
            direct = taken_up(reading, (reading.answer_piece,))
            # An answer may share no word with the question and still stand in what was retrieved for it.
            # Courtesies and exclamations stand in no document, and make no answer less of one.
            said = (reading.stated.kinds - STOPWORDS) or reading.answer_content
            through = covered(said, offered) * taken_up(reading, offered) if offered else 0.0
            value = sigmoid(1.2 - 5.5 * direct - 2.5 * through)
            scores.append(
                score_of(
                    self,
                    reading.anchor,
                    IRRELEVANCE,
                    value,
                    f"shares {direct:.0%} of the question's words" if value >= NOTABLE else "",
                )
            )
        if reading.documents or any(c.kind is Kind.RETRIEVAL and c.status != "error" and not c.output_text for c in trace.calls):
            gap = 1.0 - taken_up(reading, offered)
            retrieval = next((c for c in trace.calls if c.documents), None) or next(
                (c for c in trace.calls if c.kind is Kind.RETRIEVAL), reading.anchor
            )
            why = f"not found: {', '.join(sorted(unknown(asked, offered))[:5])}"[:120] if gap >= NOTABLE else ""
            scores.append(score_of(self, retrieval, CONTEXT_GAP, gap, why))
        return scores
