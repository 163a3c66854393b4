import pytest

from holdfast.core.call import Kind
from holdfast.core.clock import NS_PER_S
from holdfast.core.signal import Segment
from holdfast.telemetry.store import TelemetryStore
from tests.telemetry.examples import T0, call, failed, score, scored, simple

END = T0 + 3_600 * NS_PER_S


def test_observations_are_columns_oldest_first(store: TelemetryStore) -> None:
    store.append([simple(n, value=float(n)) for n in (5, 1, 3)])
    found = store.observations("support", ["latency"], T0, END)["latency"]
    assert found.time_ns.tolist() == [T0 + n * NS_PER_S for n in (1, 3, 5)]
    assert found.value.tolist() == [1.0, 3.0, 5.0]
    assert found.trace_id == [f"{n:032x}" for n in (1, 3, 5)]
    assert found.dimensions[0] == {"service.name": ("support",), "route": ("/chat",), "tool": ("search", "refund")}
    assert (str(found.time_ns.dtype), str(found.value.dtype), found.metric) == ("int64", "float64", "latency")


def test_a_metric_without_scores_has_no_rows_but_is_there(store: TelemetryStore) -> None:
    store.append([simple(1)])
    found = store.observations("support", ["latency", "cost", "latency"], T0, END)
    assert {name: len(o) for name, o in found.items()} == {"latency": 1, "cost": 0}
    assert (str(found["cost"].value.dtype), found["cost"].dimensions) == ("float64", [])


def test_asking_for_no_metric_gets_none(store: TelemetryStore) -> None:
    assert store.observations("support", [], T0, END) == {}


@pytest.mark.parametrize(("start", "end", "rows"), [(2, 4, 2), (2, 2, 0), (4, 2, 0), (-9, 99, 6), (6, 99, 0)])
def test_the_window_begins_with_its_start_and_ends_before_its_end(store: TelemetryStore, start: int, end: int, rows: int) -> None:
    store.append([simple(n) for n in range(6)])
    assert len(store.observations("support", ["latency"], T0 + start * NS_PER_S, T0 + end * NS_PER_S)["latency"]) == rows


def test_other_applications_are_left_out(store: TelemetryStore) -> None:
    store.append([simple(1), simple(2, dimensions={"service.name": ("search",)})])
    assert store.observations("search", ["latency"], T0, END)["latency"].trace_id == [f"{2:032x}"]


def test_each_metric_keeps_the_scores_of_its_own_calls(store: TelemetryStore) -> None:
    model, tool = call(1, 1), call(1, 2, kind=Kind.TOOL, dimensions={"service.name": ("support",), "tool": ("refund",)})
    whole = scored(model, tool, scores=(score(tool, "tool_error", 1), score(model, "cost", 0.2), score(model, "latency", 9)))
    store.append([whole, simple(2, value=7)])
    found = store.observations("support", ["latency", "tool_error", "cost"], T0, END)
    assert found["tool_error"].span_id == [tool.span_id]
    assert found["tool_error"].dimensions == [{"service.name": ("support",), "tool": ("refund",)}]
    assert (found["latency"].value.tolist(), found["cost"].value.tolist()) == ([9, 7], [0.2])


def test_two_scores_of_one_metric_on_one_call_are_two_observations(store: TelemetryStore) -> None:
    one = call()
    store.append([scored(one, scores=(score(one, "m", 1), score(one, "m", 2, scorer="other")))])
    assert store.observations("support", ["m"], T0, END)["m"].value.tolist() == [1, 2]


def test_a_score_of_an_unknown_span_is_kept_on_the_root(store: TelemetryStore) -> None:
    one = call()
    store.append([scored(one, scores=(score(call(span=9), "m", 1),), failures=(failed(call(span=9)),))])
    assert store.observations("support", ["m"], T0, END)["m"].span_id == [one.span_id]
    assert store.coverage(T0, END)["toxicity"]["failed"] == 1


def test_a_series_has_one_entry_for_each_step_with_scores(store: TelemetryStore) -> None:
    store.append([simple(n, value=float(n)) for n in (0, 1, 2, 10, 11, 40)])
    series = store.metric_series(Segment("support"), "latency", T0, END, 10 * NS_PER_S)
    assert [(t - T0) // NS_PER_S for t in series.time_ns.tolist()] == [0, 10, 40]
    assert series.count.tolist() == [3, 2, 1]
    assert series.mean.tolist() == [1.0, 10.5, 40.0]
    assert (series.median.tolist()[0], series.high.tolist()[0]) == (1.0, 2.0)


def test_a_series_of_a_segment_counts_only_its_calls(store: TelemetryStore) -> None:
    store.append([simple(1), simple(2, dimensions={"service.name": ("support",), "tool": ("refund",)})])
    segment = Segment("support", "tool", "search")
    assert store.metric_series(segment, "latency", T0, END, NS_PER_S).count.tolist() == [1]
    assert len(store.metric_series(Segment("support", "tenant", ""), "latency", T0, END, NS_PER_S)) == 0
    assert len(store.metric_series(Segment("support"), "cost", T0, END, NS_PER_S)) == 0


@pytest.mark.parametrize("step", [0, -1])
def test_a_series_needs_steps_that_go_on(store: TelemetryStore, step: int) -> None:
    with pytest.raises(ValueError, match="step_ns must be positive"):
        store.metric_series(Segment("support"), "latency", T0, END, step)


def test_traces_that_a_metrics_scorer_failed_on_are_told_by_the_metric(store: TelemetryStore) -> None:
    one = call(1)
    store.append([scored(one, scores=(score(one, "judged", 0.2, scorer="judge"),))])
    store.append([scored(call(n), failures=(failed(call(n), "judge"),)) for n in (2, 3)])
    store.append([scored(call(4), failures=(failed(call(4), "refusal"),)), simple(5)])
    assert store.unscored("support", "judged", T0, END) == {f"{n:032x}" for n in (2, 3)}
    assert store.unscored("support", "judged", T0, T0) == frozenset()
    assert store.unscored("other", "judged", T0, END) == frozenset()
    assert store.unscored("support", "never_given", T0, END) == frozenset()


def test_coverage_says_for_each_scorer_what_became_of_every_trace(store: TelemetryStore) -> None:
    calls = [call(n) for n in range(10)]
    batch = [
        scored(
            c,
            scores=tuple(score(c, m) for m in ("latency", "leak") if m == "latency" or n < 4),
            failures=(failed(c, "toxicity"),) if n < 9 else (),
        )
        for n, c in enumerate(calls)
    ]
    store.append(batch)
    assert store.coverage(T0, END) == {
        "latency": {"ran": 10, "failed": 0, "skipped": 0},
        "leak": {"ran": 4, "failed": 0, "skipped": 6},
        "toxicity": {"ran": 0, "failed": 9, "skipped": 1},
    }


def test_a_trace_in_which_a_scorer_failed_once_is_no_pass(store: TelemetryStore) -> None:
    one, two = call(1, 1), call(1, 2)
    store.append([scored(one, two, scores=(score(one, "leak"),), failures=(failed(two, "leak"),))])
    assert store.coverage(T0, END) == {"leak": {"ran": 0, "failed": 1, "skipped": 0}}


def test_coverage_is_of_the_period_asked_for(store: TelemetryStore) -> None:
    store.append([simple(1), simple(50)])
    assert store.coverage(T0, T0 + 10 * NS_PER_S) == {"latency": {"ran": 1, "failed": 0, "skipped": 0}}
    assert store.coverage(END, END + 1) == {}
