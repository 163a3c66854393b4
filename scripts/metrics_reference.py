"""Writes docs/reference/metrics.md from the registry of scorers: `python -m scripts.metrics_reference`."""

from pathlib import Path

from holdfast.core.score import Direction, Family, Metric, Unit
from holdfast.score.feedback import GOOD_IS_HIGH
from holdfast.score.registry import EVALUATION, SCORERS, SUMMARIES

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "metrics.md"

HEAD = """# Metrics

<!-- Written by scripts/metrics_reference.py from score/registry.py: change the definitions, then run `make docs`. -->

A metric is what one scorer says of one call. `probability` values lie in [0, 1] and are the probability of the failure, so a low
value is good; the others have the unit that they name. `margin` is the practical-equivalence margin: a detector alarms only when
the metric is worse than margin × baseline. `harm` says how bad one affected user is: 0 not at all, 1 a nuisance, 2 wrong or lost,
3 safety, privacy or money. A **hard** metric makes one event an incident. A scorer that does not apply to a trace says nothing of
it; one that fails leaves a row that says so.
"""
ARROWS = {
    Direction.UP_IS_WORSE: "up",
    Direction.DOWN_IS_WORSE: "down",
    Direction.BOTH: "either way",
    Direction.INFORMATION: "never",
}
COLUMNS = "| metric | what it says | unit | worse | margin | harm | an incident on it is called | scorer |"
UNITS = {Unit.MILLISECONDS: "ms", Unit.SECONDS: "s", Unit.USD: "USD"}


def row(metric: Metric, scorer: str) -> str:
    """One line of a table."""
    name = f"**`{metric.name}`** (hard)" if metric.hard else f"`{metric.name}`"
    unit = UNITS.get(metric.unit, metric.unit.value)
    description = metric.description.replace("|", "\\|").replace("<", "&lt;")
    cells = (
        name,
        description,
        unit,
        ARROWS[metric.direction],
        f"{metric.margin:g}",
        str(metric.harm),
        metric.failure_mode,
        f"`{scorer}`",
    )
    return f"| {' | '.join(cells)} |"


def evaluations() -> str:
    """The paragraph on evaluations that other tools reported."""
    known = [m.name.removeprefix(EVALUATION) for s in SCORERS for m in s.metrics if m.name.startswith(EVALUATION)]
    good, bad = [n for n in known if n in GOOD_IS_HIGH], [n for n in known if n not in GOOD_IS_HIGH]
    return (
        "## External evaluations\n\n"
        "An evaluation that arrives with a span, or as a log record, becomes the metric `evaluation.NAME`, brought to the"
        " probability of a failure. High values are good, and are turned round, for "
        + ", ".join(f"`{n}`" for n in good)
        + "; they are bad for "
        + ", ".join(f"`{n}`" for n in bad)
        + ". Any other name is kept as information and never alarms.\n"
    )


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for family in Family:
        ours = [(m, s.name) for s in SCORERS for m in s.metrics] + [(m, s.name) for s in SUMMARIES for m in s.metrics]
        rows = [row(m, name) for m, name in ours if m.family is family and not m.name.startswith(EVALUATION)]
        parts.append(
            "\n".join((f"## {family.value.capitalize()}\n", COLUMNS, "|---" * COLUMNS.count(" | ") + "|---|", *rows, ""))
        )
    parts.append(evaluations())
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
