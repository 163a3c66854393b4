import msgspec

from holdfast.core.call import Kind
from holdfast.core.clock import NS_PER_S
from holdfast.core.signal import Signal, SignalCleared, Verdict
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.detect.detection import Detection
from holdfast.detect.traffic import HEARTBEAT, TRAFFIC
from tests.detect.replay import feed
from tests.detect.simulation import METRICS, START_NS, Script, traffic

DAY = 86_400


def after(seconds: float, script: Script) -> tuple[Detection, list[Signal | SignalCleared]]:
    detection = Detection(METRICS)
    feed(detection, traffic(script))
    return detection, [e for e in detection.tick(START_NS + int(seconds * NS_PER_S)) if e.metric == HEARTBEAT]


def test_an_application_that_fell_silent_after_hours_is_an_anomaly() -> None:
    _, found = after(4 * 3600 + 1800, Script(seconds=4 * 3600, rate=0.2, metrics={"refusal": 0.02}))
    assert [e.verdict for e in found if isinstance(e, Signal)] == [Verdict.ANOMALY]


def test_an_application_that_fell_silent_after_days_is_a_failure() -> None:
    _, found = after(3 * DAY + 3600, Script(seconds=3 * DAY, rate=0.02, metrics={"refusal": 0.02}))
    assert [e.verdict for e in found if isinstance(e, Signal)] == [Verdict.FAILURE]


def test_a_short_pause_is_silence_of_no_meaning() -> None:
    assert not after(4 * 3600 + 300, Script(seconds=4 * 3600, rate=0.2, metrics={"refusal": 0.02}))[1]


def test_an_application_that_is_hardly_used_is_never_silent() -> None:
    assert not after(6 * 3600 + 3600, Script(seconds=6 * 3600, rate=0.002, metrics={"refusal": 0.02}))[1]


def test_silence_is_told_once_and_ends_with_the_next_trace() -> None:
    script = Script(seconds=4 * 3600, rate=0.2, metrics={"refusal": 0.02})
    detection, found = after(4 * 3600 + 1800, script)
    assert not detection.tick(START_NS + 20_000 * NS_PER_S)
    later = traffic(Script(seconds=8 * 3600, rate=0.2, seed=9, metrics={"refusal": 0.02}))[-1:]
    ended = [e for e in detection.observe(later) if isinstance(e, SignalCleared)]
    assert [e.signal_id for e in ended] == [e.id for e in found if isinstance(e, Signal)]


def test_a_surge_is_an_anomaly_and_ends() -> None:
    script = Script(seconds=8 * 3600, rate=0.1, surge=(4 * 3600.0, 5 * 3600.0, 8.0), metrics={"refusal": 0.02})
    found = [e for e in feed(Detection(METRICS), traffic(script)) if e.metric == TRAFFIC]
    assert isinstance(found[0], Signal)
    assert found[0].verdict is Verdict.ANOMALY
    assert isinstance(found[1], SignalCleared)


def test_steady_traffic_is_no_signal() -> None:
    found = feed(Detection(METRICS), traffic(Script(seconds=DAY, rate=0.1, metrics={"refusal": 0.02})))
    assert not [e for e in found if e.metric in (TRAFFIC, HEARTBEAT)]


def addendum(scored: ScoredTrace, by: int = 0) -> ScoredTrace:
    """What somebody said later of the call of this trace."""
    of = scored.trace.root
    span = f"{by}{of.span_id[1:]}"
    call = msgspec.structs.replace(of, span_id=span, parent_span_id=of.span_id, kind=Kind.EVALUATION, start_ns=of.end_ns)
    told = tuple(msgspec.structs.replace(s, span_id=span, scorer="judge") for s in scored.scores)
    return ScoredTrace(Trace(of.trace_id, (call,)), told)


def test_a_judge_that_begins_to_work_is_no_surge() -> None:
    traces = traffic(Script(seconds=8 * 3600, rate=0.2, metrics={"refusal": 0.02}))
    half = len(traces) // 2
    later = [each for t in traces[half:] for each in (t, *(addendum(t, by) for by in range(1, 9)))]
    assert not [e for e in feed(Detection(METRICS), traces[:half] + later) if e.metric == TRAFFIC]


def test_what_is_said_of_old_calls_does_not_end_the_silence() -> None:
    script = Script(seconds=4 * 3600, rate=0.2, metrics={"refusal": 0.02})
    detection, found = after(4 * 3600 + 1800, script)
    assert found
    assert not [e for e in detection.observe([addendum(traffic(script)[-1], by=1)]) if isinstance(e, SignalCleared)]
