"""Static thresholds: one number a metric, set on the quiet periods that they are judged on."""

import pytest

from holdfast.core.call import Call, Kind
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.drills.static_thresholds import FEWEST, WINDOW_NS, WindowMean, WindowMeans, exceeds, peaks, thresholds
from holdfast.score.registry import METRICS


def scored(window: int, number: int, value: float, metric: str = "refusal") -> ScoredTrace:
    end = window * WINDOW_NS + number
    call = Call(trace_id=f"t{window}.{number}", span_id="s", kind=Kind.LLM, start_ns=end - 1, end_ns=end)
    said = Score(trace_id=call.trace_id, span_id="s", metric=metric, value=value, scorer="x", version="1")
    return ScoredTrace(Trace(call.trace_id, (call,)), (said,), ())


def gathered(*traces: ScoredTrace) -> list[WindowMean]:
    windows = WindowMeans(METRICS)
    windows.add(traces)
    return windows.means()


def test_the_mean_of_a_window_is_told_at_its_end_and_windows_come_in_order() -> None:
    late = [scored(3, i, 0.25) for i in range(FEWEST)]
    early = [scored(1, i, float(i % 2)) for i in range(FEWEST)]
    assert gathered(*late, *early) == [
        WindowMean(2 * WINDOW_NS, "refusal", 0.5),
        WindowMean(4 * WINDOW_NS, "refusal", 0.25),
    ]


def test_a_window_with_few_scores_is_not_judged() -> None:
    assert gathered(*[scored(1, i, 1.0) for i in range(FEWEST - 1)]) == []


@pytest.mark.parametrize("metric", ["latency", "model_error", "nobody_knows_it"])
def test_amounts_information_and_unknown_metrics_have_no_threshold(metric: str) -> None:
    assert gathered(*[scored(1, i, 0.9, metric) for i in range(FEWEST)]) == []


def test_the_highest_mean_of_each_metric_is_its_peak() -> None:
    assert peaks([WindowMean(1, "a", 0.2), WindowMean(2, "a", 0.1), WindowMean(3, "b", 0.3)]) == {"a": 0.2, "b": 0.3}
    assert peaks([]) == {}


def test_without_a_budget_no_quiet_period_goes_over_what_the_others_set() -> None:
    limits = thresholds([{"a": 0.10}, {"a": 0.20, "b": 0.0}], 0)
    assert limits == {"a": pytest.approx(0.4), "b": 0.0}


def test_a_budget_lowers_the_thresholds_until_it_is_spent() -> None:
    quiet = [{"a": 0.05}, {"a": 0.10}, {"a": 0.20}]
    assert thresholds(quiet, 1)["a"] == pytest.approx(0.10)
    assert thresholds(quiet, 0)["a"] == pytest.approx(0.40)


def test_what_was_never_seen_in_quiet_times_never_alarms() -> None:
    assert not exceeds({"new": 1.0}, {"a": 0.1})
    assert exceeds({"new": 1.0, "a": 0.11}, {"a": 0.1})
