import msgspec
import pytest

from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import ConfigurationError, InputError
from holdfast.core.signal import Segment, Signal, SignalCleared, Verdict
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.detect.burn_rate import DETECTOR
from holdfast.detect.detection import Detection
from holdfast.detect.objective import MINUTE_NS, Objective
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.standard import StandardPolicy
from tests.detect.replay import Event, feed, replay, seconds
from tests.detect.simulation import METRICS, START_NS, Fault, Script, traffic

HOUR = 3600.0
ERRORS = Objective(name="answers", metric="error", share=0.98)
SLOW = Objective(name="fast", metric="latency", share=0.9, bad_from=8_000.0)


def policy(*objectives: Objective, **changes: object) -> DetectPolicy:
    return DetectPolicy(objectives=objectives, **changes)  # type: ignore[arg-type]


def burns(events: list[Event]) -> list[Event]:
    others = {e.id for e in events if isinstance(e, Signal) and e.detector != DETECTOR}
    return [e for e in events if (e.id if isinstance(e, Signal) else e.signal_id) not in others]


def fault(to: float = 0.6, start_h: float = 2.0, end_h: float = 3.0, **changes: object) -> Script:
    given: dict[str, object] = {"seconds": 6 * HOUR, "rate": 0.05, "metrics": {"error": 0.005, "latency": 800.0}}
    return Script(faults=[Fault(start_h * HOUR, "error", to, end_s=end_h * HOUR)], **{**given, **changes})  # type: ignore[arg-type]


def test_without_an_objective_nothing_burns() -> None:
    assert not burns(replay(fault()))


def test_a_budget_that_burns_fast_is_a_failure_within_minutes_and_ends_with_the_fault() -> None:
    raised, cleared = burns(replay(fault(), policy(ERRORS)))
    assert isinstance(raised, Signal)
    assert isinstance(cleared, SignalCleared)
    assert raised.verdict is Verdict.FAILURE
    assert (raised.metric, raised.segment) == ("error", Segment("support"))
    assert abs(seconds(raised.onset_ns) - 2 * HOUR) <= 120
    assert 2 * HOUR < seconds(raised.detected_ns) < 2 * HOUR + 2400
    assert 3 * HOUR < seconds(cleared.cleared_ns) < 3 * HOUR + 1800


def test_a_signal_says_which_promise_how_fast_and_what_is_left() -> None:
    raised = burns(replay(fault(), policy(ERRORS)))[0]
    assert isinstance(raised, Signal)
    assert "objective answers (error in at most 0.02 of calls in 30 d)" in raised.reason
    assert "burns ×14.4 over 1 h and 5 min" in raised.reason
    assert "of the budget is left" in raised.reason
    assert 0.3 < raised.bad / raised.calls < 0.8
    assert raised.baseline < 0.02 < raised.observed
    assert raised.exemplars


def test_a_promise_that_is_just_kept_does_not_alarm_in_days() -> None:
    script = Script(seconds=4 * 24 * HOUR, rate=0.012, metrics={"error": 0.02}, noise=0.2)
    assert not burns(replay(script, policy(ERRORS)))


def test_a_few_bad_calls_among_few_are_luck() -> None:
    traces = traffic(fault(0.5, rate=0.003, end_h=2.3))
    assert not burns(feed(Detection(METRICS, policy(ERRORS)), traces))


def test_a_slow_burn_is_an_anomaly_that_opens_no_incident() -> None:
    script = Script(seconds=3.5 * 24 * HOUR, rate=0.01, metrics={"error": 0.06})
    raised = burns(replay(script, policy(ERRORS)))[0]
    assert isinstance(raised, Signal)
    assert raised.verdict is Verdict.ANOMALY
    assert "×1 over 3 d and 6 h" in raised.reason


