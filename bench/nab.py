"""The detection that the product runs, on public time series with labelled anomalies (NAB, shared/data/timeseries_anomaly).

    python -m bench.nab [FILE]

Every value of a series is one call of an application with one metric that may move either way. An alarm is an incident, which
would page: what goes on, or comes back while it is open, pages nobody again.
Scored as the benchmark scores (Lavin & Ahmad 2015, "Evaluating real-time anomaly detection algorithms: the Numenta anomaly
benchmark", standard profile): nothing counts in the first 15 % of a series (750 values at most); the first alarm inside a window
earns up to 1, the earlier the more; an alarm outside costs up to 0.11, a missed window 1; 0 is to say nothing, 100 perfection.

Published figures on all 58 series of the benchmark, each at the threshold that is best for it there: HTM 70, random cut forest
52, Twitter's ADVec 47, windowed Gaussian 40, Skyline 36, Bayesian change points 18, EXPoSE 16, random 11. Here are 41 of them.
Detection watches for a level that is left and stays left, in many streams at a stated rate of false alarms; single odd points,
which many of these labels are, are none of its business.
"""

import gzip
import json
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import exp
from pathlib import Path
from typing import Any

from holdfast.core.call import Call
from holdfast.core.clock import NS_PER_S
from holdfast.core.events import apply
from holdfast.core.incident import ACTIVE, Incident
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.correlate.correlator import Correlator
from holdfast.detect.detection import Detection
from holdfast.detect.policy import DetectPolicy

DEFAULT = Path("../shared/data/timeseries_anomaly/nab.jsonl.gz")
VALUE = Metric(
    name="value",
    family=Family.OPERATIONS,
    unit=Unit.COUNT,
    direction=Direction.BOTH,
    failure_mode="value",
    description="value of a series",
    harm=1,
)
BUDGETS = (0.2, 5.0)
"""False alarms a day that detection may raise; the first is the product's default."""
PORTION = 64
PROBATION, MOST_PROBATION = 0.15, 750
FALSE_COST = 0.11
FAR = 3.0
"""Widths of the last window after which an alarm is as wrong as it can be."""


def traces(series: dict[str, Any]) -> Iterator[ScoredTrace]:
    """Each value as a call that ended then. Scores are not negative: all of a series are shifted, which ranks do not see."""
    shift = min(0.0, *map(float, series["values"]))
    for number, (time, value) in enumerate(zip(series["timestamps"], series["values"], strict=True)):
        trace_id, span_id, end = f"{number:032x}", f"{number + 1:016x}", nanoseconds(time)
        call = Call(trace_id=trace_id, span_id=span_id, start_ns=end, end_ns=end, dimensions={"service.name": ("series",)})
        score = Score(
            trace_id=trace_id, span_id=span_id, metric="value", value=float(value) - shift, scorer="series", version="1"
        )
        yield ScoredTrace(Trace(trace_id, (call,)), (score,), ())


def nanoseconds(time: str) -> int:
    """Of a time without a zone."""
    return int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()) * NS_PER_S


def pages(series: dict[str, Any], budget: float) -> list[int]:
    """When incidents were detected, ns."""
    metrics = {"value": VALUE}
    detection, correlator = Detection(metrics, DetectPolicy(false_alarms_per_day=budget)), Correlator(metrics)
    rows, incidents = list(traces(series)), dict[str, Incident]()
    for at in range(0, len(rows), PORTION):
        portion = rows[at : at + PORTION]
        active = [incident for incident in incidents.values() if incident.state in ACTIVE]
        for recorded in correlator.correlate(detection.observe(portion), active, portion[-1].trace.end_ns):
            incidents[recorded.incident_id] = apply(incidents.get(recorded.incident_id), recorded)
    return sorted(incident.detected_ns for incident in incidents.values())


def scaled(position: float) -> float:
    """What an alarm is worth, by its distance from the end of the window in widths of it: -1 is its beginning."""
    return -1.0 if position > FAR else 2 / (1 + exp(5 * position)) - 1


def points(series: dict[str, Any], raised: Sequence[int]) -> tuple[float, int]:
    """Raw score of the alarms on a series, and how many windows it has."""
    times = [nanoseconds(time) for time in series["timestamps"]]
    first = min(int(PROBATION * len(times)), MOST_PROBATION)
    windows = [
        (bisect_left(times, nanoseconds(start)), bisect_left(times, nanoseconds(end)))
        for start, end in series["label_detail"]["windows"]
    ]
    places = [place for place in (bisect_left(times, time) for time in raised) if place >= first]
    total, seen = 0.0, set[tuple[int, int]]()
    for place in places:
        inside = next((w for w in windows if w[0] <= place <= w[1]), None)
        if inside is None:
            past = max((w for w in windows if w[1] < place), default=None)
            total += FALSE_COST * (-1.0 if past is None else scaled((place - past[1]) / max(past[1] - past[0], 1)))
        elif inside not in seen:
            seen.add(inside)
            total += scaled(-(inside[1] - place + 1) / (inside[1] - inside[0] + 1)) / scaled(-1.0)
    return total - (len(windows) - len(seen)), len(windows)


def main() -> None:
    """All series at each budget."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    with gzip.open(path, "rt") as file:
        every = [json.loads(line) for line in file]
    print(f"{len(every)} series, {sum(len(s['values']) for s in every)} values")
    for budget in BUDGETS:
        paged = [pages(series, budget) for series in every]
        scored = [points(series, alarms) for series, alarms in zip(every, paged, strict=True)]
        windows = sum(count for _, count in scored)
        figure = 50 * (sum(raw for raw, _ in scored) + windows) / windows
        print(
            f"{budget:g} false alarms a day: score {figure:.1f}, {sum(map(len, paged))} incidents for {windows} windows",
            flush=True,
        )


if __name__ == "__main__":
    main()
