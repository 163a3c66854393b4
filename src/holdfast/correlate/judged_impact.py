"""Impact as a judge sees it: where a sample was judged, its verdicts correct what the cheap scores say of all calls."""

from collections.abc import Mapping

import msgspec
import numpy as np

from holdfast.core.clock import NS_PER_S
from holdfast.core.incident import Impact
from holdfast.core.observations import Telemetry
from holdfast.core.prediction_powered import rate_of
from holdfast.core.score import Metric

BEFORE_NS = 7 * 86_400 * NS_PER_S
"""How far back health is looked for: judged calls are few."""
INTERVAL = 1.96


def judge_of(metric: str, metrics: Mapping[str, Metric]) -> str:
    """Name of the metric that corrects this one; empty where there is none."""
    return next((judge.name for judge in metrics.values() if judge.corrects == metric), "") if metric else ""


def judged_pair(metric: str, metrics: Mapping[str, Metric]) -> tuple[str, str]:
    """The cheap metric that all calls have, and the one that corrects it (empty: none), whichever of the two is given.

    A judge's own metric is of a sample: alone it would count the calls of the sample only.
    """
    cheap = metrics[metric].corrects if metric in metrics else ""
    return (cheap, metric) if cheap in metrics else (metric, judge_of(metric, metrics))


class Harm(msgspec.Struct, frozen=True):
    """What an impact is about: a metric of an application's cohort, from `since_ns` to before `until_ns`."""

    service: str
    metric: str
    cohort: dict[str, str]
    since_ns: int
    until_ns: int


def corrected_impact(impact: Impact, harm: Harm, judge: str, telemetry: Telemetry) -> Impact:
    """The calls that failed beyond those that did before, with their 95 % interval, by the judge's account.

    Both rates are prediction-powered: before, of the cohort, or where too few of it were judged, of the whole application.
    The impact stays as it is with fewer than 20 judged calls on either side.
    """
    names = [harm.metric, judge]
    now = telemetry.observations(harm.service, names, harm.since_ns, harm.until_ns)
    earlier = telemetry.observations(harm.service, names, max(harm.since_ns - BEFORE_NS, 0), harm.since_ns)
    sick = rate_of(now[harm.metric], now[judge], harm.cohort)
    healthy = rate_of(earlier[harm.metric], earlier[judge], harm.cohort) or rate_of(earlier[harm.metric], earlier[judge])
    if sick is None or healthy is None:
        return impact
    excess, error = sick.value - healthy.value, float(np.hypot(sick.standard_error, healthy.standard_error))
    calls, low, high = (
        max(0, round(sick.calls * share)) for share in (excess, excess - INTERVAL * error, excess + INTERVAL * error)
    )
    return msgspec.structs.replace(impact, calls=calls, calls_low=low, calls_high=min(high, sick.calls))
