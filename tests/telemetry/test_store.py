import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.call import Call, Evaluation, EvaluationRecord, Message, MetricPoint
from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import NS_PER_S, SystemClock
from holdfast.core.errors import StoreError
from holdfast.core.observations import Telemetry
from holdfast.core.score import Span
from holdfast.core.signal import Segment
from holdfast.telemetry.schema import DAY_NS
from holdfast.telemetry.store import MAX_IDS, TelemetryStore
from tests.telemetry.examples import T0, call, failed, score, scored, simple

HOSTILE = [
    "'; DROP TABLE calls; --",
    "a\\'b",
    "{service:String}",
    "%s %(x)s",
    "\0",
    "\t\n\r",
    "\\N",
    "\N{PILE OF POO}",
    "x" * 70_000,
    "\ud800",
]


def change(id_: str, time_ns: int = T0, source: str = "ci") -> Change:
    return Change(id=id_, time_ns=time_ns, kind=ChangeKind.PROMPT, source=source, scope={"route": "/chat"}, to_value="v2")


def test_the_store_answers_what_the_stages_may_ask(store: TelemetryStore) -> None:
    asked: Telemetry = store
    assert asked.changes(0, 1) == []


def test_a_call_comes_back_as_it_was(store: TelemetryStore) -> None:
    before = call(
        input_messages=(Message("user", "hi \N{SNOWMAN}"),),
        attributes={"deep": {"list": [1, -2.5, None, True, "x"]}, "bytes": b"\xff"},
        parameters={"temperature": 0.2, "stream": True},
        cost_usd=0.001,
    )
    store.append([scored(before)])
    assert store.call(*before.key) == before


def test_a_trace_comes_back_with_all_its_calls_scores_and_failures(store: TelemetryStore) -> None:
    one, two = call(span=1), call(span=2, start_ns=T0 + 3 * NS_PER_S)
    scores = (score(one, "a", 0.5, why="said so", spans=(Span("answer", 1, 4, "x"),)), score(two, "b", 2.0))
    whole = scored(one, two, scores=scores, failures=(failed(two),))
    store.append([whole])
    found = store.scored_trace(one.trace_id)
    assert found is not None
    assert found.trace.calls == whole.trace.calls
    assert (found.scores, found.failures) == (whole.scores, whole.failures)


def test_what_is_not_there_is_none(store: TelemetryStore) -> None:
    store.append([simple(1)])
    assert (store.trace("f" * 32), store.scored_trace(""), store.call("f" * 32, "1"), store.call("", "")) == (
        None,
        None,
        None,
        None,
    )


def test_an_empty_store_has_empty_answers(store: TelemetryStore) -> None:
    assert (store.append([]), store.append_changes([]), store.count(), store.services()) == (0, 0, 0, [])
    assert (store.coverage(0, T0 * 2), store.metric_points("s", 0, T0 * 2), store.evaluations("t")) == ({}, [], [])
    assert len(store.observations("s", ["latency"], 0, T0 * 2)["latency"]) == 0
    assert len(store.metric_series(Segment("s"), "latency", 0, T0, NS_PER_S)) == 0
    store.append_metric_points([])
    store.append_evaluations([])


# Exactly once


def test_the_same_calls_again_are_not_new(store: TelemetryStore) -> None:
    batch = [simple(n) for n in range(20)]
    assert (store.append(batch), store.append(batch), store.count()) == (20, 0, 20)


def test_a_replay_after_a_restart_adds_only_what_is_new(store: TelemetryStore, dsn: str) -> None:
    store.append([simple(n) for n in range(10)])
    store.close()
    with TelemetryStore(dsn) as again:
        assert again.append([simple(n) for n in range(5, 15)]) == 5
        assert again.count() == 15


def test_a_call_twice_in_one_batch_counts_once(store: TelemetryStore) -> None:
    assert store.append([simple(1, value=1), simple(1, value=2)]) == 1
    assert store.observations("support", ["latency"], T0, T0 * 2)["latency"].value.tolist() == [1.0]


def test_the_first_of_equal_calls_stays(store: TelemetryStore) -> None:
    store.append([simple(1, name="first")])
    assert store.append([simple(1, name="second", end_ns=T0 + 9 * NS_PER_S)]) == 0
    kept = store.call(*call(1).key)
    assert kept is not None
    assert kept.name == "first"


