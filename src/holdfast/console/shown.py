"""How values are written for people."""

import math

from holdfast.core.clock import NS_PER_S, to_iso
from holdfast.core.score import Unit

STEPS = ((86_400 * 2, 86_400, "d"), (3_600 * 2, 3_600, "h"), (60 * 2, 60, "min"))


def duration(seconds: float) -> str:
    """Such as ``42 s``, ``12 min``, ``3 h``, ``5 d``."""
    size = abs(seconds)
    for least, unit, name in STEPS:
        if size >= least:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def ago(time_ns: int, now_ns: int) -> str:
    """Such as ``12 min ago``; a time ahead is ``in 12 min``."""
    seconds = (now_ns - time_ns) / NS_PER_S
    if abs(seconds) < 1:
        return "now"
    return f"{duration(seconds)} ago" if seconds > 0 else f"in {duration(-seconds)}"


def moment(time_ns: int) -> str:
    """UTC to the second: ``2026-11-23 04:05:06``."""
    return to_iso(time_ns)[:19].replace("T", " ")


def clock(time_ns: int) -> str:
    """UTC time of day: ``04:05:06``."""
    return to_iso(time_ns)[11:19]


def number(value: float | None, digits: int = 3) -> str:
    """A number in as few characters as its size needs; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}" if abs(value) >= 10**-digits else f"{value:.1g}"


def measured(value: float | None, unit: str) -> str:
    """A metric's value with its unit: a probability in per cent."""
    if value is None:
        return "–"
    match unit:
        case Unit.PROBABILITY:
            return f"{100 * value:.1f} %" if value < 0.1 else f"{100 * value:.0f} %"
        case Unit.MILLISECONDS:
            return f"{value / 1000:.1f} s" if value >= 1_000 else f"{value:.0f} ms"
        case Unit.SECONDS:
            return f"{value:.2g} s" if value < 100 else duration(value)
        case Unit.USD:
            return f"${value:.2g}" if value < 1 else f"${value:,.2f}"
    return number(value)


def cut_percent(share: float) -> str:
    """Per cent, cut and not rounded: 84.9 % is below a gate of 85 %, and must not look like it."""
    return f"{math.floor(100 * share + 1e-9)}"


def words(name: str) -> str:
    """A name in snake case as words."""
    return name.replace("_", " ")
