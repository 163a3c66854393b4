import random

import msgspec
import pytest

from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import InputError
from holdfast.core.signal import Signal
from holdfast.core.trace import Trace
from holdfast.detect.detection import MAX_CHANGES, YOUNG_CHUNKS, Detection
from holdfast.detect.hard import Hard
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.protocol import SignalEvent
from tests.detect.replay import Event, failures, feed, seconds
from tests.detect.simulation import METRICS, START_NS, Fault, Script, traffic

FAULT_S = 4000.0
SCRIPT = Script(
    seconds=6000,
    faults=[Fault(FAULT_S, "ungrounded_answer", 0.3, {"route": "/search"}), Fault(4500.0, "latency", 4000.0)],
)
TRACES = traffic(SCRIPT)
WHOLE = feed(Detection(METRICS), TRACES)


def brief(events: list[Event]) -> set[tuple[str, str, int]]:
    return {(e.id, e.verdict, e.detected_ns) if isinstance(e, Signal) else (e.signal_id, "", e.cleared_ns) for e in events}


def test_cutting_the_same_traces_into_other_batches_changes_nothing() -> None:
    for batch in (37, 1000):
        assert brief(feed(Detection(METRICS), TRACES, batch)) == brief(WHOLE)


def test_baselines_are_updated_half_as_often_once_much_is_known() -> None:
    detection, at = Detection(METRICS, DetectPolicy(chunk_traces=10)), list[int]()

    class Noting(Hard):
        def settle(self) -> list[SignalEvent]:
            at.append(detection._traces)
            return super().settle()

    detection._detectors["hard"] = Noting(detection._ground)
    feed(detection, TRACES[:205], 37)
    assert at == [*range(10, 10 * YOUNG_CHUNKS + 1, 10), 180, 200]


def test_while_baselines_are_updated_less_often_cutting_and_restarts_change_nothing() -> None:
    policy = DetectPolicy(chunk_traces=16)
    whole, parts = Detection(METRICS, policy), Detection(METRICS, policy)
    signals = feed(whole, TRACES, 1000)
    told = feed(parts, TRACES[:1301], 7)
    again = Detection(METRICS, policy)
    again.restore(parts.snapshot())
    assert brief([*told, *feed(again, TRACES[1301:], 53)]) == brief(signals)


@pytest.mark.parametrize("at", [1, 900, 2050])
def test_a_restart_from_a_snapshot_gives_what_an_uninterrupted_run_gives(at: int) -> None:
    first, second = Detection(METRICS), Detection(METRICS)
    feed(first, TRACES[:at])
    second.restore(first.snapshot())
    assert second.snapshot() == first.snapshot()
    assert feed(second, TRACES[at:]) == feed(first, TRACES[at:])
    assert second.budget_spent() == first.budget_spent()


def test_traces_fed_again_after_a_crash_raise_nothing_again() -> None:
    detection = Detection(METRICS)
    feed(detection, TRACES)
    assert not feed(detection, TRACES)
    assert detection.skipped["duplicate"] > 0


def test_traces_shuffled_within_half_a_minute_raise_the_same_faults() -> None:
    rng = random.Random(5)
    late = sorted(TRACES, key=lambda t: t.trace.end_ns + rng.uniform(0, 30e9))
    found = failures(feed(Detection(METRICS), late))
    whole = {(s.metric, s.segment) for s in failures(WHOLE)}
    assert len({(s.metric, s.segment) for s in found} ^ whole) <= len(whole) // 3
    first = next(s for s in found if s.metric == "ungrounded_answer")
    assert abs(seconds(first.onset_ns) - FAULT_S) < 300


def test_every_second_trace_twice_changes_nothing() -> None:
    doubled = [t for i, trace in enumerate(TRACES) for t in ([trace, trace] if i % 2 else [trace])]
    found = failures(feed(Detection(METRICS), doubled))
    assert {(s.metric, str(s.segment)) for s in found if not s.segment.dimension} == {
        (s.metric, str(s.segment)) for s in failures(WHOLE) if not s.segment.dimension
    }


def test_one_trace_from_the_future_does_not_stop_detection() -> None:
    call = msgspec.structs.replace(TRACES[10].trace.calls[0], end_ns=START_NS + 10**18, trace_id="f" * 32)
    odd = msgspec.structs.replace(TRACES[10], trace=Trace("f" * 32, (call,)))
    found = failures(feed(Detection(METRICS), [*TRACES[:1000], odd, *TRACES[1000:]]))
    assert any(s.metric == "ungrounded_answer" for s in found)


