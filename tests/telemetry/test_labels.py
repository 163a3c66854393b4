"""Labels: nothing is ever overwritten, and the last word counts."""

import msgspec
import pytest

from holdfast.core.label import Label
from holdfast.telemetry.store import TelemetryStore


def label(number: int = 1, **fields: object) -> Label:
    plain = Label(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        metric="refusal",
        failed=True,
        actor="user:ada",
        time_ns=10,
        service="shop",
    )
    return msgspec.structs.replace(plain, **fields)


def test_a_label_is_read_as_it_was_given(store: TelemetryStore) -> None:
    given = label(note="answered in the wrong language, 'quoted' \\ and {braces}")
    store.append_labels([given])
    assert store.labels() == [given]


def test_the_last_word_counts_and_the_first_one_is_kept(store: TelemetryStore) -> None:
    first, last = label(), label(failed=False, actor="user:bob", time_ns=20, note="no, it is fine")
    store.append_labels([last])
    store.append_labels([first])
    assert store.labels() == [last]
    assert store.label_history(first.trace_id) == [first, last]


def test_two_words_of_the_same_moment_have_one_winner(store: TelemetryStore) -> None:
    both = [label(actor="user:ada"), label(actor="user:bob", failed=False)]
    store.append_labels(both)
    assert store.labels() == store.labels() == [both[1]]


def test_the_same_label_twice_is_one(store: TelemetryStore) -> None:
    store.append_labels([label()])
    store.append_labels([label()])
    assert store.label_history(label().trace_id) == [label()]


def test_metrics_and_calls_do_not_disturb_each_other(store: TelemetryStore) -> None:
    store.append_labels([label(1), label(1, metric="toxicity", failed=False), label(2), label(1, span_id="ff" * 8)])
    assert len(store.labels()) == 4


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"service": "shop"}, 2),
        ({"service": "bank"}, 1),
        ({"metric": "toxicity"}, 1),
        ({"trace_id": f"{2:032x}"}, 1),
        ({"limit": 1}, 1),
    ],
    ids=["application", "another application", "metric", "trace", "limit"],
)
def test_labels_are_found_by_what_they_are_about(store: TelemetryStore, asked: dict[str, str], found: int) -> None:
    store.append_labels([label(1), label(2, metric="toxicity"), label(3, service="bank")])
    assert len(store.labels(**asked)) == found  # type: ignore[arg-type]


def test_the_newest_labels_come_first(store: TelemetryStore) -> None:
    store.append_labels([label(1, time_ns=5), label(2, time_ns=9), label(3, time_ns=7)])
    assert [found.time_ns for found in store.labels()] == [9, 7, 5]


def test_text_that_no_store_can_hold_is_repaired(store: TelemetryStore) -> None:
    store.append_labels([label(note="a\ud800b", actor="user:\udfff")])
    assert store.labels()[0].note == "a?b"


def test_no_label_is_no_work(store: TelemetryStore) -> None:
    store.append_labels([])
    assert store.labels(trace_id="' OR 1=1 --") == []


def test_labels_outlive_the_calls_that_they_are_about(store: TelemetryStore) -> None:
    store.append_labels([label()])
    store.forget_before(2**62)
    assert store.labels() == [label()]
