import msgspec
import numpy as np
import pytest

from holdfast.core.signal import Segment
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.detect.detection import Detection
from holdfast.detect.idle import NS_PER_DAY, forget_applications, forget_idle
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.protocol import Ground
from holdfast.detect.segments import SegmentIndex
from holdfast.detect.streams import ALARMED
from holdfast.detect.watch import Alarm, Watch
from tests.detect.replay import failures, feed, replay, seconds
from tests.detect.simulation import METRICS, START_NS, Fault, Script, traffic

DAY_S = 86_400.0
NOW = 100 * NS_PER_DAY


def watch(seen_days_ago: dict[tuple[str, str], float], **settings: int) -> Watch:
    """One stream of each of these values of one application's dimensions, which were last seen so long ago."""
    ground = Ground(METRICS, DetectPolicy(**settings))  # type: ignore[arg-type]
    ground.index = SegmentIndex(1000, {})
    ground.table.metric_index("refusal")
    watched = Watch(ground)
    for (dimension, value), days in seen_days_ago.items():
        profile = ground.index.profile({"service.name": ("shop",), dimension: (value,)})
        segments = np.array(ground.index.profiles[profile])
        time_ns = NOW - int(days * NS_PER_DAY)
        ground.index.saw(dict.fromkeys(segments.tolist(), time_ns))
        watched.place(segments, np.zeros(len(segments), np.int64), np.full(len(segments), time_ns))
    ground.index.saw({0: NOW})
    return watched


def values(watched: Watch) -> list[str]:
    index = watched.ground.index
    return [s.value for s in index.segments if index.find(s) >= 0 and s.dimension]


def test_a_value_that_was_not_seen_for_a_week_is_forgotten_and_its_numbers_are_used_again() -> None:
    watched = watch({("tenant", "old"): 7.1, ("tenant", "young"): 6.9})
    index = watched.ground.index
    old, stream = index.find(Segment("shop", "tenant", "old")), watched.find(1, 0)
    assert forget_idle(watched) == {old}
    assert values(watched) == ["young"]
    profile = index.profile({"service.name": ("shop",), "tenant": ("new",)})
    assert index.profiles[profile] == (0, old)
    assert watched.place(np.array([old]), np.array([0]), np.array([NOW])).tolist() == [stream]
    assert watched.streams.totals[stream].tolist() == [0, 0, 0, 0]


def test_the_application_itself_is_never_forgotten() -> None:
    watched = watch({("tenant", "old"): 50.0})
    watched.ground.index.last_ns[0] = 0
    assert forget_idle(watched) == frozenset()
    watched.ground.index.last_ns[0] = NOW
    assert forget_idle(watched) == {1}
    assert watched.find(0, 0) == 0


def test_a_value_that_has_alarmed_stays_until_it_clears() -> None:
    watched = watch({("tenant", "sick"): 30.0})
    row = watched.find(1, 0)
    signal = failures(SICK)[0]
    watched.alarms[row], watched.streams.mode[row] = Alarm(signal, [0.0] * 4, 0.0, [0.0] * 4), ALARMED
    assert forget_idle(watched) == frozenset()
    del watched.alarms[row]
    assert forget_idle(watched) == {1}


def test_a_route_stays_as_long_as_a_version_is_compared_with_it() -> None:
    watched = watch({("route", "/a"): 30.0, ("tenant", "t"): 1.0})
    route, tenant = watched.find(1, 0), watched.find(2, 0)
    watched.streams.parent[tenant] = route
    assert forget_idle(watched) == frozenset()
    watched.ground.index.last_ns[2] = NOW - 8 * NS_PER_DAY
    assert forget_idle(watched) == {1, 2}


def test_a_segment_stays_as_long_as_it_speaks_for_its_twin() -> None:
    watched = watch({("route", "/a"): 30.0, ("tenant", "t"): 1.0})
    watched.ground.index.pair({2: 1})
    assert forget_idle(watched) == frozenset()
    watched.ground.index.pair({})
    assert forget_idle(watched) == {1}


