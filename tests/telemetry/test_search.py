"""Finding calls."""

from collections.abc import Iterator

import pytest

from holdfast.core.call import Call, Kind, Message, Status
from holdfast.core.errors import InputError
from holdfast.core.score import Failed, Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.telemetry.search import FIRST_NS, CallQuery, _condition
from holdfast.telemetry.store import TelemetryStore

HOUR_NS = 6 * FIRST_NS
END = 1_700_000_000_000_000_000


def scored(number: int, end_ns: int, service: str = "shop", text: str = "hello", score: float = 0.1) -> ScoredTrace:
    call = Call(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        kind=Kind.LLM if number % 2 else Kind.TOOL,
        status=Status.ERROR if number == 3 else Status.OK,
        start_ns=end_ns - 5,
        end_ns=end_ns,
        dimensions={"service.name": (service,), "route": ("/chat", "/other")},
        output_messages=(Message(role="assistant", content=text),),
    )
    given = Score(trace_id=call.trace_id, span_id=call.span_id, metric="refusal", value=score, scorer="s", version="1")
    failed = Failed(trace_id=call.trace_id, span_id=call.span_id, scorer="drift", version="1", error_type="E", message="")
    return ScoredTrace(Trace(call.trace_id, (call,)), (given,), (failed,) if number == 2 else ())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TelemetryStore]:
    with TelemetryStore(f"chdb://{tmp_path_factory.mktemp('search')}") as opened:
        opened.append(
            [
                scored(1, END),
                scored(2, END - FIRST_NS // 2, text="Grüße aus KÖLN", score=0.9),
                scored(3, END - 3 * HOUR_NS),
                scored(4, END - 4 * HOUR_NS, service="bank"),
                scored(5, END - 5 * HOUR_NS, text="it's 100% <b>"),
            ]
        )
        opened._connection.command("OPTIMIZE TABLE calls FINAL")
        # What is written twice is found once.
        opened._connection.command("INSERT INTO calls SELECT * FROM calls WHERE span_id = '0000000000000001'")
        yield opened


def numbers(store: TelemetryStore, **query: object) -> list[int]:
    return [int(hit.call.span_id, 16) for hit in store.search(CallQuery(**query)).hits]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"service": "bank"}, [4]),
        ({"services": frozenset({"bank"})}, [4]),
        ({"services": frozenset()}, []),
        ({"kind": Kind.TOOL}, [2, 4]),
        ({"status": Status.ERROR}, [3]),
        ({"text": "köln"}, [2]),
        ({"text": "it's 100% <B>"}, [5]),
        ({"text": "%"}, [5]),
        ({"metric": "refusal", "score_from": 0.5}, [2]),
        ({"metric": "refusal", "score_to": 0.5}, [1, 3, 4, 5]),
        ({"metric": "other"}, []),
        ({"failed_scorer": "drift"}, [2]),
        ({"dimensions": {"route": "/other", "service.name": "bank"}}, [4]),
        ({"dimensions": {"route": "'; DROP TABLE calls; --"}}, []),
        ({"start_ns": END - HOUR_NS}, [1, 2]),
        ({"end_ns": END}, [2, 3, 4, 5]),
        ({"limit": 2}, [1, 2]),
    ],
    ids=str,
)
def test_calls_are_found_newest_first(store: TelemetryStore, query: dict[str, object], expected: list[int]) -> None:
    assert numbers(store, **query) == expected


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
def test_pages_hold_each_call_once(store: TelemetryStore, limit: int) -> None:
    found, cursor = [], ""
    for _ in range(6):
        page = store.search(CallQuery(limit=limit, cursor=cursor))
        found += [int(hit.call.span_id, 16) for hit in page.hits]
        cursor = page.next
        if not cursor:
            break
    assert found == [1, 2, 3, 4, 5]


def test_a_hit_comes_with_its_scores_and_failed_scorers(store: TelemetryStore) -> None:
    (hit,) = store.search(CallQuery(failed_scorer="drift")).hits
    assert (hit.scores, hit.failed, hit.call.answer) == ({"refusal": 0.9}, ("drift",), "Grüße aus KÖLN")


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 201}, {"cursor": "x"}, {"cursor": f"{10**30}.a.b"}, {"dimensions": {"colour": "red"}}],
    ids=str,
)
def test_a_query_that_makes_no_sense_is_refused(store: TelemetryStore, query: dict[str, object]) -> None:
    with pytest.raises(InputError):
        numbers(store, **query)


def test_a_page_without_time_looks_at_ten_minutes_and_says_how_far_it_came(store: TelemetryStore) -> None:
    page = store.search(CallQuery(budget_s=0.0))
    assert [int(hit.call.span_id, 16) for hit in page.hits] == [1, 2]
    assert page.reached_ns == END + 1 - FIRST_NS
    assert page.next


@pytest.mark.parametrize("budget_s", [0.0, 0.001, 60.0])
@pytest.mark.parametrize(("text", "expected"), [("", [1, 2, 3, 4, 5]), ("100%", [5]), ("nowhere", [])], ids=str)
def test_pages_that_end_for_want_of_time_miss_nothing_and_come_to_an_end(
    store: TelemetryStore, text: str, expected: list[int], budget_s: float
) -> None:
    found, cursor = [], ""
    for _ in range(100):
        page = store.search(CallQuery(text=text, cursor=cursor, budget_s=budget_s))
        found += [int(hit.call.span_id, 16) for hit in page.hits]
        assert bool(page.reached_ns) == bool(page.next)
        cursor = page.next
        if not cursor:
            break
    assert found == expected
    assert not cursor


def test_a_full_page_goes_on_behind_its_last_call_not_behind_what_was_looked_at(store: TelemetryStore) -> None:
    page = store.search(CallQuery(limit=1, budget_s=0.0))
    assert page.reached_ns == 0
    (second,) = store.search(CallQuery(limit=1, cursor=page.next)).hits
    assert int(second.call.span_id, 16) == 2


def test_a_rare_word_is_looked_up_without_reading_calls_that_lack_it(store: TelemetryStore) -> None:
    condition, bound, _ = _condition(CallQuery(text="Köln, wohin?"))
    sql = f"EXPLAIN indexes = 1 SELECT span_id FROM calls WHERE {condition}"
    plan = "\n".join(row[0] for row in store._connection.rows(sql, {**bound, "start": 0, "end": END + 1}))
    # The call that is written twice is in a part of its own, which was not merged yet.
    assert "Granules: 1/" in plan.partition("Name: by_text")[2], plan
