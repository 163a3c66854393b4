"""`Problem`: something that a snapshot may not hold, and where; and the small checks that many rules share."""

import math
import re
from collections.abc import Collection, Iterable, Iterator

import msgspec

from holdfast.core.call import DIMENSIONS, MACHINES

MAX_NAME = 128
"""Characters of a name, at most."""
MAX_VALUE = 512
"""Characters of a dimension's value, at most."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")


class Problem(msgspec.Struct, frozen=True, order=True):
    """`place` is a path such as ``routes[support].targets[gpt].weight``."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def bad_name(place: str, name: str) -> Iterator[Problem]:
    """Names are short, begin with a letter or digit, and hold letters, digits and ``._:/@-``."""
    if not name:
        yield Problem(place, "is empty")
    elif len(name) > MAX_NAME or not _NAME.fullmatch(name):
        yield Problem(place, f"{name[:MAX_NAME]!r} is no name: up to {MAX_NAME} letters, digits and ._:/@-")


def doubled(place: str, names: Iterable[str]) -> Iterator[Problem]:
    """Each name once."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield Problem(place, f"{name!r} is there twice")
        seen.add(name)


def unknown(place: str, name: str, known: Collection[str], what: str) -> Iterator[Problem]:
    """A reference must lead somewhere."""
    if name not in known:
        yield Problem(place, f"there is no {what} {name!r}")


def outside(place: str, value: float, low: float, high: float, *, open_low: bool = False) -> Iterator[Problem]:
    """A finite number in [low, high], or in (low, high] with `open_low`."""
    if not math.isfinite(value) or value > high or value < low or (open_low and value == low):
        yield Problem(place, f"must be {'above' if open_low else 'from'} {low:g} and at most {high:g}, not {value:g}")


def bad_scope(place: str, scope: dict[str, str]) -> Iterator[Problem]:
    """A scope names at least one of the dimensions, with a value each: an empty one would mean nothing, and is refused."""
    if not scope:
        yield Problem(place, "is empty: it would match nothing")
    for name, value in scope.items():
        if name not in DIMENSIONS:
            yield Problem(f"{place}[{name}]", f"is no dimension; one of {', '.join(DIMENSIONS)}")
        elif name in MACHINES:
            yield Problem(f"{place}[{name}]", "is nothing that a gateway or a flag can choose by")
        elif not value or len(value) > MAX_VALUE:
            yield Problem(f"{place}[{name}]", f"must have 1 to {MAX_VALUE} characters")