def test_a_route_stays_as_long_as_a_version_is_at_home_on_it() -> None:
    watched = watch({("route", "/a"): 30.0, ("prompt.version", "v1"): 1.0})
    watched.ground.index.home[2] = 1
    assert forget_idle(watched) == frozenset()


def test_where_there_is_no_room_those_idle_longest_go_and_none_of_the_last_hour() -> None:
    ages = {("region", f"r{i:02d}"): i / 240 for i in range(40)}
    watched = watch(ages, max_streams=30)
    assert watched.crowded
    assert watched.streams.used == 30
    forget_idle(watched)
    assert not watched.crowded
    assert "r00" in values(watched)
    assert "r29" not in values(watched)
    fresh = watch({("region", f"r{i:02d}"): i / 24 / 60 for i in range(40)}, max_streams=30)
    assert forget_idle(fresh) == frozenset()
    assert fresh.streams.used == 30


def test_what_is_forgotten_is_not_remembered_as_evidence_either() -> None:
    watched = watch({("tenant", "old"): 8.0, ("tenant", "young"): 1.0})
    watched.ground.evidence.saw(0, [(NOW, (0, 1))])
    watched.ground.evidence.saw(0, [(NOW, (0, 2))])
    forget_idle(watched)
    assert watched.ground.evidence.recent(0) == [(0,), (0, 2)]


def test_the_value_dimension_has_room_again() -> None:
    watched = watch({("tenant", "a"): 9.0, ("tenant", "b"): 1.0}, max_streams=4000)
    assert watched.ground.index._values["shop", "tenant"] == 2
    forget_idle(watched)
    assert watched.ground.index._values["shop", "tenant"] == 1


SICK = replay(Script(seconds=6000, faults=[Fault(4000.0, "ungrounded_answer", 0.3)]))
RETIRING = Script(
    seconds=20 * DAY_S,
    rate=0.004,
    versions=((0.0, "v1"), (2 * DAY_S, "v2"), (11 * DAY_S, "v3")),
    faults=[Fault(18 * DAY_S, "ungrounded_answer", 0.4)],
)


def test_retired_versions_are_forgotten_and_detection_goes_on_as_before() -> None:
    traces = traffic(RETIRING)
    forgetting, keeping = Detection(METRICS), Detection(METRICS, DetectPolicy(idle_days=1000))
    one, other = feed(forgetting, traces), feed(keeping, traces)
    assert [str(s.segment) for s in failures(one) if not s.segment.dimension] == [
        str(s.segment) for s in failures(other) if not s.segment.dimension
    ]
    assert any(s.metric == "ungrounded_answer" for s in failures(one))
    index = forgetting._ground.index
    assert index.find(Segment("support", "prompt.version", "v1")) < 0
    assert index.find(Segment("support", "prompt.version", "v3")) >= 0
    assert len(forgetting.snapshot()) < len(keeping.snapshot())


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_restart_after_something_was_forgotten_goes_on_identically(share: float) -> None:
    traces = traffic(RETIRING)
    at = int(share * len(traces))
    first, second = Detection(METRICS), Detection(METRICS)
    feed(first, traces[:at])
    second.restore(first.snapshot())
    assert second.snapshot() == first.snapshot()
    assert feed(second, traces[at:]) == feed(first, traces[at:])
    assert second.snapshot() == first.snapshot()


def flooded(scored: ScoredTrace, region: str) -> ScoredTrace:
    calls = [msgspec.structs.replace(c, dimensions={**c.dimensions, "region": (region,)}) for c in scored.trace.calls]
    return msgspec.structs.replace(scored, trace=Trace(scored.trace.trace_id, tuple(calls)))