def test_a_late_call_joins_its_trace(store: TelemetryStore) -> None:
    store.append([scored(call(span=1))])
    assert store.append([scored(call(span=1), call(span=2))]) == 1
    trace = store.trace(call().trace_id)
    assert trace is not None
    assert len(trace.calls) == 2


def test_a_batch_over_midnight_and_many_days_counts_exactly(store: TelemetryStore) -> None:
    batch = [simple(n, end_ns=T0 + n * DAY_NS // 2) for n in range(300)]
    assert (store.append(batch), store.append(batch), store.count()) == (300, 0, 300)


def test_more_traces_than_fit_one_look_up_are_recognised(store: TelemetryStore) -> None:
    batch = [scored(call(n)) for n in range(MAX_IDS * 2 + 7)]
    assert (store.append(batch), store.append(batch)) == (MAX_IDS * 2 + 7, 0)


def test_threads_that_append_the_same_keep_it_once(store: TelemetryStore) -> None:
    batch = [simple(n) for n in range(50)]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: store.append(batch), range(8))) == 50
    assert store.count() == 50


def test_rows_that_two_servers_wrote_at_once_count_once(store: TelemetryStore) -> None:
    # Two servers that look up at the same moment both find nothing: what one process cannot do is done to the table directly.
    from holdfast.telemetry.rows import call_columns, calls_of

    columns = call_columns(list(calls_of([simple(n) for n in range(9)]).values()))
    for _ in range(2):
        store._connection.insert("calls", columns)
    assert store.count() == 9
    assert len(store.observations("support", ["latency"], T0, T0 * 2)["latency"]) == 9
    assert store.coverage(T0, T0 * 2)["latency"]["ran"] == 9
    assert int(store.metric_series(Segment("support"), "latency", T0, T0 + 20 * NS_PER_S, NS_PER_S).count.sum()) == 9


def test_what_killed_process_had_stored_is_there(dsn: str) -> None:
    script = (
        "import os, sys; from holdfast.telemetry.store import TelemetryStore; from tests.telemetry.examples import simple\n"
        "TelemetryStore(sys.argv[1]).append([simple(n) for n in range(30)]); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script, dsn], check=False, timeout=60).returncode == -9
    with TelemetryStore(dsn) as store:
        assert (store.count(), store.append([simple(n) for n in range(31)])) == (30, 1)


# Hostile values


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_data_wherever_it_stands(store: TelemetryStore, value: str) -> None:
    clean = value.encode("utf-8", "replace").decode()
    hurt = call(
        name=value,
        error_type=value,
        response_id=value,
        request_model=value,
        dimensions={"service.name": (value,), value: (value, value)},
        attributes={value: value},
        input_messages=(Message("user", value),),
    )
    one = scored(hurt, scores=(score(hurt, "latency", why=value),), failures=(failed(hurt, message=value),))
    assert (store.append([one]), store.append([one])) == (1, 0)
    assert store.services() == [clean]
    found = store.observations(clean, ["latency", value.encode("utf-8", "replace").decode()], T0, T0 * 2)["latency"]
    assert len(found) == 1
    assert found.dimensions[0][clean] == (clean, clean)
    assert len(store.metric_series(Segment(clean, clean, clean), "latency", T0, T0 * 2, DAY_NS)) == 1
    kept = store.scored_trace(hurt.trace_id)
    assert kept is not None
    assert (kept.trace.calls[0].name, kept.scores[0].why, kept.failures[0].message) == (clean, clean, clean)


@pytest.mark.parametrize(
    "attributes",
    [
        {"big": 2**200},
        {"small": -(2**70)},
        {"deep": [[[["x"]]]] * 3},
        {"nan": float("nan")},
        {"\ud800": ["\udfff"]},
        {"t": (1, "a")},
    ],
    ids=lambda a: next(iter(a)).encode("ascii", "replace").decode(),
)
def test_odd_attributes_lose_no_call(store: TelemetryStore, attributes: dict[str, object]) -> None:
    assert store.append([scored(call(attributes=attributes))]) == 1
    assert store.call(*call().key) is not None


@pytest.mark.parametrize("ns", [-1, -(2**70), 0, 2**63 - 1, 2**63, 2**64, 2**80])
def test_impossible_times_lose_no_call(store: TelemetryStore, ns: int) -> None:
    assert store.append([scored(call(start_ns=ns, end_ns=ns))]) == 1
    assert store.append([scored(call(start_ns=ns, end_ns=ns))]) == 0
    assert store.scored_trace(call().trace_id) is not None


_text = st.text(max_size=30)
_calls = st.builds(
    Call,
    trace_id=st.sampled_from([f"{n:032x}" for n in range(40)]),
    span_id=st.sampled_from([f"{n:016x}" for n in range(4)]),
    name=_text,
    start_ns=st.integers(0, 2**62),
    end_ns=st.just(T0),
    dimensions=st.dictionaries(_text, st.lists(_text, min_size=1, max_size=3).map(tuple), max_size=3),
    attributes=st.dictionaries(
        _text, st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | _text, st.lists), max_size=3
    ),
    cost_usd=st.none() | st.floats(0, 1e6),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_calls, min_size=1, max_size=6))
