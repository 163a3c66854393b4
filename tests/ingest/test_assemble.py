"""Calls of a trace come together again, in whatever order and however often they arrive."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import Call, Evaluation, EvaluationRecord, Kind, Message
from holdfast.core.clock import NS_PER_S
from holdfast.ingest.assemble import Assembler, AssemblyPolicy, judgement
from holdfast.ingest.checkpoint import Position
from holdfast.ingest.record import MessageRecord

T0 = 1_700_000_000 * NS_PER_S


def assembler(**policy: int) -> Assembler:
    return Assembler(AssemblyPolicy(**policy), lambda text: "de" if "der" in text else "und")


def call(span: int, trace: int = 1, parent: int = 0, **fields: Any) -> Call:
    return Call(
        trace_id=f"{trace:032x}",
        span_id=f"{span:016x}",
        parent_span_id=f"{parent:016x}" if parent else "",
        start_ns=T0 + span,
        end_ns=T0 + 100,
        **{"kind": Kind.TASK, **fields},
    )


def service(name: str, **more: str) -> dict[str, tuple[str, ...]]:
    return {"service.name": (name,), **{key.replace("_", "."): (value,) for key, value in more.items()}}


def all_of(found: Assembler, calls: Sequence[Call]) -> list[Call]:
    for item in calls:
        found.add(item, T0)
    return [c for trace in found.flush() for c in trace.calls]


def test_a_trace_is_complete_when_its_root_came_and_nothing_more_did() -> None:
    found = assembler()
    found.add(call(2, parent=1), T0)
    assert found.complete(T0 + 5 * NS_PER_S) == []
    found.add(call(1), T0 + 5 * NS_PER_S)
    assert found.complete(T0 + 6 * NS_PER_S) == []
    (trace,) = found.complete(T0 + 7 * NS_PER_S)
    assert [c.span_id[-1] for c in trace.calls] == ["1", "2"]
    assert trace.root.span_id[-1] == "1"


def test_a_trace_without_a_root_is_given_away_when_patience_ends() -> None:
    found = assembler()
    found.add(call(2, parent=1), T0)
    assert found.complete(T0 + 29 * NS_PER_S) == []
    assert len(found.complete(T0 + 30 * NS_PER_S)) == 1


def test_every_call_carries_the_dimensions_of_its_trace_its_own_first() -> None:
    calls = [
        call(1, dimensions=service("shop", route="/chat", tenant="acme")),
        call(2, parent=1, kind=Kind.LLM, dimensions=service("shop", model="large")),
        call(3, parent=1, kind=Kind.EMBEDDING, dimensions=service("shop", model="embedder")),
        call(4, parent=1, kind=Kind.TOOL, dimensions=service("shop", tool="search")),
        call(5, parent=1, kind=Kind.TOOL, dimensions=service("shop", tool="refund")),
    ]
    root, llm, embedding, search, _ = all_of(assembler(), calls)
    assert root.dimensions["model"] == ("large",)
    assert root.dimensions["tool"] == ("search", "refund")
    assert search.dimensions["tool"] == ("search",)
    assert embedding.dimensions["model"] == ("embedder",)
    assert llm.dimensions["tenant"] == ("acme",)


def test_the_application_is_the_service_of_the_outermost_genai_call() -> None:
    calls = [
        call(1, kind=Kind.OTHER, dimensions=service("web-server")),
        call(2, parent=1, kind=Kind.WORKFLOW, dimensions=service("assistant")),
        call(3, parent=2, kind=Kind.TOOL, dimensions=service("payments")),
    ]
    assert {c.service for c in all_of(assembler(), calls)} == {"assistant"}


def test_the_language_is_detected_only_where_nobody_told_it() -> None:
    asked = Message(role="user", content="wo ist der Bus")
    (detected,) = all_of(assembler(), [call(1, kind=Kind.LLM, input_messages=(asked,))])
    (told,) = all_of(assembler(), [call(1, kind=Kind.LLM, input_messages=(asked,), dimensions=service("x", language="fr"))])
    assert detected.dimensions["language"] == ("de",)
    assert told.dimensions["language"] == ("fr",)


def test_a_call_that_arrives_twice_counts_once_even_after_its_trace_was_given_away() -> None:
    found = assembler()
    found.add(call(1), T0)
    found.add(call(1), T0)
    assert len(found.complete(T0 + 2 * NS_PER_S)[0].calls) == 1
    found.add(call(1), T0 + 3 * NS_PER_S)
    assert found.flush() == []
    assert found.duplicates == 2


def test_a_late_call_forms_a_trace_of_its_own_with_the_dimensions_known_already() -> None:
    found = assembler()
    found.add(call(1, dimensions=service("shop", route="/chat")), T0)
    found.complete(T0 + 2 * NS_PER_S)
    found.add(call(2, parent=1, dimensions=service("other")), T0 + 9 * NS_PER_S)
    (trace,) = found.flush()
    assert trace.calls[0].dimensions == service("shop", route="/chat")


def test_an_evaluation_joins_the_call_that_it_judges() -> None:
    found = assembler()
    record = EvaluationRecord(time_ns=T0, evaluation=Evaluation("relevance", 0.2), trace_id=f"{1:032x}", response_id="r-2")
    assert found.attach(record, T0)
    found.add(call(1), T0)
    found.add(call(2, parent=1, response_id="r-2"), T0)
    (trace,) = found.flush()
    assert [len(c.evaluations) for c in trace.calls] == [0, 1]


def test_an_evaluation_of_a_finished_trace_is_handed_back() -> None:
    found = assembler()
    found.add(call(1), T0)
    found.flush()
    record = EvaluationRecord(time_ns=T0, evaluation=Evaluation("relevance"), trace_id=f"{1:032x}")
    assert not found.attach(record, T0)
    assert not found.attach(EvaluationRecord(time_ns=T0, evaluation=Evaluation("relevance")), T0)


def test_an_evaluation_whose_trace_never_came_is_an_orphan_once() -> None:
    found = assembler()
    found.attach(EvaluationRecord(time_ns=T0, evaluation=Evaluation("relevance"), trace_id=f"{9:032x}"), T0)
    assert found.complete(T0 + 31 * NS_PER_S) == []
    assert len(found.take_orphans()) == 1
    assert found.take_orphans() == []


def test_messages_that_came_as_log_records_become_part_of_their_call() -> None:
    found = assembler()
    asked = Message(role="user", content="hello")
    found.attach(MessageRecord(time_ns=T0, trace_id=f"{1:032x}", span_id=f"{1:016x}", input_messages=(asked,)), T0)
    found.add(call(1, kind=Kind.LLM), T0)
    (trace,) = found.flush()
    assert trace.question == "hello"


def test_memory_is_bounded_by_giving_the_oldest_traces_away() -> None:
    found = assembler(max_open_calls=10)
    released = [t for n in range(1, 21) for t in found.add(call(1, trace=n), T0)]
    assert [t.trace_id for t in released] == [f"{n:032x}" for n in range(1, 11)]


def test_a_trace_of_too_many_calls_is_given_away_in_parts() -> None:
    found = assembler(max_calls_per_trace=3)
    released = [t for n in range(1, 8) for t in found.add(call(n, parent=9), T0)]
    assert [len(t.calls) for t in released + found.flush()] == [3, 3, 1]


def test_after_a_restart_finished_traces_do_not_come_twice_and_open_ones_are_whole() -> None:
    arrivals = [(call(1, trace=1), 10), (call(2, trace=2, parent=1), 20), (call(1, trace=3), 30), (call(1, trace=2), 40)]
    before = assembler()
    for item, offset in arrivals[:3]:
        before.add(item, T0, Position(0, offset))
    done = before.complete(T0 + 2 * NS_PER_S)
    safe = before.safe_position
    assert safe == Position(0, 20)

    after = assembler()
    after.remember(before.memory(safe))
    for item, offset in arrivals[1:]:
        after.add(item, T0, Position(0, offset))
    assert [t.trace_id for t in done + after.flush()] == [f"{n:032x}" for n in (1, 3, 2)]


@given(st.permutations([call(n, trace=n % 3 + 1, parent=n // 2) for n in range(1, 12)]), st.lists(st.integers(0, 10), max_size=5))
def test_any_order_with_duplicates_gives_every_call_exactly_once(calls: list[Call], again: list[int]) -> None:
    found = all_of(assembler(), calls + [calls[i] for i in again])
    assert sorted(c.key for c in found) == sorted(c.key for c in calls)


def test_an_evaluation_that_comes_after_its_trace_adds_to_it_and_is_no_request() -> None:
    record = EvaluationRecord(time_ns=T0, evaluation=Evaluation("relevance", 0.2), trace_id=f"{1:032x}", span_id=f"{3:016x}")
    for judged in (call(3), None):
        found = judgement(record, judged)
        assert found.addendum
        assert found.root.parent_span_id == f"{3:016x}"
