import numpy as np

from holdfast.core.clock import NS_PER_S
from holdfast.drills.conventional import ALARM, Reading, Sample, readings

HOUR_NS = 3600 * NS_PER_S


def day(latency: float = 1000.0, error: float = 0.01, since_h: float = 8.0) -> list[Reading]:
    """Ten hours with three requests a minute; latency and errors change at `since_h`."""
    random = np.random.default_rng(2)
    samples = []
    for i in range(1800):
        late = i * 20 >= since_h * 3600
        ms = (latency if late else 1000.0) * float(np.exp(random.normal(0, 0.3)))
        failed = float(random.random() < (error if late else 0.01))
        samples.append(Sample(i * 20 * NS_PER_S, ms, failed, 0.001, 200.0))
    return readings(samples, 0, 10 * HOUR_NS)


def strongest(said: list[Reading]) -> Reading:
    return max((r for r in said if r.time_ns >= 8 * HOUR_NS), key=lambda r: r.value)


def test_healthy_traffic_stays_near_its_baseline() -> None:
    assert max(r.value for r in day()) < ALARM + 1


def test_a_slow_service_is_seen_by_its_latency() -> None:
    assert strongest(day(latency=1500.0)).rule == "latency"
    assert strongest(day(latency=1500.0)).value > 2 * ALARM


def test_an_outage_is_seen_by_its_errors_or_their_burn_rate() -> None:
    assert strongest(day(error=0.5)).rule in ("error", "burn rate")
    assert strongest(day(error=0.5)).value > 2 * ALARM


def test_nothing_is_said_before_the_baseline_is_known() -> None:
    assert min(r.time_ns for r in day()) > 4 * HOUR_NS


def test_without_requests_nothing_is_said() -> None:
    assert readings([], 0, HOUR_NS) == []
    assert readings([Sample(9 * HOUR_NS, 1.0, 0.0, 0.0, 1.0)], 0, 10 * HOUR_NS) == []


def test_a_window_with_hardly_any_requests_is_not_judged() -> None:
    samples = [Sample(i * 60 * NS_PER_S, 1000.0, 0.0, 0.0, 1.0) for i in range(300)]
    lonely = [Sample(8 * HOUR_NS, 1e6, 1.0, 1.0, 1e6)]
    assert all(r.value < ALARM for r in readings(samples + lonely, 0, 10 * HOUR_NS))
