"""Where a judge saw a sample, the impact is what it would say of all calls."""

import msgspec
import numpy as np
import pytest

from holdfast.core.incident import Impact, Incident
from holdfast.core.observations import Observations
from holdfast.core.score import Direction, Metric
from holdfast.core.signal import Signal
from holdfast.correlate.correlator import Correlator
from holdfast.correlate.impact import measure_impact
from holdfast.correlate.judged_impact import Harm, corrected_impact, judge_of, judged_pair
from tests.correlate.signals import Book, at, signal
from tests.correlate.telemetry import FakeTelemetry
from tests.detect.simulation import METRICS

CHEAP = "ungrounded_answer"
JUDGE = msgspec.structs.replace(METRICS[CHEAP], name="judged_ungrounded", corrects=CHEAP)
WITH_JUDGE: dict[str, Metric] = METRICS | {JUDGE.name: JUDGE}
HOUR = 3600


def seen(metric: str, start_s: float, values: list[float], every: int = 1, route: str = "/a") -> Observations:
    """Every so many of these calls, a second apart."""
    rows = range(0, len(values), every)
    return Observations.of(
        metric=metric,
        time_ns=np.array([at(start_s) + i * 10**9 for i in rows], np.int64),
        value=np.array([values[i] for i in rows]),
        trace_id=[f"{start_s}-{i}" for i in rows],
        span_id=["s"] * len(rows),
        dimensions=[{"route": (route,)} for _ in rows],
    )


def joined(*parts: Observations) -> Observations:
    return Observations.of(
        metric=parts[0].metric,
        time_ns=np.concatenate([p.time_ns for p in parts]),
        value=np.concatenate([p.value for p in parts]),
        trace_id=[t for p in parts for t in p.trace_id],
        span_id=[s for p in parts for s in p.span_id],
        dimensions=[d for p in parts for d in p.dimensions],
    )


def truth(rate: float, count: int) -> list[float]:
    return [float(i % round(1 / rate) == 0) for i in range(count)]


def telemetry(every: int = 4) -> FakeTelemetry:
    """Before: 2 of 100 fail, after: 20 of 100; the cheap score sees half of those, and doubts one of ten good ones."""
    before, after = truth(0.02, 2_000), truth(0.2, 1_000)
    half = [0.9 if bad and i % 10 == 0 else 0.6 if i % 10 == 7 else 0.1 for i, bad in enumerate(after)]
    cheap = joined(seen(CHEAP, -2_000, [0.1 + 0.5 * (i % 10 == 7) for i in range(2_000)]), seen(CHEAP, 0, half))
    judged = joined(seen(JUDGE.name, -2_000, before, every), seen(JUDGE.name, 0, after, every))
    return FakeTelemetry(cheap, judged)


HARM = Harm("shop", CHEAP, {}, at(0), at(1_000))


def test_the_calls_are_those_that_the_judge_would_have_found() -> None:
    found = corrected_impact(Impact(calls=40, users=7), HARM, JUDGE.name, telemetry(every=3))
    assert found.calls_low < 180 < found.calls_high
    assert abs(found.calls - 180) < 40
    assert found.users == 7


@pytest.mark.parametrize("every", [100, 10_000], ids=["too few", "none"])
def test_too_few_verdicts_change_nothing(every: int) -> None:
    before = Impact(calls=40, calls_low=30, calls_high=50)
    assert corrected_impact(before, HARM, JUDGE.name, telemetry(every)) == before


def test_a_cohort_that_was_not_judged_in_health_is_compared_with_the_whole_application() -> None:
    healthy = seen(CHEAP, -2_000, [0.1] * 2_000, route="/b")
    sick = seen(CHEAP, 0, [0.6] * 500, route="/a")
    judged = joined(seen(JUDGE.name, -2_000, [0.0] * 2_000, 10, route="/b"), seen(JUDGE.name, 0, [1.0] * 500, 5, route="/a"))
    harm = msgspec.structs.replace(HARM, cohort={"route": "/a"})
    found = corrected_impact(Impact(), harm, JUDGE.name, FakeTelemetry(joined(healthy, sick), judged))
    assert found.calls > 450


def test_no_harm_is_never_less_than_none_nor_more_than_all() -> None:
    better = FakeTelemetry(
        joined(seen(CHEAP, -2_000, [0.9] * 2_000), seen(CHEAP, 0, [0.1] * 100)),
        joined(seen(JUDGE.name, -2_000, [1.0] * 2_000), seen(JUDGE.name, 0, [0.0] * 100)),
    )
    found = corrected_impact(Impact(calls=40), HARM, JUDGE.name, better)
    assert (found.calls, found.calls_low) == (0, 0)
    assert found.calls_high <= 100


def test_a_metric_and_its_judge_find_each_other() -> None:
    assert judge_of(CHEAP, WITH_JUDGE) == JUDGE.name
    assert judged_pair(CHEAP, WITH_JUDGE) == judged_pair(JUDGE.name, WITH_JUDGE) == (CHEAP, JUDGE.name)
    assert judged_pair("relevance", WITH_JUDGE) == ("relevance", "")
    assert judged_pair("", WITH_JUDGE) == ("", "")
    assert judge_of("", WITH_JUDGE) == ""


def incident(*signals: Signal) -> Incident:
    return Book(Correlator(WITH_JUDGE)).at(60, *signals)[0]


@pytest.mark.parametrize("metric", [CHEAP, JUDGE.name], ids=["seen by the cheap scorer", "seen by the judge"])
def test_the_impact_of_an_incident_is_the_judges_whoever_saw_it_first(metric: str) -> None:
    assert METRICS[CHEAP].direction is Direction.UP_IS_WORSE
    found = incident(signal(metric, baseline=0.02, observed=0.2))
    impact = measure_impact(found, telemetry(every=3), WITH_JUDGE, at(1_000))
    assert impact.calls > 120
    assert impact.calls_low < 180 < impact.calls_high
