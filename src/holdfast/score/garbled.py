"""`garbled_text` and `garbled_document`: mojibake, control characters and characters of the wrong kind."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.pieces import piece_of
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import reading_of
from holdfast.score.text import capped

GARBLED = Metric(
    name="garbled_text",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="garbled_text",
    description=(
        "Probability that the answer is garbled: mojibake, U+FFFD, control or private characters, letters mixed with signs."
    ),
    harm=1,
)
GARBLED_DOCUMENT = Metric(
    name="garbled_document",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="garbled_document",
    description="Probability that a document of a retrieval is garbled, as `garbled_text` is of the answer: the worst of them.",
    harm=1,
)

_BROKEN = re.compile("[\ufffd\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ue000-\uf8ff]")
_MOJIBAKE = re.compile(
    r"[ÂÃ][\u0080-\u00bf]|â(?:€.|[\u0080-\u00bf]{1,2}|‚¬)"
    r"|Ã[\u2018-\u201e\u2020-\u2026\u0192\u0160\u0152\u017d\u02c6\u2030\u2039\u203a\u20ac\u2122]|ðŸ|ï¿½|ï»¿|â€"
    r"|Ð[\u00b0-\u00bf\u0080-\u00bf]|Ñ[\u0080-\u00bf]"
)
_ODD_WORD = re.compile(
    r"[A-Za-z]+[0-9|@#$%^&~\\{}<>]+[A-Za-z]+[0-9|@#$%^&~\\{}<>]+[A-Za-z0-9|@#$%^&~\\{}<>]*"
    r"|[^\s\w.,;:!?'\"()*/+=|<>{}\[\]`_-]{4,}|[bcdfghjklmnpqrstvwxz]{7,}"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_UNREADABLE = bytes(c for c in range(256) if not (chr(c).isalnum() or chr(c) in " \n\t\r.,;:!?'\"()-") or c > 127)
MAX_DOCUMENT_CALLS = 50
HEAD = 4000


def garbled_probability(text: str) -> tuple[float, str]:
    """Probability that `text` is garbled, and what gives it away. Looks at its first 4,000 characters."""
    text = text[:HEAD]
    if not text:
        return 0.0, ""
    length = len(text)
    broken = 0
    if text.isascii():
        # Plain readable text needs no regular expression: count what is neither letter, digit, blank nor common punctuation.
        odd = length - len(text.encode().translate(None, _UNREADABLE))
        if odd * 12 < length and text.isprintable():
            return 0.002, ""
        broken = len(_CONTROL.findall(text))
    else:
        broken = len(_BROKEN.findall(text)) + 2 * len(_MOJIBAKE.findall(text))
    if broken:
        rate = broken / length
        return min(0.35 + 25.0 * rate + 0.06 * broken, 0.99), f"{broken} broken characters in {length}"
    odd_words = len(_ODD_WORD.findall(text))
    count = text.count(" ") + text.count("\n") + 1
    if odd_words < 2 or "```" in text:
        return 0.004, ""
    rate = odd_words / count
    return (min(2.5 * rate, 0.95) if rate > 0.05 else 0.01), f"{odd_words} unreadable words of {count}"


@dataclass(frozen=True)
class Garbled:
    """Scores the answer and, apart from it, the documents of each retrieval."""

    name: str = "garbled"
    version: str = "2"
    metrics: tuple[Metric, ...] = (GARBLED, GARBLED_DOCUMENT)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score for the answer, one for the worst document of each call that has documents."""
        reading = reading_of(trace)
        scores = []
        if reading.answer:
            value, why = garbled_probability(reading.answer)
            scores.append(score_of(self, reading.anchor, GARBLED, value, why if value >= NOTABLE else ""))
        for call in [c for c in trace.calls if c.documents][:MAX_DOCUMENT_CALLS]:
            value, why = max(
                piece_of(capped(d.content)).once("garbled", garbled_probability) for d in call.documents[:MAX_DOCUMENT_CALLS]
            )
            scores.append(score_of(self, call, GARBLED_DOCUMENT, value, why if value >= NOTABLE else ""))
        return scores
