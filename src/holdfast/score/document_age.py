"""How old a retrieved document says it is."""

import re
from functools import lru_cache
from math import isfinite

from holdfast.core.call import Document
from holdfast.core.clock import NS_PER_S

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_LETTER = re.compile(r"[^a-z]+")
_UNITS_S = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3_600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("week", "weeks"), 604_800.0),
}
_AGES = frozenset({"age", "ago", "old", "since", "updated", "modified", "changed", "stale", "staleness"})
_NO_AGES = frozenset({"max", "maximum", "min", "minimum", "ttl", "limit", "threshold", "customer", "user", "next"})


def age_s(document: Document, now_ns: int) -> float | None:
    """How long ago a document was changed when it was found at `now_ns`; None where it does not tell.

    It tells a time (`updated_ns`), or how long ago in its metadata, such as ``age_days`` or ``updated_hours_ago``.
    """
    if document.updated_ns is not None and document.updated_ns > 0:
        return max(now_ns - document.updated_ns, 0) / NS_PER_S if now_ns else None
    for name, value in document.metadata.items():
        unit_s = _unit_of_age(name)
        age = _number(value) if unit_s else None
        if age is not None and age >= 0:
            return age * unit_s
    return None


@lru_cache(maxsize=1_024)
def _unit_of_age(name: str) -> float:
    """Seconds of the unit in which metadata of this name tells an age; 0 where it tells none."""
    parts = frozenset(_NO_LETTER.split(_HUMP.sub("_", name[:100]).lower()))
    if parts.isdisjoint(_AGES) or not parts.isdisjoint(_NO_AGES):
        return 0.0
    return next((_UNITS_S[part] for part in sorted(parts) if part in _UNITS_S), 0.0)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