def test_a_flood_of_values_leaves_room_for_those_that_come_hours_later() -> None:
    flood = [flooded(t, f"r{i}") for i, t in enumerate(traffic(Script(seconds=3600.0, rate=0.6)))]
    later = traffic(Script(seconds=6 * 3600.0, rate=0.2, seed=2, start_s=3 * 3600.0, routes={"/new": 1.0}))
    detection = Detection(METRICS, DetectPolicy(max_streams=800))
    feed(detection, flood)
    index = detection._ground.index
    assert index.full
    feed(detection, later)
    assert index.find(Segment("support", "route", "/new")) >= 0
    assert index.find(Segment("support", "tenant", "acme")) >= 0
    assert len(index.segments) <= 40 + 10
    report = detection.budget_spent()
    assert report.app_streams + report.segment_streams <= 800


def parted(detection: Detection, days: float) -> None:
    """An application of which 1,000 calls came, and then, for so many days, only those of another one."""
    feed(detection, traffic(Script(seconds=2000.0, service="gone")))
    detection.tick(START_NS)
    feed(detection, traffic(Script(seconds=400.0, service="stays", start_s=days * DAY_S)))
    detection.tick(START_NS + int(days * NS_PER_DAY))


def streams_of(detection: Detection) -> int:
    report = detection.budget_spent()
    return report.app_streams + report.segment_streams


def test_an_application_of_which_nothing_came_for_a_month_gives_its_streams_up() -> None:
    kept, given_up = Detection(METRICS), Detection(METRICS)
    parted(kept, 29.0)
    parted(given_up, 31.0)
    assert streams_of(kept) > 100
    assert streams_of(given_up) == 0


def test_an_application_that_comes_back_is_learnt_anew_and_its_failures_are_found() -> None:
    detection = Detection(METRICS)
    parted(detection, 31.0)
    fault = Fault(4000.0, "ungrounded_answer", 0.4)
    back = Script(seconds=6000, start_s=32 * DAY_S, service="gone", seed=2, faults=[fault])
    found = failures(feed(detection, traffic(back)))
    assert {s.segment.service for s in found} == {"gone"}
    assert all(seconds(s.detected_ns) > 32 * DAY_S + fault.start_s for s in found)


def test_an_application_that_sends_late_is_there_however_old_its_calls_are() -> None:
    detection, now_ns = Detection(METRICS), START_NS + 90 * NS_PER_DAY
    for begin in (0.0, 2000.0):
        feed(detection, traffic(Script(seconds=2000.0, start_s=begin)))
        detection.tick(now_ns)
    assert streams_of(detection) > 100


def test_an_application_that_has_alarmed_keeps_its_streams() -> None:
    detection = Detection(METRICS)
    feed(detection, traffic(Script(seconds=6000, faults=[Fault(4000.0, "ungrounded_answer", 0.4)])))
    detection.tick(START_NS)
    before = streams_of(detection)
    detection.tick(START_NS + 40 * NS_PER_DAY)
    assert streams_of(detection) == before > 0


def test_a_restored_detection_gives_an_idle_application_up_as_the_first_one_does() -> None:
    first, second = Detection(METRICS), Detection(METRICS)
    feed(first, traffic(Script(seconds=2000.0, service="gone")))
    first.tick(START_NS)
    feed(first, traffic(Script(seconds=100.0, service="stays")))
    second.restore(first.snapshot())
    for detection in (first, second):
        detection.tick(START_NS + 31 * NS_PER_DAY)
        feed(detection, traffic(Script(seconds=3000.0, service="stays", start_s=31 * DAY_S)))
    assert first.snapshot() == second.snapshot()
    assert streams_of(second) > 0


def test_nothing_of_an_application_that_was_given_up_is_left() -> None:
    watched = watch({("tenant", "a"): 1.0})
    watched.ground.evidence.saw(0, [(NOW, (0, 1))])
    watched.changes[0], watched.strengths[0, 0, "tenant"] = [NOW], 30.0
    assert forget_applications(watched, [0]) == (frozenset({0}), frozenset({1}))
    assert watched.streams.used == 0
    assert watched.find(0, 0) == -1
    assert not watched.ground.evidence.recent(0)
    assert not watched.changes
    assert not watched.strengths
    assert watched.ground.index.find(Segment("shop")) == 0
