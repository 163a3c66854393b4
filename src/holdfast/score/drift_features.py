"""Numbers that say how a text is written, not what about."""

from math import log1p
from zlib import crc32

import numpy as np
import numpy.typing as npt

from holdfast.score.reading import Reading
from holdfast.score.text import listed
from holdfast.score.words import STOPWORDS

Vector = npt.NDArray[np.float64]

MARKS = (".", ",", "?", "!", ":", ";", "-", "(", "\n", "*", "#", '"', "/", "'", "%", "`")
HASHED = 6
STYLE_NAMES = (
    "length",
    "word length",
    "sentence length",
    "share of function words",
    "share of digits",
    "share of capitals",
    "share of other scripts",
    "variety of words",
    "address of the reader",
    "first person",
    "list lines",
    *(f"use of {mark!r}" for mark in MARKS),
    *(f"word group {i}" for i in range(HASHED)),
)
"""What each answer feature is."""
ANSWER_SIZE = len(STYLE_NAMES)
QUESTION_SIZE = 8
_YOU = listed("""
    you your yours you'll you're sie ihr ihnen du dein vous votre tu usted su lei você u uw
""")
_I = listed("""
    i we our us my i'm we'll ich wir unser je nous notre yo nosotros noi nós ik wij we
""")
_QUESTION_WORDS = listed("""
    what who why how when where which wie was wer wo wann warum comment pourquoi qui que cómo qué cuándo come cosa
    perché
""")
_DIGITS = bytes(c for c in range(256) if not 48 <= c <= 57)
_CAPITALS = bytes(c for c in range(256) if not 65 <= c <= 90)
_GROUP = {word: crc32(word.encode()) % HASHED for word in STOPWORDS}


def answer_features(reading: Reading) -> Vector:
    """Style of the answer; float64 of length `ANSWER_SIZE`, each about of order one."""
    text, tokens = reading.answer, reading.answer_piece.tokens
    raw = text.encode("utf-8", "replace")
    size, count = len(text), len(tokens)
    stops = text.count(". ") + text.count("? ") + text.count("! ") + text.count("\n") + 1
    kinds = reading.answer_piece.kinds
    values = [
        log1p(count),
        (size / count - 5.0) / 3.0,
        log1p(count / stops),
        4.0 * len(kinds & STOPWORDS) / max(len(kinds), 1),
        log1p(50.0 * len(raw.translate(None, _DIGITS)) / size),
        log1p(50.0 * len(raw.translate(None, _CAPITALS)) / size),
        3.0 * (len(raw) - size) / size,
        3.0 * len(kinds) / count,
        float(len(kinds & _YOU)),
        float(len(kinds & _I)),
        log1p(text.count("\n- ") + text.count("\n* ") + text.count("\n1.")),
    ]
    values += [log1p(100.0 * text.count(mark) / size) for mark in MARKS]
    groups = [0] * HASHED
    # Function words show the voice; content words would only show the topic.
    for token in kinds & STOPWORDS:
        groups[_GROUP[token]] += 1
    values += [6.0 * g / len(kinds) for g in groups]
    return np.array(values)


def question_features(reading: Reading) -> Vector:
    """What an answer's style may depend on; float64 of length `QUESTION_SIZE`, the first one constant."""
    text, tokens = reading.question, reading.question_piece.tokens
    known = reading.question_piece.kinds
    return np.array(
        [
            1.0,
            log1p(len(tokens)),
            float("?" in text),
            float(not known.isdisjoint(_QUESTION_WORDS)),
            log1p(len(text.encode("utf-8", "replace").translate(None, _DIGITS))),
            3.0 * (not text.isascii()),
            log1p(sum(len(p.kinds) for p in reading.evidence)),
            log1p(len(reading.tool_results)),
        ]
    )
