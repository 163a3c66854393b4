"""Text that went through the wrong encoding or a bad scan."""

from random import Random

SIGNS = ("\u00c3\u00a9", "\u00e2\u20ac\u2122", "\ufffd", "\u00c2", "\u00c3\u00bc", "\u0000", "\u00e2\u20ac\u0153")
SCANNED = {"l": "1", "o": "0", "e": "c", "rn": "m", "i": "|", "s": "5", "a": "@"}


def mojibake(text: str, chaos: Random, share: float) -> str:
    """`text` with about `share` of its words damaged as decoders and scanners do."""
    words = text.split(" ")
    for i, word in enumerate(words):
        if chaos.random() < share:
            words[i] = _damaged(word, chaos)
    return " ".join(words)


def _damaged(word: str, chaos: Random) -> str:
    if chaos.random() < 0.5 and len(word) > 2:
        cut = chaos.randrange(1, len(word))
        return f"{word[:cut]}{chaos.choice(SIGNS[:5])}{word[cut:]}"
    return "".join(SCANNED.get(c, c) for c in word) + chaos.choice(("", "\ufffd"))
