"""Two JSON texts, the second made of the first: which values differ, whatever the layout, order and spelling of numbers."""

from math import isclose
from typing import Any, NamedTuple

import orjson

from holdfast.score.text import CAP, shortened

MAX_VALUES = 200
"""Values of one text that are compared."""
MAX_DEPTH = 20
SAME_OBJECT = 0.5
"""Share of the names of an object that another one must have to be made of it."""


class Difference(NamedTuple):
    """A value that is not what it was. `after` is None where it is missing."""

    path: str
    before: object
    after: object

    @property
    def text(self) -> bool:
        """Whether one text stands in place of another: how much they differ is another question."""
        return isinstance(self.before, str) and isinstance(self.after, str)

    def __str__(self) -> str:
        """Such as ``amount: 30.78 → 3078``."""
        if self.after is None:
            return shortened(f"{self.path}: {self.before!r} is missing", 100)
        return shortened(f"{self.path}: {self.before!r} → {self.after!r}", 100)


class Compared(NamedTuple):
    """What differs, of how many values."""

    differences: tuple[Difference, ...]
    values: int


def parsed(text: str) -> dict[str, Any] | list[Any] | None:
    """The object or list that `text` is, a code fence around it left out; None where it is none, or longer than what is read."""
    bare = text.strip()
    if bare.startswith("```") and bare.endswith("```"):
        bare = bare[3:-3].removeprefix("json").strip()
    if bare[:1] not in ("{", "[") or len(bare) > CAP:
        return None
    try:
        value = orjson.loads(bare)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict | list) else None


def compared(before: object, after: object) -> Compared:
    """Every value of `before` that is another one in `after`, or is missing.

    What was added is no difference, nor is null or empty. Numbers are equal by value, texts without case and layout. A number
    that became a text is a difference: whoever takes it has to know. What is nested deeper than `MAX_DEPTH` is not looked at.
    """
    found: list[Difference] = []
    pending: list[tuple[str, object, object, int]] = [("", before, within(before, after), 0)]
    values = 0
    while pending and values < MAX_VALUES:
        path, old, new, depth = pending.pop()
        if isinstance(old, dict | list):
            pending += _members(path, old, new, depth + 1) if depth < MAX_DEPTH else []
            continue
        if old is None or old == "":
            continue
        values += 1
        if not _equal(old, new):
            found.append(Difference(path or "value", old, new))
    return Compared(tuple(found), values)


def within(before: object, after: object) -> object:
    """`after`, or the object in it that has the names of `before`, where something was put around it."""
    if not isinstance(before, dict) or not isinstance(after, dict) or _shares(before, after):
        return after
    return next((inner for inner in after.values() if isinstance(inner, dict) and _shares(before, inner)), after)


def _shares(before: dict[str, object], after: dict[str, object]) -> bool:
    return bool(before) and len(before.keys() & after.keys()) >= SAME_OBJECT * len(before)


def same_object(before: object, after: object) -> bool:
    """Whether both are objects, and one was made of the other by the names in it."""
    inner = within(before, after)
    return isinstance(before, dict) and isinstance(inner, dict) and _shares(before, inner)


def _members(path: str, old: dict[str, Any] | list[Any], new: object, depth: int) -> list[tuple[str, object, object, int]]:
    if isinstance(old, dict):
        others = new if isinstance(new, dict) else {}
        return [(f"{path}.{key}".lstrip("."), value, others.get(key), depth) for key, value in reversed(old.items())]
    there = new if isinstance(new, list) else []
    return [
        (f"{path}[{i}]", value, there[i] if i < len(there) else None, depth)
        for i, value in reversed(list(enumerate(old[:MAX_VALUES])))
    ]


def _equal(old: object, new: object) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, int | float) and isinstance(new, int | float):
        return isclose(old, new, rel_tol=1e-9)
    if isinstance(old, str) and isinstance(new, str):
        return old == new or " ".join(old.split()).casefold() == " ".join(new.split()).casefold()
    return old == new
