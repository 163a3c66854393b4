"""Charts as SVG elements: lines with a baseline band and marks in time. Attributes only: inline styles are forbidden."""

from collections.abc import Sequence
from html import escape

import msgspec

from holdfast.console.shown import clock, measured, number
from holdfast.core.score import Unit
from holdfast.drills.statistics import Bin
from holdfast.telemetry.scores import Series

WIDTH, HEIGHT = 460.0, 138.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 8.0, 16.0, 18.0
TICKS = 4
SPOKEN = 8
NEAR = 24.0
"""Marks of a kind that are nearer to each other, in units of the drawing, are drawn as one."""


class Mark(msgspec.Struct, frozen=True):
    """A vertical line at a time. `kind` is onset, change or contained."""

    time_ns: int
    kind: str
    text: str


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn: points (time in ns, value) over [start, end), the baseline's mean and band, and marks."""

    name: str
    unit: str
    start_ns: int
    end_ns: int
    points: Sequence[tuple[int, float]]
    baseline: dict[str, float] | None = None
    marks: Sequence[Mark] = ()


def points_of(series: Series) -> list[tuple[int, float]]:
    """The means of a series, each in the middle of its step."""
    half = series.step_ns // 2
    return [(int(t) + half, float(m)) for t, m in zip(series.time_ns, series.mean, strict=True)]


class _Scale:
    """Values to places."""

    def __init__(self, plot: Plot) -> None:
        base = plot.baseline
        values = [value for _, value in plot.points] + ([base["low"], base["high"], base["mean"]] if base else [])
        top = max([*values, 1e-9])
        bottom = min([*values, top])
        # A line that hardly moves is drawn flat, not blown up; a share is drawn from 0.
        self.low = 0.0 if bottom >= 0 and bottom < 0.6 * top else max(bottom - 0.25 * (top - bottom), 0.0)
        self.high = self.low + max((top - self.low) * 1.12, abs(top) * 0.01, 1e-9)
        self._plot = plot

    def label(self, value: float) -> str:
        """A value at the axis: with as many digits as tell it from its neighbours."""
        spread = self.high - self.low
        if self._plot.unit == Unit.PROBABILITY:
            return f"{100 * value:.{0 if spread > 0.04 else 1 if spread > 0.004 else 2}f} %"
        return measured(value, self._plot.unit) if self.low == 0 else number(value, 4)

    def x(self, time_ns: int) -> float:
        plot = self._plot
        share = (time_ns - plot.start_ns) / max(plot.end_ns - plot.start_ns, 1)
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - min(max(share, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM), 1)


def line_chart(plot: Plot) -> str:
    """An ``<svg>`` with a title for screen readers. All texts are escaped."""
    scale = _Scale(plot)
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{escape(_spoken(plot))}">']
    parts += _axes(plot, scale)
    parts += _baseline(plot, scale)
    parts += _line(plot, scale)
    parts += _marks(plot, scale)
    return "".join([*parts, "</svg>"])


def bar(share: float, kind: str = "") -> str:
    """A horizontal bar that is filled to `share`, in [0, 1]."""
    filled = 100 * min(max(share, 0.0), 1.0)
    return (
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rail" width="100" height="8" rx="3"/>'
        f'<rect class="fill {escape(kind)}" width="{filled:.1f}" height="8" rx="3"/></svg>'
    )


def stretch(start: float, end: float) -> str:
    """A part of a bar from `start` to `end`, shares in [0, 1]; never too thin to be seen."""
    begin = 100 * min(max(start, 0.0), 1.0)
    width = max(100 * min(max(end, 0.0), 1.0) - begin, 0.6)
    return (
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="rail" width="100" height="8"/>'
        f'<rect x="{min(begin, 99.4):.2f}" width="{width:.2f}" height="8"/></svg>'
    )


def _axes(plot: Plot, scale: _Scale) -> list[str]:
    bottom = HEIGHT - BOTTOM
    parts = []
    for value in (scale.low, (scale.low + scale.high) / 2, scale.low + 0.92 * (scale.high - scale.low)):
        y = scale.y(value)
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 3.5}" text-anchor="end">{escape(scale.label(value))}</text>')
    for i in range(TICKS + 1):
        at = plot.start_ns + (plot.end_ns - plot.start_ns) * i // TICKS
        anchor = "start" if i == 0 else "end" if i == TICKS else "middle"
        parts.append(f'<text x="{scale.x(at)}" y="{bottom + 13}" text-anchor="{anchor}">{clock(at)[:5]}</text>')
    return parts