def test_two_applications_do_not_disturb_each_other() -> None:
    other = traffic(Script(seconds=6000, service="billing", seed=8))
    both = sorted([*TRACES, *other], key=lambda t: t.trace.end_ns)
    assert {s.segment.service for s in failures(feed(Detection(METRICS), both))} == {"support"}


def test_a_change_makes_detection_faster_and_a_harmless_one_raises_nothing() -> None:
    quiet, told = Detection(METRICS), Detection(METRICS)
    traces = traffic(Script(seconds=FAULT_S + 3000, seed=5, faults=[Fault(FAULT_S, "ungrounded_answer", 0.15)]))
    at = next(i for i, t in enumerate(traces) if t.trace.end_ns >= START_NS + FAULT_S * NS_PER_S)
    change = Change(id="c1", time_ns=traces[at].trace.end_ns, kind=ChangeKind.PROMPT, service="support")
    assert not failures(feed(told, traces[:at]) + feed(quiet, traces[:at]))
    told.changed(change)
    with_it, without = failures(feed(told, traces[at:], 20)), failures(feed(quiet, traces[at:], 20))
    assert with_it[0].detected_ns < without[0].detected_ns
    healthy = Detection(METRICS)
    calm = traffic(Script(seconds=6000, seed=21))
    for i in range(0, len(calm), 300):
        assert not failures(healthy.observe(calm[i : i + 300]))
        healthy.changed(msgspec.structs.replace(change, id=f"c{i}", time_ns=calm[i].trace.end_ns))


def test_a_change_that_is_told_again_is_no_second_one_also_after_a_restart() -> None:
    change = Change(id="c1", source="ci", time_ns=TRACES[999].trace.end_ns, kind=ChangeKind.PROMPT, service="support")
    once, again = Detection(METRICS), Detection(METRICS)
    for detection in (once, again):
        feed(detection, TRACES[:1000])
        detection.changed(change)
    spent = once.budget_spent().spent.changes
    assert spent > 0
    again.changed(change)
    restored = Detection(METRICS)
    restored.restore(again.snapshot())
    restored.changed(change)
    assert restored.budget_spent().spent.changes == spent


def test_a_change_that_is_long_past_wakes_nobody() -> None:
    detection = Detection(METRICS)
    feed(detection, TRACES[:1000])
    old = TRACES[999].trace.end_ns - int(3601e9)
    detection.changed(Change(id="c1", time_ns=old, kind=ChangeKind.PROMPT))
    assert detection.budget_spent().spent.changes == 0


def test_changes_without_end_are_not_remembered_without_end() -> None:
    detection = Detection(METRICS)
    before = len(detection.snapshot())
    for number in range(3 * MAX_CHANGES):
        detection.changed(Change(id=f"c{number:06d}", time_ns=number, kind=ChangeKind.FLAG))
    assert len(detection.snapshot()) - before < 20 * MAX_CHANGES


def test_no_traces_are_no_signals() -> None:
    assert Detection(METRICS).observe([]) == []
    assert Detection(METRICS).tick(START_NS) == []


def test_the_number_of_streams_is_bounded_whatever_comes() -> None:
    detection = Detection(METRICS, DetectPolicy(max_streams=60))
    feed(detection, TRACES[:400])
    report = detection.budget_spent()
    assert report.app_streams + report.segment_streams <= 60


def test_what_was_spent_of_the_budget_is_told() -> None:
    detection = Detection(METRICS)
    feed(detection, TRACES)
    report = detection.budget_spent()
    assert report.per_day == 0.2
    assert report.spent.total >= report.spent.first_day > 0
    assert report.alarms == len({e.id for e in WHOLE if isinstance(e, Signal) and e.detector.startswith("sr_")})


@pytest.mark.parametrize("state", [b"", b"\x00", b"junk" * 10])
def test_what_is_no_snapshot_is_refused(state: bytes) -> None:
    with pytest.raises(InputError, match="snapshot"):
        Detection(METRICS).restore(state)


def test_a_snapshot_under_other_metrics_is_refused() -> None:
    first = Detection(METRICS)
    feed(first, TRACES[:10])
    fewer = {name: m for name, m in METRICS.items() if name != "ungrounded_answer"}
    with pytest.raises(InputError, match="ungrounded_answer"):
        Detection(fewer).restore(first.snapshot())
