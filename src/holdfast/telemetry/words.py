"""The word by which a text is looked up: what the index over the calls' texts can tell without reading them."""

import re

HAS_WORD = "indexHint(lowerUTF8(body) LIKE concat('%', lowerUTF8({word:String}), '%'))"
"""Leaves out blocks of rows in which no word contains this one. The index knows words and not what is between them: the text
itself must still be compared."""

SHORTEST_WORD = 4
"""Bytes: shorter ones are part of too many words."""
SIGMA = frozenset("Σσς")
"""Its small letter depends on what follows, which a part of a word does not know."""

_WORD = re.compile(r"[0-9A-Za-z\x80-\U0010ffff]+")
"""As the index splits texts: whatever is not ASCII is a letter."""


def rarest_word(text: str) -> str:
    """The word of a text that probably fewest calls have: a number before a long word; empty where none can be looked up."""
    words = [w for w in _WORD.findall(text) if len(w.encode("utf-8", "replace")) >= SHORTEST_WORD and not SIGMA & set(w)]
    return max(words, key=lambda word: (any(c.isdigit() for c in word), len(word)), default="")
