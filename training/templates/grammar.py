"""Templates with slots: `{name}` is replaced by a member of the slot, again and again until none is left."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence

_BAR = re.compile(r"\s\|(?=\s)")
_SLOT = re.compile(r"\{(\w+)\}")

Slots = Mapping[str, Sequence[str]]


def listed(text: str) -> tuple[str, ...]:
    """Members of a list written one a line, or parted by bars with blanks around them; an empty member between bars counts."""
    lines = [line for line in text.strip("\n").split("\n") if line.strip()]
    return tuple(part.strip().replace("\\n", "\n") for line in lines for part in _BAR.split(line))


def filled(template: str, slots: Slots, rng: random.Random) -> str:
    """`template` with every slot filled at random.

    Raises:
        KeyError: a slot that nobody defined.
    """
    while _SLOT.search(template):
        template = _SLOT.sub(lambda m: rng.choice(slots[m[1]]), template)
    return template


def drawn(templates: Sequence[str], slots: Slots, count: int, seed: int) -> Iterator[str]:
    """At most `count` different texts, every template in turn, the same for the same seed."""
    rng = random.Random(seed)
    seen: set[str] = set()
    for i in range(count * 3):
        text = filled(templates[i % len(templates)], slots, rng)
        if text not in seen:
            seen.add(text)
            yield text
        if len(seen) >= count:
            return
