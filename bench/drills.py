"""A scorecard of drills as the page `docs/reference/scorecard.md`, targets beside figures.

holdfast drill all --seed 12 --json > scorecard.json
python -m bench.drills scorecard.json "how it was made, and when" > docs/reference/scorecard.md
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from holdfast.diagnose.calibration import shipped
from holdfast.drills.faults.registry import REPORT_ONLY
from holdfast.drills.outcome import Outcome
from holdfast.drills.scorecard import LEAST_HARMED, MANY_HARMED, Cell, Quiet, Scorecard
from holdfast.drills.statistics import Figure

TARGETS = {
    "misses": "≤ 5 %",
    "calls": "≤ 60",
    "layer": "≥ 90 %",
    "top 3": "≥ 98 %",
    "cohort": "≥ 0.80",
    "change": "≥ 90 %",
    "ECE": "≤ 0.05",
    "≥ .85": "≥ 50 %",
    "right there": "≥ 95 %",
    "false a day": "≤ 0.20",
}

SAID = ("part", "layer", "top 3", "fault", "cohort", "change", "latest change", "Brier", "ECE", "≥ .85", "right there")

PAGE = """# Scorecard of the drills

`holdfast drill all --seed {seeds}`: {made}. What the columns mean is in [drills](../guides/drills.md);
this page, but for its last section, is written by `python -m bench.drills`. In brackets: 95 % intervals. Nothing was fitted
on report-only faults
({report_only}).
{fitted}

## Found, and how soon

{found}
| target | | {targets[misses]} | {targets[calls]} | | | |

How many requests a drill harms is up to its seed; ten at least count. The row of {many} or more says what is missed although
there was enough to see.

## Beside what simpler means find

{simpler}

Conventional monitoring: latency, errors, cost, tokens, burn rate. Static thresholds: one a metric, on half-hour means of the same
scores. Both have thresholds that keep {budget:g} false alarms a day on these drills, and any alarm since the change counts as a
find, whatever it is about. Static thresholds are set from all quiet days of these very applications together; Holdfast knows
of each drill only its own first hours.

## Said of what was found

{said}
{said_target}

`latest change`: what blaming the last change before detection would name.

| confidence | right | diagnoses |
|---|---|---|
{reliability}

## False incidents

{calm}
| target | | | {targets[false a day]} | |

## Every miss, false incident and wrong layer

{trouble}
"""


def page(card: Scorecard, made: str) -> str:
    """The page."""
    cells = [cell for cell in (*card.parts, *card.layers) if cell.drills]
    return PAGE.format(
        seeds=" --seed ".join(sorted({str(o.seed) for o in card.outcomes if o.seed < 1000}, key=int)),
        made=made,
        report_only=", ".join(REPORT_ONLY),
        fitted=f"The posterior was fitted on {shipped().provenance.get('fitted_on', 'nothing that is known')}.",
        targets=TARGETS,
        many=MANY_HARMED,
        budget=card.budget_per_day,
        found=table(("part", "drills", "missed", "calls", "minutes", "bad served", "twice"), map(found, cells)),
        simpler=table(("part", "Holdfast", "conventional", "conventional, 3 sigma", "static thresholds"), map(simpler, cells)),
        said=table(SAID, map(said, cells)),
        said_target="| target | " + " | ".join(TARGETS.get(column, "") for column in SAID[1:]) + " |",
        reliability="\n".join(f"| {b.confidence:.2f} | {b.right:.2f} | {b.count} |" for b in card.reliability),
        calm=table(("nothing broken", "drills", "days", "false a day", "conventional, 3 sigma"), map(calm, card.quiet)),
        trouble="\n".join(trouble(card.outcomes)),
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *([row[0].replace("_", " "), *row[1:]] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def found(c: Cell) -> Sequence[str]:
    """Misses and delays."""
    return c.name, str(c.drills), misses(c.detected), plain(c.calls), plain(c.minutes), plain(c.bad_served), decimal(c.duplicates)


def simpler(c: Cell) -> Sequence[str]:
    """What others find."""
    return c.name, percent(c.detected), percent(c.conventional), percent(c.conventional_usual), percent(c.static)


def said(c: Cell) -> Sequence[str]:
    """Diagnoses."""
    error = "–" if c.calibration_error is None else f"{c.calibration_error:.3f}"
    return (
        *(c.name, percent(c.layer_first), percent(c.layer_third), percent(c.fault_first), decimal(c.jaccard), percent(c.change)),
        *(percent(c.latest_change), decimal(c.brier), error, percent(c.sure), percent(c.sure_right)),
    )


def calm(q: Quiet) -> Sequence[str]:
    """Days without a fault."""
    return q.name, str(q.drills), f"{q.days:.1f}", decimal(q.false_per_day), decimal(q.conventional_usual_per_day)


def trouble(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Every miss, false incident and wrong statement, so that nobody has to ask."""
    for o in outcomes:
        where = f"`{o.drill}` ({o.application}, severity {o.severity:.2f}, {o.ramp}, roll-out {o.rollout:g})"
        if o.fault and not o.detected and o.harmed >= LEAST_HARMED:
            yield f"- missed: {where}: {o.harmed} harmed"
        if o.fault and o.named and not o.named.right:
            yield f"- wrong layer: {where}: {o.named.layer} at {o.named.confidence:.2f} for {o.layer}"
        for alarm in o.false_alarms:
            yield f"- false: {where}: {alarm.title}"


def misses(figure: Figure) -> str:
    """What is left to 100 %, with its interval."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    return f"{100 - 100 * figure.value:.0f} % ({100 - 100 * figure.high:.0f}–{100 - 100 * figure.low:.0f})"


def percent(figure: Figure) -> str:
    """A share with its interval."""
    return _spelled(figure, 100.0, 0, " %")


def decimal(figure: Figure) -> str:
    """A figure with two places and its interval."""
    return _spelled(figure, 1.0, 2, "")


def plain(figure: Figure) -> str:
    """A whole figure with its interval."""
    return _spelled(figure, 1.0, 0, "")


def _spelled(figure: Figure, factor: float, places: int, unit: str) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    value, low, high = (f"{factor * part:.{places}f}" for part in (figure.value, figure.low, figure.high))
    return f"{value}{unit} ({low}–{high})"


if __name__ == "__main__":
    given = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Scorecard)
    sys.stdout.write(page(given, sys.argv[2] if len(sys.argv) > 2 else "measured"))