def _baseline(plot: Plot, scale: _Scale) -> list[str]:
    base = plot.baseline
    if base is None:
        return []
    top, bottom, mean = scale.y(base["high"]), scale.y(base["low"]), scale.y(base["mean"])
    height = max(bottom - top, 1.0)
    return [
        f'<rect class="band" x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{height:.1f}"/>',
        f'<line class="mean" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{mean}" y2="{mean}"/>',
    ]


def _line(plot: Plot, scale: _Scale) -> list[str]:
    places = [(scale.x(t), scale.y(v)) for t, v in plot.points]
    if len(places) == 1:
        return [f'<circle class="dot" cx="{places[0][0]}" cy="{places[0][1]}" r="2.5"/>']
    if not places:
        middle = (LEFT + WIDTH) / 2
        return [f'<text x="{middle}" y="{HEIGHT / 2}" text-anchor="middle">no scores in this period</text>']
    return [f'<polyline class="line" points="{" ".join(f"{x},{y}" for x, y in places)}"/>']


def _marks(plot: Plot, scale: _Scale) -> list[str]:
    parts = []
    for mark in _apart(plot, scale):
        x, kind = scale.x(mark.time_ns), escape(mark.kind)
        flipped = x > WIDTH * 0.7
        place = f'x="{x - 4 if flipped else x + 4}" text-anchor="{"end" if flipped else "start"}"'
        y = 10 if mark.kind == "onset" else 22 if mark.kind == "change" else 34
        parts.append(f'<line class="{kind}" x1="{x}" x2="{x}" y1="4" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text class="{kind}-text" {place} y="{y}">{escape(mark.text[:28])}</text>')
    return parts


def _apart(plot: Plot, scale: _Scale) -> list[Mark]:
    """The marks in the period; several of a kind that would stand on each other are one, and counted."""
    groups: list[list[Mark]] = []
    for mark in sorted(plot.marks, key=lambda mark: (mark.kind, mark.time_ns)):
        if not plot.start_ns <= mark.time_ns <= plot.end_ns:
            continue
        last = groups[-1][0] if groups else None
        if last and last.kind == mark.kind and scale.x(mark.time_ns) - scale.x(last.time_ns) < NEAR:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return [Mark(g[0].time_ns, g[0].kind, g[0].text if len(g) == 1 else f"{len(g)} × {g[0].kind}") for g in groups]


def _spoken(plot: Plot) -> str:
    if not plot.points:
        return f"{plot.name}: no scores"
    last = measured(plot.points[-1][1], plot.unit)
    before = f", usually {measured(plot.baseline['mean'], plot.unit)}" if plot.baseline else ""
    marks = "".join(f", {mark.kind} at {clock(mark.time_ns)}" for mark in plot.marks[:SPOKEN])
    return f"{plot.name}: now {last}{before}{marks}"


def reliability_plot(bins: Sequence[Bin]) -> str:
    """How often diagnoses of a confidence were right, beside the line on which they should be: an ``<svg>``."""
    size, left, top = 220.0, 34.0, 8.0
    side = size - left - top
    most = max([1, *(found.count for found in bins)])

    def place(confidence: float, right: float) -> tuple[float, float]:
        return round(left + side * confidence, 1), round(top + side * (1 - right), 1)

    spoken = "; ".join(f"{100 * b.confidence:.0f} % sure, {100 * b.right:.0f} % right, {b.count} diagnoses" for b in bins)
    parts = [f'<svg class="chart square" viewBox="0 0 {size + 20:.0f} {size + 14:.0f}" role="img" aria-label="{escape(spoken)}">']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        (x, y), label = place(share, share), f"{100 * share:.0f} %"
        parts.append(f'<text x="{left - 4}" y="{y + 3.5}" text-anchor="end">{label}</text>')
        parts.append(f'<text x="{x}" y="{size + 8}" text-anchor="middle">{label}</text>')
    (x0, y0), (x1, y1) = place(0, 0), place(1, 1)
    parts.append(f'<path class="axis" d="M{x0} {y1}V{y0}H{x1}" fill="none"/><path class="mean" d="M{x0} {y0}L{x1} {y1}"/>')
    points = [place(found.confidence, found.right) for found in bins]
    parts.append(f'<path class="line" d="M{"L".join(f"{x} {y}" for x, y in points)}"/>' if points else "")
    for (x, y), found in zip(points, bins, strict=True):
        parts.append(f'<circle class="dot" cx="{x}" cy="{y}" r="{2.5 + 3 * (found.count / most) ** 0.5:.1f}"/>')
    return "".join([*parts, "</svg>"])
