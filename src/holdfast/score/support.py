"""What an encoder is shown of an answer and its sources: parts of the answer, each with the source sentences nearest to it."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush, nsmallest
from math import log

import msgspec
from tokenizers import Tokenizer

from holdfast.models.encoder import Encoder, Floats
from holdfast.models.encoder_tokens import Window, pair
from holdfast.score.text import sentences
from holdfast.score.words import NEGATIONS, STOPWORDS

TOP = "support"
PART = 240
"""Characters of an answer that are judged together."""
SHOWN = 420
"""Characters of the sources that are shown beside a part."""
WINDOW = 192
MAX_PARTS = 24
MAX_SENTENCES = 2000
MAX_NEAR = 100
"""Sentences that are weighed against each other for one part of the answer, those first that share most with it."""
STEM = 6

_WORD = re.compile(r"\w+(?:[.,:]\d+)*")
NOTES = 12
"""Kinds of words of an answer: 0 none, 1 sign, 2 negation, 3 and 4 number known and unknown, 5 small word, 6 word of the sources,
7 unknown name, 8 other form of a known word, 9 unknown word."""


class Part(msgspec.Struct, frozen=True):
    """A stretch of the answer, where it begins, and the source sentences nearest to it."""

    text: str
    start: int
    shown: str


class Sources:
    """Sentences of the sources with their words, made once for all parts of an answer."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Reads at most 2,000 sentences."""
        self.sentences: list[str] = []
        for text in texts:
            self.sentences += [" ".join(text[s:e].split()) for s, e in sentences(text)]
            if len(self.sentences) >= MAX_SENTENCES:
                break
        del self.sentences[MAX_SENTENCES:]
        self.terms = [terms(s) for s in self.sentences]
        self.rarity = Counter(t for found in self.terms for t in found)
        words = [w for s in self.sentences for w in _WORD.findall(s.lower())]
        self.words = frozenset(words) | {number(w) for w in words}
        self.stems = frozenset(w[:5] for w in words)

    def nearest(self, text: str) -> str:
        """The sentences that share most with `text`, in their own order, at most `SHOWN` characters (one sentence at least).

        Greedy: words that a chosen sentence covers count less for the next, as in maximal marginal relevance (Carbonell 1998).
        A gain never grows, so that only the sentence that was best last time is looked at again (lazy greedy, Minoux 1978):
        two thousand sentences that share everything with the answer would else be weighed two thousand times.
        """
        wanted, total = terms(text), len(self.sentences)
        covered: Counter[str] = Counter()
        chosen: list[int] = []
        room = SHOWN
        left = nsmallest(MAX_NEAR, [(-self._worth(i, wanted, covered), i) for i in range(total) if self.terms[i] & wanted])
        while left and room > 0:
            _, best = heappop(left)
            if chosen and len(self.sentences[best]) > room:
                continue
            now = (-self._worth(best, wanted, covered), best)
            if left and left[0] < now:
                heappush(left, now)
                continue
            chosen.append(best)
            room -= len(self.sentences[best])
            covered.update(self.terms[best] & wanted)
        return " ".join(self.sentences[i] for i in sorted(chosen or range(min(total, 2))))[: 2 * SHOWN]

    def _worth(self, i: int, wanted: frozenset[str], covered: Counter[str]) -> float:
        total = len(self.sentences)
        gain = sum(log(1 + total / (1 + self.rarity[t])) * 0.4 ** covered[t] for t in self.terms[i] & wanted)
        return float(gain / (len(self.terms[i]) + 6) ** 0.4)


def terms(text: str) -> frozenset[str]:
    """Beginnings of the words of `text` that say what it is about."""
    return frozenset(w[:STEM] for w in _WORD.findall(text.lower()) if w not in STOPWORDS)


def number(word: str) -> str:
    """A number without the signs between its digits and the zeros behind its point; any other word as it is."""
    plain = word.replace(",", "")
    if not plain.replace(".", "").isdigit():
        return word
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def parts(sources: Sources, answer: str) -> list[Part]:
    """`answer` in parts of whole sentences, 24 at most, each beside what the sources say of it."""
    found: list[tuple[int, int]] = []
    for start, end in sentences(answer):
        if found and end - found[-1][0] <= PART:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [Part(answer[s:e], s, sources.nearest(answer[s:e])) for s, e in found[:MAX_PARTS]]


def window(tokenizer: Tokenizer, part: Part) -> Window:
    """The part behind its sources, as the encoder reads them."""
    return pair(tokenizer, part.shown, part.text, WINDOW)


def notes(sources: Sources, part: Part, read: Window) -> list[int]:
    """For each token of `read` what is known of its word: see `NOTES`; 0 outside of the answer."""
    words = [(m.start(), m.end()) for m in _WORD.finditer(part.text)]
    found, place = [], 0
    for (start, end), side in zip(read.offsets, read.types, strict=True):
        if not side or start == end:
            found.append(0)
            continue
        while place < len(words) and words[place][1] <= start:
            place += 1
        inside = place < len(words) and words[place][0] <= start
        found.append(_note(sources, part.text, *words[place]) if inside else 1)
    return found


def _note(sources: Sources, text: str, start: int, end: int) -> int:
    word = text[start:end]
    lowered = word.lower()
    if lowered in NEGATIONS or text[max(0, start - 1) : end + 2].lower().startswith("n't"):
        return 2
    if lowered[0].isdigit():
        return 3 if number(lowered) in sources.words else 4
    if lowered in STOPWORDS:
        return 5
    if lowered in sources.words:
        return 6
    if word[0].isupper() and start > 0:
        return 7
    return 8 if lowered[:5] in sources.stems else 9


def doubts(encoder: Encoder, sources: Sources, found: Sequence[Part]) -> list[tuple[Window, Floats]]:
    """For each part, log-odds of every token that the sources do not support it; only those of the answer mean anything."""
    read = [window(encoder.tokenizer, part) for part in found]
    told = [notes(sources, part, w) for part, w in zip(found, read, strict=True)]
    return [(w, said[:, 0]) for w, said in zip(read, encoder.run(read, TOP, told), strict=True)]


def worst(read: Window, said: Floats) -> float:
    """How unsupported a part is: the mean of its three most doubtful tokens."""
    own = sorted(
        (float(v) for v, side, (s, e) in zip(said, read.types, read.offsets, strict=True) if side and e > s), reverse=True
    )
    return sum(own[:3]) / len(own[:3]) if own else -10.0


MARKED = 0.0
"""Log-odds from which a word is named as unsupported."""
MAX_MARKED = 10


def marked(part: Part, read: Window, said: Floats) -> list[tuple[int, int]]:
    """Stretches of the answer whose tokens are doubted, neighbours joined, in order, at most ten a part."""
    found: list[tuple[int, int]] = []
    for value, side, (start, end) in zip(said, read.types, read.offsets, strict=True):
        if not side or start == end or value < MARKED:
            continue
        if found and start <= found[-1][1] + 1:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [(start + part.start, end + part.start) for start, end in found[:MAX_MARKED]]
