from collections.abc import Iterator, Sequence

import msgspec

from holdfast.core.call import Kind
from holdfast.core.clock import NS_PER_S
from holdfast.core.score import Failed
from holdfast.core.signal import Signal, SignalCleared, Verdict
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.detect.coverage import METRIC_PREFIX
from holdfast.detect.detection import Detection
from tests.detect.replay import Event, feed, seconds
from tests.detect.simulation import METRICS, START_NS, Script, traffic


def coverage(events: list[Event]) -> list[Event]:
    return [e for e in events if e.metric.startswith(METRIC_PREFIX)]


def test_a_scorer_that_dies_is_a_failure_within_minutes_and_clears_when_it_is_back() -> None:
    events = coverage(feed(Detection(METRICS), traffic(Script(seconds=9000, dead=(4000.0, 6000.0)))))
    raised, cleared = events
    assert isinstance(raised, Signal)
    assert isinstance(cleared, SignalCleared)
    assert raised.metric == "coverage.lexical"
    assert raised.verdict is Verdict.FAILURE
    assert 4000 <= seconds(raised.detected_ns) <= 4000 + 300
    assert abs(seconds(raised.onset_ns) - 4000) <= 60
    assert seconds(cleared.cleared_ns) > 6000


def test_a_scorer_that_fails_now_and_then_is_no_signal() -> None:
    traces = traffic(Script(seconds=8000))
    broken = traffic(Script(seconds=8000, dead=(0.0, 1e9)))
    mixed = [b if i % 25 == 0 else t for i, (t, b) in enumerate(zip(traces, broken, strict=False))]
    assert not coverage(feed(Detection(METRICS), mixed))


def test_a_scorer_that_silently_stops_is_a_failure_where_it_always_ran() -> None:
    traces = traffic(Script(seconds=8000))
    silent = [
        msgspec.structs.replace(t, scores=tuple(s for s in t.scores if s.scorer != "lexical")) if i > len(traces) // 2 else t
        for i, t in enumerate(traces)
    ]
    raised = coverage(feed(Detection(METRICS), silent))
    assert len(raised) == 1
    assert isinstance(raised[0], Signal)
    assert raised[0].verdict is Verdict.FAILURE
    assert raised[0].observed < 0.1 < 0.9 < raised[0].baseline


def test_a_healthy_application_has_no_coverage_signal() -> None:
    assert not coverage(feed(Detection(METRICS), traffic(Script(seconds=20_000, rate=0.2))))


def test_the_last_minute_is_judged_when_time_goes_on_without_traffic() -> None:
    detection = Detection(METRICS)
    assert not coverage(feed(detection, traffic(Script(seconds=4095, dead=(4000.0, 1e9)))))
    late = coverage(detection.tick(START_NS + 4165 * NS_PER_S))
    assert [e.metric for e in late] == ["coverage.lexical"]


def judged(traces: Sequence[ScoredTrace], share: float, fails_from: int = 10**9) -> Iterator[ScoredTrace]:
    """The same traces, so many of them followed by what a judge said of them later; from one on it only fails."""
    for number, scored in enumerate(traces):
        yield scored
        if number % round(1 / share):
            continue
        of = scored.trace.root
        span = f"f{number:015x}"
        call = msgspec.structs.replace(of, span_id=span, parent_span_id=of.span_id, kind=Kind.EVALUATION, start_ns=of.end_ns)
        told = tuple(msgspec.structs.replace(s, span_id=span, scorer="judge", metric="judged") for s in scored.scores[:1])
        failed = Failed(
            trace_id=of.trace_id, span_id=span, scorer="judge", version="1", error_type="TimeoutError", message="too late"
        )
        down = number >= fails_from
        yield ScoredTrace(Trace(of.trace_id, (call,)), () if down else told, (failed,) if down else ())


LATE = METRICS | {"judged": msgspec.structs.replace(METRICS["refusal"], name="judged")}


def test_what_a_judge_says_later_is_no_trace_on_which_the_others_did_not_run() -> None:
    traces = list(judged(traffic(Script(seconds=8000)), share=1.0))
    half = len(traces) // 2
    silent = traces[:half] + [
        msgspec.structs.replace(t, scores=tuple(s for s in t.scores if s.scorer != "lexical")) for t in traces[half:]
    ]
    (raised,) = (e for e in coverage(feed(Detection(LATE), silent)) if e.metric == "coverage.lexical")
    assert isinstance(raised, Signal)
    assert raised.baseline > 0.99
    assert raised.verdict is Verdict.FAILURE


def test_a_judge_of_a_sample_is_measured_by_the_share_of_requests_that_it_judges() -> None:
    traces = list(judged(traffic(Script(seconds=12_000)), share=0.25))
    half = len(traces) // 2
    silent = traces[:half] + [t for t in traces[half:] if not t.trace.addendum]
    (raised,) = coverage(feed(Detection(LATE), silent))
    assert isinstance(raised, Signal)
    assert raised.metric == "coverage.judge"
    assert 0.2 < raised.baseline < 0.3


def test_a_judge_that_fails_on_its_sample_is_a_failure() -> None:
    traces = traffic(Script(seconds=12_000))
    found = coverage(feed(Detection(LATE), list(judged(traces, 0.25, fails_from=len(traces) // 2))))
    assert [e.metric for e in found] == ["coverage.judge"]
    assert isinstance(found[0], Signal)
    assert found[0].verdict is Verdict.FAILURE
