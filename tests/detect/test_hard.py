from holdfast.core.signal import Signal, SignalCleared, Verdict
from tests.detect.replay import replay, seconds
from tests.detect.simulation import Fault, Script


def canary(start_s: float, end_s: float, seconds: float = 12_000.0) -> list[Signal | SignalCleared]:
    return [
        e for e in replay(Script(seconds=seconds, faults=[Fault(start_s, "canary", 1.0, end_s=end_s)])) if e.metric == "canary"
    ]


def test_one_event_is_a_failure_at_once_even_without_a_baseline() -> None:
    raised = canary(10.0, 14.0)[0]
    assert isinstance(raised, Signal)
    assert raised.verdict is Verdict.FAILURE
    assert raised.calls == 1
    assert seconds(raised.detected_ns) < 15
    assert raised.exemplars


def test_many_events_are_one_signal() -> None:
    assert len([e for e in canary(100.0, 2000.0, 3000.0) if isinstance(e, Signal)]) == 1


def test_an_hour_of_traffic_without_another_event_clears_it() -> None:
    raised, cleared = canary(100.0, 200.0)
    assert isinstance(raised, Signal)
    assert isinstance(cleared, SignalCleared)
    assert cleared.signal_id == raised.id
    assert 3600 <= seconds(cleared.cleared_ns) - 200 <= 3700


def test_no_event_is_no_signal() -> None:
    assert not canary(1e9, 2e9, 3000.0)
