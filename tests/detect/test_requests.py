import numpy as np
import pytest

from holdfast.core.call import Call, Dimensions
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.detect.batch import Batch, Extractor
from holdfast.detect.columns import ColumnTable
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.requests import once
from holdfast.detect.segments import SegmentIndex
from tests.detect.simulation import METRICS, START_NS

TABLE = ColumnTable(METRICS, DetectPolicy())


def request(number: int, *told: tuple[str, str, float]) -> ScoredTrace:
    """A request whose calls of the given tools have scores (tool, metric, value)."""
    trace_id, calls, scores = f"{number:032x}", [], []
    for at, (tool, metric, value) in enumerate(told):
        dimensions: Dimensions = {"service.name": ("shop",), **({"tool": (tool,)} if tool else {})}
        end = START_NS + number * 10**9 + at
        span = f"{number:08x}{at:08x}"
        calls.append(Call(trace_id=trace_id, span_id=span, start_ns=end - 1, end_ns=end, dimensions=dimensions))
        scores.append(Score(trace_id=trace_id, span_id=span, metric=metric, value=value, scorer="s", version="1"))
    return ScoredTrace(Trace(trace_id, tuple(calls)), tuple(scores), ())


def batch_of(*requests: ScoredTrace) -> Batch:
    policy = DetectPolicy()
    return Extractor(SegmentIndex(1000, policy.max_values), TABLE, policy).extract(requests)


def told(batch: Batch) -> list[tuple[str, float]]:
    return [(TABLE.names[m], v) for m, v in zip(batch.metric.tolist(), batch.value.tolist(), strict=True)]


def test_a_request_that_loops_is_one_bad_request() -> None:
    loop = request(1, *[("run_sql", "error", 1.0)] * 8)
    merged = once(batch_of(loop, request(2, ("run_sql", "error", 0.0))), TABLE)
    assert told(merged) == [("error", 1.0), ("error", 0.0)]
    assert merged.trace.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("metric", "values", "counts"),
    [
        ("error", (0.0, 1.0, 0.0), 1.0),
        ("relevance", (0.9, 0.2, 0.8), 0.2),
        ("latency", (100.0, 300.0, 200.0), 200.0),
        ("tokens", (10.0, 20.0, 60.0), 30.0),
    ],
)
def test_of_what_the_calls_of_a_request_say_the_worst_counts_and_of_amounts_the_mean(
    metric: str, values: tuple[float, ...], counts: float
) -> None:
    ((name, value),) = told(once(batch_of(request(1, *[("a", metric, v) for v in values])), TABLE))
    assert name == metric
    assert value == pytest.approx(counts)


def test_the_score_that_is_shown_is_that_of_the_worst_call() -> None:
    merged = once(batch_of(request(1, ("a", "error", 0.1), ("a", "error", 0.9), ("a", "error", 0.2))), TABLE)
    assert [score.value for score in merged.scores] == [0.9]


def test_calls_with_other_dimensions_count_each_for_its_own() -> None:
    merged = once(batch_of(request(1, ("a", "error", 1.0), ("b", "error", 0.0), ("a", "error", 1.0))), TABLE)
    assert sorted(told(merged)) == [("error", 0.0), ("error", 1.0)]
    assert len(set(merged.dimensions.tolist())) == 2


def test_where_no_request_repeats_itself_the_batch_is_as_it_was() -> None:
    batch = batch_of(request(1, ("a", "error", 1.0), ("b", "error", 0.0)), request(2, ("a", "error", 1.0)))
    assert once(batch, TABLE) is batch
    nothing = batch_of()
    assert once(nothing, TABLE) is nothing


def test_arrays_stay_in_step_and_in_order_of_arrival() -> None:
    rng = np.random.default_rng(5)
    requests = [
        request(n, *[(str(rng.choice(["a", "b"])), str(rng.choice(["error", "latency"])), float(rng.random())) for _ in range(6)])
        for n in range(40)
    ]
    merged = once(batch_of(*requests), TABLE)
    assert len(merged.scores) == len(merged.metric) == len(merged.value) == len(merged.place)
    assert len(merged.trace) == len(merged.dimensions) == len(merged.ended_ns)
    assert merged.trace.tolist() == sorted(merged.trace.tolist())
    assert len(set(zip(merged.trace.tolist(), merged.dimensions.tolist(), strict=True))) == len(merged.trace)
    assert len(set(zip(merged.place.tolist(), merged.metric.tolist(), strict=True))) == len(merged.place)
    assert [TABLE.names[m] for m in merged.metric.tolist()] == [score.metric for score in merged.scores]
