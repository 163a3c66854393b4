"""The telemetry store in memory keeps the promises of the protocol."""

import numpy as np

from holdfast.core.call import Call, Dimensions, Kind
from holdfast.core.change import Change, ChangeKind
from holdfast.core.observations import Telemetry
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.testing.telemetry import MemoryTelemetry


def scored(number: int, end_ns: int, value: float, service: str = "shop") -> ScoredTrace:
    trace_id, span_id = f"{number:032x}", f"{number:016x}"
    dimensions: Dimensions = {"service.name": (service,), "route": ("/chat",)}
    call = Call(trace_id=trace_id, span_id=span_id, kind=Kind.LLM, end_ns=end_ns, dimensions=dimensions)
    score = Score(trace_id=trace_id, span_id=span_id, metric="refusal", value=value, scorer="lexical", version="1")
    return ScoredTrace(Trace(trace_id, (call,)), (score,))


def test_scores_come_back_oldest_first_whatever_order_they_were_told_in() -> None:
    memory: Telemetry = MemoryTelemetry([scored(2, 20, 0.2), scored(1, 10, 0.1), scored(3, 30, 0.3)])
    got = memory.observations("shop", ["refusal"], 10, 30)["refusal"]
    np.testing.assert_array_equal(got.time_ns, [10, 20])
    np.testing.assert_array_equal(got.value, [0.1, 0.2])
    assert got.dimensions[0]["route"] == ("/chat",)


def test_a_metric_without_scores_has_zero_rows_and_never_a_missing_key() -> None:
    memory = MemoryTelemetry([scored(1, 10, 0.1)])
    got = memory.observations("shop", ["refusal", "toxicity"], 0, 100)
    assert len(got["refusal"]) == 1
    assert len(got["toxicity"]) == 0
    assert len(memory.observations("other", ["refusal"], 0, 100)["refusal"]) == 0


def test_a_trace_scored_twice_counts_once_and_the_last_score_wins() -> None:
    memory = MemoryTelemetry([scored(1, 10, 0.1)])
    memory.append([scored(1, 10, 0.9)])
    got = memory.observations("shop", ["refusal"], 0, 100)["refusal"]
    np.testing.assert_array_equal(got.value, [0.9])


def test_changes_are_kept_once_and_told_oldest_first_in_a_half_open_period() -> None:
    late, early = (Change(id=i, time_ns=t, kind=ChangeKind.PROMPT) for i, t in (("b", 50), ("a", 5)))
    memory = MemoryTelemetry(changes=[late, early, late])
    assert [change.id for change in memory.changes(0, 100)] == ["a", "b"]
    assert [change.id for change in memory.changes(0, 50)] == ["a"]
