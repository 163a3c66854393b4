from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from holdfast.core.call import Dimensions
from holdfast.core.diagnosis import Attacker, Diagnosis
from holdfast.core.incident import Impact, Incident
from holdfast.core.observations import Observations
from holdfast.core.signal import Signal
from holdfast.correlate import impact as impact_module
from holdfast.correlate.correlator import Correlator
from holdfast.correlate.impact import measure_impact
from tests.correlate.signals import Book, at, signal
from tests.correlate.telemetry import FakeTelemetry
from tests.detect.simulation import METRICS

NOW = at(1000)


def seen(metric: str, values: list[float], **dimensions: str) -> Observations:
    n = len(values)
    of: list[Dimensions] = [{**{k: (v,) for k, v in dimensions.items()}, "user": (f"u{i % 7}",)} for i in range(n)]
    return Observations.of(
        metric=metric,
        time_ns=np.array([at(i) for i in range(n)], np.int64),
        value=np.array(values),
        trace_id=[f"t{i}" for i in range(n)],
        span_id=["s"] * n,
        dimensions=of,
    )


def incident(*signals: Signal) -> Incident:
    return Book(Correlator(METRICS)).at(60, *signals)[0]


def test_impact_is_what_is_bad_beyond_the_baseline_with_an_interval_around_it() -> None:
    telemetry = FakeTelemetry(seen("ungrounded_answer", [1.0, 0.0, 0.0, 0.0] * 50), seen("cost", [0.01] * 200))
    impact = measure_impact(incident(signal()), telemetry, METRICS, NOW)
    assert impact.calls == 50 - round(0.04 * 200)
    assert impact.calls_low < impact.calls < impact.calls_high
    assert impact.users == 7
    assert impact.cost_usd == pytest.approx(0.42)


def test_no_more_users_are_hurt_than_calls_are_worse_than_usual() -> None:
    noisy = signal(baseline=0.46, observed=0.5)
    impact = measure_impact(incident(noisy), FakeTelemetry(seen("ungrounded_answer", [1.0, 0.0] * 50)), METRICS, NOW)
    assert (impact.calls, impact.users) == (4, 4)


def test_what_nobody_knows_the_price_of_is_not_said_to_be_free() -> None:
    telemetry = FakeTelemetry(seen("ungrounded_answer", [1.0, 0.0] * 50))
    assert measure_impact(incident(signal()), telemetry, METRICS, NOW).cost_usd is None


def test_calls_outside_the_cohort_do_not_count() -> None:
    telemetry = FakeTelemetry(seen("ungrounded_answer", [1.0] * 100, route="/b"))
    assert measure_impact(incident(signal(segment="route=/a")), telemetry, METRICS, NOW) == Impact()


@pytest.mark.parametrize(
    ("cohort", "calls"), [({}, 10), ({"route": "/a"}, 100), ({"route": "/b"}, 0)], ids=["none", "all", "other"]
)
def test_where_only_attackers_tell_whose_calls_they_are_theirs_count(cohort: dict[str, str], calls: int) -> None:
    told = Attacker(user="u3", attacks=10, requests=10, first_ns=1, last_ns=2, new=True)
    diagnosis = Diagnosis(time_ns=1, layers=(), causes=(), cohort=cohort, attackers=(told,))
    campaign = msgspec.structs.replace(incident(signal(baseline=0.0)), diagnosis=diagnosis)
    telemetry = FakeTelemetry(seen("ungrounded_answer", [1.0] * 70, route="/a"))
    impact = measure_impact(campaign, telemetry, METRICS, NOW)
    assert impact.calls == min(calls, 70)
    assert impact.users == (1 if calls == 10 else min(calls, 7))


def test_a_metric_whose_low_values_are_bad_is_mirrored() -> None:
    falling = signal("relevance", baseline=0.9, observed=0.4)
    telemetry = FakeTelemetry(seen("relevance", [0.2] * 80))
    assert measure_impact(incident(falling), telemetry, METRICS, NOW).calls == round(80 * 0.8 - 80 * 0.1)


def test_of_latency_a_call_is_hurt_from_twice_the_baseline() -> None:
    slow = signal("latency", baseline=800.0, observed=4000.0)
    telemetry = FakeTelemetry(seen("latency", [700.0] * 30 + [5000.0] * 20))
    assert measure_impact(incident(slow), telemetry, METRICS, NOW).calls == 20


def test_metrics_of_one_cause_are_not_added_up() -> None:
    telemetry = FakeTelemetry(seen("ungrounded_answer", [1.0] * 60), seen("format_violation", [1.0] * 40))
    both = incident(signal(), signal("format_violation"))
    assert measure_impact(both, telemetry, METRICS, NOW).calls == 58


def test_no_telemetry_is_no_impact_and_no_error() -> None:
    assert measure_impact(incident(signal()), FakeTelemetry(), METRICS, NOW) == Impact()


def test_an_incident_of_a_metric_that_nobody_defined_has_no_measured_impact() -> None:
    assert measure_impact(incident(signal("coverage.lexical", detector="coverage")), FakeTelemetry(), METRICS, NOW) == Impact()


class Watched(FakeTelemetry):
    """Remembers the most scores that it gave at once."""

    most = 0

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        found = super().observations(service, metrics, start_ns, end_ns)
        self.most = max(self.most, sum(map(len, found.values())))
        return found


def test_a_long_incident_is_measured_slice_by_slice_and_counts_as_if_it_were_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = (seen("ungrounded_answer", [1.0, 0.0, 0.0, 0.0] * 2_000), seen("cost", [0.01] * 8_000))
    until = at(8_000)
    whole = measure_impact(incident(signal()), FakeTelemetry(*scores), METRICS, until)
    monkeypatch.setattr(impact_module, "ROWS", 300)
    telemetry = Watched(*scores)
    assert measure_impact(incident(signal()), telemetry, METRICS, until) == whole
    assert whole.calls == 2_000 - round(0.04 * 8_000)
    assert telemetry.most < 1_000


def test_what_a_call_cost_is_found_where_it_was_told_in_another_slice_than_the_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impact_module, "ROWS", 50)
    bad = seen("ungrounded_answer", [1.0] * 700)
    cost = seen("cost", [0.0] * 900)
    calls = msgspec.structs.replace(cost.calls, trace_id=[f"t{i - 200}" for i in range(900)])
    late = msgspec.structs.replace(cost, calls=calls, value=np.full(900, 0.02))
    impact = measure_impact(incident(signal()), FakeTelemetry(bad, late), METRICS, NOW)
    assert impact.cost_usd == pytest.approx(0.02 * impact.calls)
