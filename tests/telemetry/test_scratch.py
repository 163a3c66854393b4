"""The store of one analysis answers as the embedded database does."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

import holdfast.telemetry.scratch as module
from holdfast.core.call import Call, Evaluation, EvaluationRecord, MetricPoint
from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import StoreError
from holdfast.core.observations import Observations, Telemetry
from holdfast.core.trace import ScoredTrace
from holdfast.telemetry.scratch import ScratchStore
from holdfast.telemetry.store import TelemetryStore
from tests.telemetry.examples import T0, call, failed, score, scored, simple

END = T0 + 3_600 * NS_PER_S


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[ScratchStore]:
    with ScratchStore(tmp_path / "scratch.sqlite") as opened:
        yield opened


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few calls fill many blocks."""
    monkeypatch.setattr(module, "BLOCK_CALLS", 3)
    monkeypatch.setattr(module, "CALLS_AT_HAND", 6)


def change(identity: str, time_ns: int = T0, kind: ChangeKind = ChangeKind.PROMPT) -> Change:
    return Change(id=identity, time_ns=time_ns, kind=kind, source="ci")


def evaluation(**fields: object) -> EvaluationRecord:
    return EvaluationRecord(time_ns=T0, evaluation=Evaluation("user_feedback", 0.0), **fields)  # type: ignore[arg-type]


def random_traces(seed: int, count: int) -> list[ScoredTrace]:
    random = np.random.default_rng(seed)
    found = []
    for n in random.permutation(count).tolist():
        service = ("support", "search")[int(random.integers(2))]
        calls = [
            call(n, span, dimensions={"service.name": (service,), "route": (f"/{random.integers(3)}",)})
            for span in range(1, 1 + int(random.integers(1, 4)))
        ]
        scores = tuple(
            score(
                calls[int(random.integers(len(calls)))],
                str(random.choice(["latency", "cost", "refusal"])),
                float(random.random()),
            )
            for _ in range(int(random.integers(0, 6)))
        )
        found.append(scored(*calls, scores=scores, failures=(failed(calls[0]),)))
    return found


def columns(found: Observations) -> tuple[object, ...]:
    return (
        found.metric,
        found.time_ns.tolist(),
        found.value.tolist(),
        found.trace_id,
        found.span_id,
        found.dimensions,
        str(found.time_ns.dtype),
        str(found.value.dtype),
    )


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("seed", range(3))
def test_it_answers_as_the_embedded_database_does(scratch: ScratchStore, store: TelemetryStore, seed: int) -> None:
    traces = random_traces(seed, 60)
    for start in range(0, len(traces), 7):
        scratch.append(traces[start : start + 7])
        store.append(traces[start : start + 7])
    names = ["refusal", "latency", "never", "latency"]
    for service in ("support", "search", "nobody"):
        for window in ((T0, END), (T0 + 10 * NS_PER_S, T0 + 31 * NS_PER_S), (T0 + 9, T0 + 9), (END, T0), (-5, 2**63)):
            mine, theirs = (s.observations(service, names, *window) for s in (scratch, store))
            assert list(mine) == list(theirs)
            assert [columns(o) for o in mine.values()] == [columns(o) for o in theirs.values()]


def test_it_answers_what_the_stages_may_ask(scratch: ScratchStore) -> None:
    asked: Telemetry = scratch
    assert asked.observations("support", [], T0, END) == {}
    assert asked.changes(0, 1) == []


@pytest.mark.parametrize(
    "text", ["\ud800", "\0", "'; DROP TABLE calls; --", "x" * 70_000], ids=["surrogate", "nul", "sql", "long"]
)
def test_hostile_ids_and_values_are_kept_as_the_store_keeps_them(scratch: ScratchStore, text: str) -> None:
    hostile = call(dimensions={"service.name": ("support",), "route": (text,)}, response_id=text, trace_id=text)
    scratch.append([scored(hostile, scores=(score(hostile, "latency"),))])
    found = scratch.observations("support", ["latency"], T0, END)["latency"]
    assert len(found) == 1
    assert scratch.call_of(evaluation(response_id=text)) is not None


def test_times_that_no_integer_column_holds_are_clipped(scratch: ScratchStore) -> None:
    far = call(end_ns=2**70, start_ns=-5)
    scratch.append([scored(far, scores=(score(far, "latency"),))])
    assert scratch.observations("support", ["latency"], 0, 2**63)["latency"].time_ns.tolist() == []
    assert scratch.call_of(evaluation(trace_id=far.trace_id)) is not None


def test_a_score_of_an_unknown_span_is_kept_on_the_root(scratch: ScratchStore) -> None:
    one = call()
    scratch.append([scored(one, scores=(score(call(span=9), "m", 1),))])
    assert scratch.observations("support", ["m"], T0, END)["m"].span_id == [one.span_id]


@pytest.mark.usefixtures("small_blocks")
def test_an_evaluation_finds_its_call_by_span_by_response_and_by_trace(scratch: ScratchStore) -> None:
    first, second = call(1, 1, response_id="r1", convention="otel_genai"), call(1, 2, start_ns=T0 + 2 * NS_PER_S)
    scratch.append([scored(second, first), *(simple(n) for n in range(2, 20))])
    by_span = scratch.call_of(evaluation(trace_id=first.trace_id, span_id=second.span_id))
    assert by_span == Call(trace_id=first.trace_id, span_id=second.span_id, dimensions=second.dimensions)
    for record in (evaluation(response_id="r1"), evaluation(trace_id=first.trace_id)):
        assert scratch.call_of(record) == msgspec.structs.replace(by_span, span_id=first.span_id, convention="otel_genai")


@pytest.mark.parametrize("record", [{}, {"trace_id": "no"}, {"trace_id": "no", "span_id": "no"}, {"response_id": "no"}], ids=str)
def test_an_evaluation_of_what_is_not_kept_finds_nothing(scratch: ScratchStore, record: dict[str, str]) -> None:
    scratch.append([simple(1)])
    assert scratch.call_of(evaluation(**record)) is None


def test_changes_are_kept_once_and_told_oldest_first(scratch: ScratchStore) -> None:
    scratch.append_changes([change("b", T0 + 2), change("a", T0 + 1)])
    scratch.append_changes([change("a", T0 + 1, ChangeKind.MODEL)])
    assert [(c.id, c.kind) for c in scratch.changes(T0, T0 + 2)] == [("a", ChangeKind.PROMPT)]
    assert [c.id for c in scratch.changes(T0, T0 + 3)] == ["a", "b"]


def test_of_too_many_changes_the_later_ones_stay(scratch: ScratchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATEST_CHANGES", 2)
    scratch.append_changes([change(name) for name in "abc"])
    assert [c.id for c in scratch.changes(0, END)] == ["b", "c"]


def test_infrastructure_metrics_are_taken_and_not_kept(scratch: ScratchStore) -> None:
    scratch.append_metric_points([MetricPoint(time_ns=T0, service="support", name="cpu", value=1.0)])
    assert scratch.observations("support", ["cpu"], T0, END)["cpu"].trace_id == []


@pytest.mark.usefixtures("small_blocks")
def test_only_a_few_blocks_are_held_in_memory(scratch: ScratchStore) -> None:
    scratch.append([simple(n) for n in range(30)])
    scratch.observations("support", ["latency"], T0, END)
    assert len(scratch._at_hand) <= 2
    assert len(scratch._waiting) < 3


def test_a_folder_that_is_not_there_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"missing/scratch\.sqlite"):
        ScratchStore(tmp_path / "missing" / "scratch.sqlite")
