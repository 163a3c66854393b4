"""`answer_altered`: the user was shown something else than the model wrote."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from rapidfuzz.distance import Indel, Levenshtein

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.json_values import compared, parsed
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import reading_of
from holdfast.score.words import STOPWORDS

ALTERED = Metric(
    name="answer_altered",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="altered_answer",
    description=(
        "How much the delivered answer differs from what the model wrote: edited words, a missing tail, masked words,"
        " changed numbers, names or citations; formatting does not count."
    ),
    harm=2,
)

_MASK = re.compile(
    (
        r"\*{3,}|█+|x{4,}|\[(?:redacted|removed|filtered|masked|blocked|hidden|pii)[^\]]*\]|<(?:redacted|masked"
        r"|[A-Z]+_[A-Z_]+)[^>]*>"
    ),
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PUNCTUATION = str.maketrans(dict.fromkeys("*_`#>~|\"'“”‘’.,;:!?()[]{}-–—", " "))
MAX_TOKENS = 1500
EXCHANGED = 0.5
"""How altered an answer is at least in which another phrase stands where one was: a title, a name, an address."""
LEAST_WORDS = 3
"""Words that differ in an exchanged phrase, old and new together. One word for another may be its spelling."""
VALUE = 0.7
"""How altered JSON is at least in which a number is another one, or a value is missing."""
MAX_TEXTS = 4


@dataclass(frozen=True)
class Delivery:
    """Compares what the root, or the outermost agent, gave out with what the answering call wrote, word by word."""

    name: str = "delivery"
    version: str = "4"
    metrics: tuple[Metric, ...] = (ALTERED,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace in which another span than the answering call tells what was delivered."""
        answering = trace.answering
        if answering is None or trace.delivering in (None, answering) or not trace.model_answer:
            return ()
        reading = reading_of(trace)
        if reading.answer == reading.model_answer:
            return (score_of(self, reading.anchor, ALTERED, 0.0),)
        value, why = self.judge(reading.model_answer, reading.answer)
        return (score_of(self, reading.anchor, ALTERED, value, why if value >= NOTABLE else ""),)

    def judge(self, written: str, shown: str) -> tuple[float, str]:
        """How much `shown` differs from `written`, in [0, 1], and in what. JSON is compared value by value."""
        before, after = parsed(written), parsed(shown)
        if before is None:
            return self._words(written, shown)
        if after is None:
            return min((self._words(text, shown) for text in (written, *_texts(before))), key=itemgetter(0))
        found, values = compared(before, after)
        if not found:
            return 0.0, ""
        judged = [self._words(str(d.before), str(d.after)) if d.text else (VALUE, str(d)) for d in found]
        worst, why = max(judged, key=itemgetter(0))
        return max(worst, len(found) / values) if worst >= NOTABLE else worst, why

    def _words(self, written: str, shown: str) -> tuple[float, str]:
        before = written.lower().translate(_PUNCTUATION).split()[:MAX_TOKENS]
        after = shown.lower().translate(_PUNCTUATION).split()[:MAX_TOKENS]
        numbers, shown_numbers = Counter(_NUMBER.findall(written)), Counter(_NUMBER.findall(shown))
        masked = len(_MASK.findall(shown)) - len(_MASK.findall(written))
        if before == after and numbers == shown_numbers and masked <= 0:
            return 0.0, ""
        distance = Indel.normalized_distance(before, after)
        if masked > 0:
            return max(distance, min(0.5 + 0.1 * masked, 0.95)), f"{masked} words masked"
        if 0 < len(after) < len(before) and after[:-1] == before[: len(after) - 1]:
            return min(
                0.5 + 0.5 * (1 - len(after) / len(before)), 1.0
            ), f"the last {len(before) - len(after)} of {len(before)} words are missing"
        changed = (numbers - shown_numbers) + (shown_numbers - numbers)
        if changed and numbers - shown_numbers:
            return max(0.7, distance), f"numbers differ: {', '.join(sorted(changed)[:4])}"[:100]
        # A footer or greeting that was added around an unchanged answer is no alteration.
        if before and " ".join(before) in " ".join(after):
            return min(0.1, distance), ""
        phrase = _exchanged(before, after)
        if phrase:
            return max(EXCHANGED, distance), phrase
        return distance, f"{distance:.0%} of the words differ"


def _texts(value: dict[str, Any] | list[Any]) -> list[str]:
    """The texts in what the model wrote as JSON: an application may show one of them."""
    members = value.values() if isinstance(value, dict) else value
    return sorted([text for text in members if isinstance(text, str)], key=len)[-MAX_TEXTS:]


def _exchanged(before: list[str], after: list[str]) -> str:
    """Which phrase stands in place of which, empty where there is none: three words at least that say something, of both."""
    found = list[tuple[list[str], list[str]]]()
    joined = False
    for operation in Levenshtein.opcodes(before, after):
        if operation.tag == "equal":
            joined = False
            continue
        if not joined:
            found.append(([], []))
            joined = True
        found[-1][0].extend(before[operation.src_start : operation.src_end])
        found[-1][1].extend(after[operation.dest_start : operation.dest_end])
    for old, new in found:
        gone, came = set(old) - set(new) - STOPWORDS, set(new) - set(old) - STOPWORDS
        if gone and came and len(gone) + len(came) >= LEAST_WORDS:
            return f"{' '.join(new)!r} in place of {' '.join(old)!r}"[:120]
    return ""
