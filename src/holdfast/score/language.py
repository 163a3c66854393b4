"""`language_mismatch`: the answer is in another language than the question."""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.context.language import UNDETERMINED, identify
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.pieces import Piece
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import reading_of
from holdfast.score.words import FUNCTION_WORDS

MISMATCH = Metric(
    name="language_mismatch",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="wrong_language",
    description="Probability that the answer is in another language than the question.",
    harm=1,
)
_TRANSLATE = """
    translate translation translated übersetze übersetzen übersetzung traduire traduction traduis traducir traduce
    traducción traduci tradurre traduzir traduza vertaal vertalen english german french spanish italian portuguese dutch
    deutsch englisch français anglais inglés español 翻译 翻訳 번역 переведи перевести
"""
TRANSLATE = frozenset(_TRANSLATE.split())
"""Words of a question that asks for another language."""
ENGLISH = FUNCTION_WORDS["en"].difference(*(members for code, members in FUNCTION_WORDS.items() if code != "en"))
"""English function words that are none in another language."""
SURE = 3
"""Different ones of them from which a text in ASCII is English without asking further."""
MIN_LETTERS = 20
LATIN_END = "\u0250"
FOREIGN = 0.6
"""Share of the letters of a text that make it one of that script."""
MIN_LATIN = 12
"""Letters of an answer: fewer are a name or a unit."""
SAMPLE = 600
OTHER_LETTERS = 0.9


def language_of(piece: Piece) -> tuple[str, float]:
    """Language code and confidence in [0, 1]; ("", 0.0) when it does not show.

    English is told by its function words, for speed.
    """
    if len(piece.kinds & ENGLISH) >= SURE and piece.text.isascii():
        return "en", 0.95
    code, confidence = identify(piece.text)
    return ("", 0.0) if code == UNDETERMINED else (code, confidence)


def in_english(piece: Piece) -> bool:
    """Whether a text has words that are, as far as they show a language, English."""
    return bool(piece.tokens) and language_of(piece)[0] in ("en", "") and _latin(piece.text)


def _latin(text: str) -> bool:
    return text.isascii() or 2 * sum(c.isascii() and c.isalpha() for c in text) >= sum(map(str.isalpha, text))


def _other_letters(question: str, answer: str) -> bool:
    """Whether somebody who wrote in letters of their own got Latin ones: names of crops and towns make it no other language."""
    if question.isascii():
        return False
    (own, latin), (theirs, foreign) = _letters(question), _letters(answer)
    return own >= FOREIGN * (own + latin) and foreign >= max(MIN_LATIN, FOREIGN * (theirs + foreign))


def _letters(text: str) -> tuple[int, int]:
    """How many letters are not Latin, one that stands for a syllable or a word counting twice, and how many are."""
    latin = own = 0
    for letter in text[:SAMPLE]:
        if letter.isalpha():
            if letter < LATIN_END:
                latin += 1
            else:
                own += 2 if letter > "\u2e7f" else 1
    return own, latin


@dataclass(frozen=True)
class Language:
    """Detects both languages. Texts under 20 characters show none; requests for a translation do not count.

    Who asks in letters that are not Latin and is answered in Latin ones is answered in another language, whichever it is. Of
    the reverse the letters say nothing: many write their language in Latin ones, for want of others.
    """

    name: str = "language"
    version: str = "2"
    metrics: tuple[Metric, ...] = (MISMATCH,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace whose question and answer show a language."""
        reading = reading_of(trace)
        if len(reading.question) < MIN_LETTERS or len(reading.answer) < MIN_LETTERS:
            return ()
        if _other_letters(reading.question, reading.answer) and TRANSLATE.isdisjoint(reading.question_piece.kinds):
            return (score_of(self, reading.anchor, MISMATCH, OTHER_LETTERS, "answered in Latin letters, asked in others"),)
        asked, sure_asked = language_of(reading.question_piece)
        answered, sure_answered = language_of(reading.answer_piece)
        if not asked or not answered:
            return ()
        if asked == answered:
            return (score_of(self, reading.anchor, MISMATCH, 0.01),)
        if not TRANSLATE.isdisjoint(reading.question_piece.kinds):
            return (score_of(self, reading.anchor, MISMATCH, 0.05),)
        value = max(0.02, sure_asked * sure_answered)
        why = f"asked in {asked}, answered in {answered}" if value >= NOTABLE else ""
        return (score_of(self, reading.anchor, MISMATCH, value, why),)