def test_whoever_wants_slow_burns_as_incidents_says_so_in_the_standard() -> None:
    script = Script(seconds=3.5 * 24 * HOUR, rate=0.01, metrics={"error": 0.06})
    strict = policy(ERRORS, standard=StandardPolicy(burn_failure=1.0))
    raised = burns(replay(script, strict))[0]
    assert isinstance(raised, Signal)
    assert raised.verdict is Verdict.FAILURE


def test_a_slow_burn_that_becomes_a_fast_one_keeps_its_id_and_gets_worse() -> None:
    script = Script(
        seconds=3.3 * 24 * HOUR, rate=0.01, metrics={"error": 0.06}, faults=[Fault(3 * 24 * HOUR, "error", 0.7, end_s=1e9)]
    )
    first, second = (e for e in burns(replay(script, policy(ERRORS))) if isinstance(e, Signal))
    assert first.id == second.id
    assert (first.verdict, second.verdict) == (Verdict.ANOMALY, Verdict.FAILURE)


def test_a_limit_makes_an_objective_of_an_amount_and_values_stay_in_its_unit() -> None:
    script = Script(
        seconds=5 * HOUR,
        rate=0.1,
        metrics={"latency": 800.0},
        faults=[Fault(3 * HOUR, "latency", 20_000.0, end_s=1e9)],
    )
    raised = burns(replay(script, policy(msgspec.structs.replace(SLOW, share=0.97))))[0]
    assert isinstance(raised, Signal)
    assert 500 < raised.baseline < 2000 < 8000 < raised.observed


def test_an_objective_of_one_application_does_not_count_another() -> None:
    elsewhere = msgspec.structs.replace(ERRORS, service="billing")
    assert not burns(replay(fault(), policy(elsewhere)))


def test_an_objective_of_one_route_counts_only_its_calls() -> None:
    chat, other = ({"route": route} for route in ("/chat", "/none"))
    found = burns(replay(fault(), policy(msgspec.structs.replace(ERRORS, where=chat))))
    assert isinstance(found[0], Signal)
    assert found[0].segment == Segment("support", "route", "/chat")
    assert not burns(replay(fault(), policy(msgspec.structs.replace(ERRORS, where=other))))


def test_silence_is_no_recovery() -> None:
    detection = Detection(METRICS, policy(ERRORS))
    raised = burns(feed(detection, traffic(fault(seconds=2.8 * HOUR))))
    assert [type(e) for e in raised] == [Signal]
    assert not [e for e in detection.tick(START_NS + int(9 * HOUR * NS_PER_S)) if isinstance(e, SignalCleared)]


def test_time_that_goes_on_judges_the_last_minute_once() -> None:
    detection = Detection(METRICS, policy(ERRORS))
    traces = traffic(fault())
    (raised, *_) = burns(feed(Detection(METRICS, policy(ERRORS)), traces))
    assert isinstance(raised, Signal)
    assert not burns(feed(detection, [t for t in traces if t.trace.end_ns < raised.detected_ns]))
    later = START_NS + int(6 * HOUR * NS_PER_S)
    assert len([e for e in detection.tick(later) if isinstance(e, Signal) and e.detector == DETECTOR]) == 1
    assert not [e for e in detection.tick(later) if isinstance(e, Signal) and e.detector == DETECTOR]


def test_an_alarm_does_not_end_while_its_last_calls_are_bad() -> None:
    (like, *_) = traffic(Script(seconds=60, rate=0.5, metrics={"error": 0.005}))
    begin_min = START_NS // (60 * NS_PER_S)

    def call(at_s: float, bad: bool) -> ScoredTrace:
        end_ns, trace_id = (begin_min * 60 * NS_PER_S) + int(at_s * NS_PER_S), f"{int(at_s):032x}"
        root = msgspec.structs.replace(like.trace.root, trace_id=trace_id, start_ns=end_ns - 1, end_ns=end_ns)
        told = (msgspec.structs.replace(s, trace_id=trace_id, value=float(bad)) for s in like.scores if s.metric == "error")
        return ScoredTrace(Trace(trace_id, (root,)), tuple(told))

    long_bad = [call(s, bad=True) for s in range(600, 1200, 10)]
    then_good = [call(s, bad=False) for s in range(1210, 3900, 65)]
    bad_again = [call(s, bad=True) for s in range(3960, 4000, 15)]
    detection = Detection(METRICS, policy(ERRORS))
    found = burns(feed(detection, [call(1, bad=False), *long_bad, *then_good, *bad_again]))
    for seconds_ in range(4300, 4320):
        found += [e for e in detection.tick((begin_min * 60 + seconds_) * NS_PER_S) if e.metric == "error"]
    assert [type(e) for e in found] == [Signal]


