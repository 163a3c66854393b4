"""How far the words, numbers and names of an answer are supported by its sources."""

import re
from dataclasses import dataclass, field

from holdfast.core.score import Span
from holdfast.score.facts import agrees, links, names, numbers
from holdfast.score.pieces import Piece, known_numbers, unknown
from holdfast.score.reading import Reading
from holdfast.score.text import sentences, words
from holdfast.score.words import NEGATIONS, OPPOSITES, STOPWORDS

MIN_CONTENT = 3
MAX_SENTENCES = 200
_CITATION = re.compile(r"\[(?:doc(?:ument)?|source|ref)?\s?#?(\d{1,3})\]|【(\d{1,3})[^】]*】")
_OPPOSED = frozenset(OPPOSITES)
_TURNING = _OPPOSED | NEGATIONS
_DIGITS = bytes(c for c in range(256) if not 48 <= c <= 57)


@dataclass
class Support:
    """`features` by name, each in about [0, 1]; the counts behind two of them; and the unsupported stretches of the answer."""

    features: dict[str, float] = field(default_factory=dict)
    number_count: int = 0
    unknown_numbers: int = 0
    name_count: int = 0
    unknown_names: int = 0
    spans: list[Span] = field(default_factory=list)


def support_of(reading: Reading) -> Support:
    """Measures the answer against documents, tool results and, for single facts, the conversation."""
    support = Support()
    sources = (*reading.evidence, *reading.background)
    missing = unknown(reading.stated.kinds - STOPWORDS, sources)
    _numbers(reading.stated.text, sources, support)
    _names(reading.stated.text, sources, support)
    _words(reading, missing, sources, support)
    support.features["flips"] = _flips(reading)
    support.features["citations"] = _citations(reading)
    return support


def _numbers(answer: str, sources: tuple[Piece, ...], support: Support) -> None:
    if answer.isascii() and len(answer.encode().translate(None, _DIGITS)) == 0:
        support.features["numbers"] = 0.0
        return
    told = [n for n in numbers(answer) if not _is_list_mark(answer, n[1], n[2])]
    support.number_count = len(told)
    unsure = [n for n in told if not any(n[0] in piece.numbers for piece in sources)]
    if unsure:
        known = frozenset().union(*(known_numbers(piece) for piece in sources))
        unsure = [n for n in unsure if not agrees(n[0], known)]
    support.unknown_numbers = len(unsure)
    support.spans += [Span("answer", start, end, f"number {answer[start:end]} is in no source") for _, start, end in unsure]
    support.features["numbers"] = min(len(unsure), 3) ** 0.5


def _is_list_mark(text: str, start: int, end: int) -> bool:
    """Whether a number only counts lines ("2. …") or cites a source ("[2]")."""
    before = text[start - 1] if start else "\n"
    after = text[end : end + 2]
    return (before == "\n" and after[:1] in (".", ")")) or (before in "[【#" and after[:1] in ("]", "】", "†"))


def _names(answer: str, sources: tuple[Piece, ...], support: Support) -> None:
    told = names(answer)
    linked = links(answer)
    support.name_count = len(told) + len(linked)
    strangers = [(start, end) for name, start, end in told if not _is_known(name, sources)]
    strange = [(start, end) for link, start, end in linked if not any(link in piece.text for piece in sources)]
    support.unknown_names = len(strangers) + len(strange)
    support.spans += [Span("answer", s, e, f"name {answer[s:e][:40]} is in no source") for s, e in (*strangers, *strange)]
    support.features["names"] = min(len(strangers), 4) ** 0.5
    support.features["links"] = 1.0 if strange else 0.0


def _is_known(name: str, sources: tuple[Piece, ...]) -> bool:
    lowered = name.lower()
    if lowered in STOPWORDS or any(lowered in piece.kinds for piece in sources):
        return True
    parts = frozenset(words(name)) - STOPWORDS
    return not parts or len(unknown(frozenset(p.removesuffix("'s") for p in parts), sources)) < len(parts)


def _words(reading: Reading, missing: frozenset[str], sources: tuple[Piece, ...], support: Support) -> None:
    content = reading.stated.kinds - STOPWORDS
    support.features["missing"] = len(missing) / len(content) if content else 0.0
    support.features["worst"] = _worst_sentence(reading.stated, missing, support) if len(missing) > 1 else len(missing) / 6
    pairs = set(reading.stated.pairs)
    new = pairs
    for piece in sources:
        new = new.difference(piece.pairs)
    support.features["pairs"] = len(new) / len(pairs) if pairs else 0.0


def _worst_sentence(piece: Piece, missing: frozenset[str], support: Support) -> float:
    worst = 0.0
    told = piece.once("sentence words", _sentence_words)
    for (start, end), line in zip(sentences(piece.text), told, strict=False):
        content = line - STOPWORDS
        if len(content) >= MIN_CONTENT:
            share = len(content & missing) / len(content)
            worst = max(worst, share)
            if share > 0.5:
                support.spans.append(Span("answer", start, end, "sentence without support"))
    return worst


def _flips(reading: Reading) -> float:
    """Share of sentences that negate, or say with an opposite word, what the source sentence most like them says."""
    turning = _turning_words(reading)
    if not turning:
        return 0.0
    sources = [line for piece in reading.evidence for line in piece.once("sentence words", _sentence_words)]
    told = reading.stated.once("sentence words", _sentence_words)
    flipped = 0
    for line in told:
        content = line - STOPWORDS
        if line.isdisjoint(turning) or len(content) < MIN_CONTENT or not sources:
            continue
        shared = [len(source & content) for source in sources]
        most = max(shared)
        if most >= max(2.0, 0.4 * len(content)):
            flipped += _turned(line, sources[shared.index(most)])
    return flipped / len(told) if told else 0.0


def _turning_words(reading: Reading) -> frozenset[str]:
    """Words of the answer that may turn a statement round: negations, and words whose opposite stands in a source."""
    suspects = reading.stated.kinds & _TURNING
    if not suspects:
        return suspects
    offered = [piece.kinds for piece in reading.evidence]
    return frozenset(
        [w for w in suspects if w in NEGATIONS or any(not kinds.isdisjoint(OPPOSITES[w]) and w not in kinds for kinds in offered)]
    )


def _turned(told: frozenset[str], source: frozenset[str]) -> bool:
    if told.isdisjoint(NEGATIONS) != source.isdisjoint(NEGATIONS):
        return True
    return any(word not in source and not OPPOSITES[word].isdisjoint(source) for word in told & _OPPOSED)


def _sentence_words(text: str) -> tuple[frozenset[str], ...]:
    return tuple([frozenset(words(text[start:end])) for start, end in sentences(text)[:MAX_SENTENCES]])


def _citations(reading: Reading) -> float:
    """Share of numbered citations that point at no document."""
    if not reading.documents or ("[" not in reading.answer and "【" not in reading.answer):
        return 0.0
    cited = [int(a or b) for a, b in _CITATION.findall(reading.answer)][:50]
    return sum(n > len(reading.documents) for n in cited) / len(cited) if cited else 0.0