def test_any_calls_are_kept_exactly_once(store: TelemetryStore, calls: list[Call]) -> None:
    before = store.count()
    known = {c.key for c in calls if store.call(*c.key)}
    new = store.append([scored(c) for c in calls])
    assert new == len({c.key for c in calls} - known)
    assert store.append([scored(c) for c in calls]) == 0
    assert store.count() == before + new
    assert all(store.call(*c.key) for c in calls)


# Questions


def test_calls_are_counted_by_application_and_time(store: TelemetryStore) -> None:
    store.append([simple(n) for n in range(10)] + [simple(n, dimensions={"service.name": ("search",)}) for n in range(20, 23)])
    assert (store.count(), store.count("support"), store.count("search"), store.count("none")) == (13, 10, 3, 0)
    assert store.count("support", T0 + 2 * NS_PER_S, T0 + 5 * NS_PER_S) == 3
    assert store.services() == ["search", "support"]


def test_changes_are_told_oldest_first_and_once(store: TelemetryStore) -> None:
    late, early = change("b", T0 + 9), change("a", T0 + 1)
    assert store.append_changes([late, early, early]) == 2
    assert store.append_changes([late, change("b", T0 + 9, source="other")]) == 1
    assert [c.id for c in store.changes(T0, T0 + 10)] == ["a", "b", "b"]
    assert store.changes(T0, T0 + 2) == [early]


def test_the_first_of_equal_changes_stays(store: TelemetryStore) -> None:
    store.append_changes([change("a"), msgspec.structs.replace(change("a"), to_value="v3")])
    store.append_changes([msgspec.structs.replace(change("a"), to_value="v4")])
    assert [c.to_value for c in store.changes(0, T0 * 2)] == ["v2"]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_changes_are_kept_once(store: TelemetryStore, value: str) -> None:
    hostile = Change(id=value, time_ns=T0, kind=ChangeKind.CODE, source=value, service=value, scope={value: value})
    store.append_changes([hostile])
    store.append_changes([hostile])
    assert [c.id for c in store.changes(0, T0 * 2)] == [value.encode("utf-8", "replace").decode()]


def test_infrastructure_metrics_are_kept_once_and_in_order(store: TelemetryStore) -> None:
    def point(at: int, value: float = 0.5) -> MetricPoint:
        return MetricPoint(
            time_ns=T0 + at, service="support", name="cpu", value=value, unit="1", attributes={"host": "a", "b": "c"}
        )

    store.append_metric_points([point(3), point(1)])
    store.append_metric_points([point(3), point(2), point(2, 0.7)])
    assert [p.time_ns - T0 for p in store.metric_points("support", T0, T0 + 9)] == [1, 2, 2, 3]
    assert store.metric_points("support", T0 + 3, T0 + 4) == [point(3)]
    assert store.metric_points("other", T0, T0 + 9) == []


def test_evaluations_are_kept_once(store: TelemetryStore) -> None:
    record = EvaluationRecord(time_ns=T0, evaluation=Evaluation("relevance", 0.3, "low"), trace_id="t", span_id="s")
    for _ in range(2):
        store.append_evaluations([record, EvaluationRecord(time_ns=T0, evaluation=Evaluation("relevance"), response_id="r")])
    assert store.evaluations("t") == [record]