@pytest.mark.parametrize("batch", [7, 5000])
def test_how_calls_are_cut_into_batches_changes_nothing(batch: int) -> None:
    script = fault(seconds=3.5 * HOUR)
    assert burns(replay(script, policy(ERRORS, SLOW), batch)) == burns(replay(script, policy(ERRORS, SLOW), 200))


def test_a_restart_neither_forgets_the_budget_nor_raises_an_old_alarm() -> None:
    traces, settings = traffic(fault()), policy(ERRORS, SLOW)
    half = len(traces) * 6 // 12
    whole, first, second = Detection(METRICS, settings), Detection(METRICS, settings), Detection(METRICS, settings)
    before = feed(first, traces[:half])
    second.restore(first.snapshot())
    assert burns(before)
    assert burns(before + feed(second, traces[half:])) == burns(feed(whole, traces))
    assert second.objectives() == whole.objectives()


def test_an_objective_that_is_gone_is_forgotten_and_a_new_one_begins() -> None:
    first, second = Detection(METRICS, policy(ERRORS)), Detection(METRICS, policy(SLOW))
    feed(first, traffic(fault(seconds=HOUR)))
    second.restore(first.snapshot())
    assert second.objectives() == []
    feed(second, traffic(fault(seconds=HOUR, start_s=HOUR, seed=2)))
    assert [r.objective for r in second.objectives()] == ["fast"]


def test_the_report_says_what_is_left_of_every_budget() -> None:
    detection = Detection(METRICS, policy(ERRORS, SLOW))
    feed(detection, traffic(fault(seconds=3 * HOUR)))
    errors, slow = detection.objectives()
    assert (errors.objective, slow.objective) == ("answers", "fast")
    assert errors.segment == Segment("support")
    assert errors.burn > 10
    assert slow.burn < 1
    assert errors.budget.left < slow.budget.left <= 1
    assert str(errors.windows[0].pair) == "×14.4 over 1 h and 5 min"
    assert errors.windows[0].long == errors.burn
    assert errors.windows[0].short > 10
    assert errors.windows[2].long < errors.burn
    assert (errors.alarm, slow.alarm) == (Verdict.FAILURE, None)
    assert errors.last_ns // MINUTE_NS * MINUTE_NS == errors.last_ns > START_NS + 2 * HOUR * NS_PER_S


def test_a_clock_that_was_ahead_does_not_stop_the_count() -> None:
    detection = Detection(METRICS, policy(ERRORS))
    ahead = traffic(Script(seconds=60, rate=0.5, start_s=300 * 24 * HOUR, seed=9))
    found = burns(feed(detection, ahead + traffic(fault())))
    assert [e.verdict for e in found if isinstance(e, Signal)] == [Verdict.FAILURE]


def test_an_objective_about_an_unknown_metric_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"objectives\.answers\.metric"):
        Detection(METRICS, policy(msgspec.structs.replace(ERRORS, metric="nothing")))


def test_two_objectives_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="different names"):
        policy(ERRORS, ERRORS)


def test_a_snapshot_of_another_format_is_refused() -> None:
    with pytest.raises(InputError, match="snapshot"):
        Detection(METRICS, policy(ERRORS)).restore(b"\x80")