def about(**where: str) -> EvaluationRecord:
    return EvaluationRecord(time_ns=T0, evaluation=Evaluation("relevance", 0.3), **where)


def test_an_evaluation_finds_its_call_by_span_by_response_or_by_trace(store: TelemetryStore) -> None:
    first, second = call(1, 1, response_id="resp-1"), call(1, 2, start_ns=T0 + 1)
    store.append([scored(first, second), simple(2, response_id="resp-2")])
    assert store.call_of(about(trace_id=first.trace_id, span_id=second.span_id)) == second
    assert store.call_of(about(response_id="resp-1")) == first
    assert store.call_of(about(trace_id=first.trace_id)) in (first, second)
    assert store.dimensions_of(about(response_id="resp-2")) == call(2).dimensions


@pytest.mark.parametrize("where", [{}, {"response_id": "none"}, {"trace_id": "none"}, {"trace_id": "none", "span_id": "none"}])
def test_an_evaluation_of_an_unknown_call_finds_none(store: TelemetryStore, where: dict[str, str]) -> None:
    store.append([simple(1)])
    assert store.call_of(about(**where)) is None
    assert store.dimensions_of(about(**where)) is None


def test_a_call_without_response_id_is_not_found_by_an_empty_one(store: TelemetryStore) -> None:
    store.append([simple(1)])
    assert store.call_of(about(span_id=call(1).span_id)) is None


# Retention


def test_whole_days_are_forgotten_and_changes_are_kept(store: TelemetryStore) -> None:
    later = (SystemClock().now_ns() // DAY_NS + 3) * DAY_NS
    store.append([simple(n, end_ns=later + n * DAY_NS) for n in range(4)])
    store.append_changes([change("a")])
    store.append_metric_points([MetricPoint(time_ns=T0, service="s", name="cpu", value=1)])
    assert store.forget_before(later + 2 * DAY_NS + 5) == 3
    assert (store.count(), len(store.changes(0, T0 * 2)), store.metric_points("s", 0, T0 * 2)) == (2, 1, [])


def test_old_calls_that_arrived_lately_are_kept(store: TelemetryStore) -> None:
    store.append([simple(n) for n in range(3)])
    day_ago = SystemClock().now_ns() - DAY_NS
    assert (store.forget_before(day_ago), store.count()) == (0, 3)
    assert (store.forget_before(day_ago + 2 * DAY_NS), store.count()) == (1, 0)


def test_nothing_old_is_nothing_forgotten(store: TelemetryStore) -> None:
    store.append([simple(1)])
    assert (store.forget_before(T0), store.forget_before(0), store.count()) == (0, 0, 1)


def test_a_closed_store_says_so(store: TelemetryStore) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.count()


def test_gathered_calls_are_read_as_if_they_were_written(dsn: str) -> None:
    with TelemetryStore(dsn, gather=100) as store:
        assert store.append([simple(n) for n in range(10)]) == 10
        assert store._gathered
        assert store.count() == 10


def test_gathered_calls_are_written_when_the_store_is_closed(dsn: str) -> None:
    with TelemetryStore(dsn, gather=100) as store:
        store.append([simple(n) for n in range(10)])
    with TelemetryStore(dsn) as again:
        assert again.count() == 10


def test_calls_are_written_together_once_enough_are_gathered(dsn: str) -> None:
    with TelemetryStore(dsn, gather=3) as store:
        for n in range(4):
            store.append([simple(n)])
        assert not store._gathered


def test_a_call_that_comes_again_while_it_is_gathered_counts_once(dsn: str) -> None:
    with TelemetryStore(dsn, gather=100) as store:
        assert (store.append([simple(1)]), store.append([simple(1, name="second")]), store.count()) == (1, 0, 1)


def test_what_was_gathered_is_not_lost_when_the_store_refuses_it(dsn: str) -> None:
    with TelemetryStore(dsn, gather=100) as store:
        store.append([simple(n) for n in range(5)])
        store._connection.command("RENAME TABLE calls TO hidden")
        with pytest.raises(StoreError):
            store.flush()
        store._connection.command("RENAME TABLE hidden TO calls")
        assert store.count() == 5
