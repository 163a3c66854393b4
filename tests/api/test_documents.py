"""Calls and traces as JSON values."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.api.documents import asked, call_document, tree
from holdfast.core.call import Call, Message
from holdfast.core.trace import ScoredTrace, Trace

IDS = st.sampled_from(["a", "b", "c", "d", ""])


@given(st.lists(st.tuples(IDS, IDS), min_size=1, max_size=6, unique_by=lambda pair: pair[0]))
def test_whatever_parents_are_claimed_each_call_is_placed_once(pairs: list[tuple[str, str]]) -> None:
    calls = tuple(Call(trace_id="t", span_id=own, parent_span_id=parent) for own, parent in pairs)
    placed = tree(ScoredTrace(Trace("t", calls), ()))
    assert sorted(call.span_id for call, _ in placed) == sorted(own for own, _ in pairs)


def test_a_child_stands_below_its_parent() -> None:
    calls = (
        Call(trace_id="t", span_id="child", parent_span_id="root", start_ns=5),
        Call(trace_id="t", span_id="root", start_ns=1),
        Call(trace_id="t", span_id="grandchild", parent_span_id="child", start_ns=6),
    )
    assert [(c.span_id, depth) for c, depth in tree(ScoredTrace(Trace("t", calls), ()))] == [
        ("root", 0),
        ("child", 1),
        ("grandchild", 2),
    ]


def test_what_was_asked_is_the_last_user_message_else_the_input() -> None:
    messages = (
        Message(role="user", content="first"),
        Message(role="assistant", content="x"),
        Message(role="user", content="last"),
    )
    assert asked(Call(trace_id="t", span_id="s", input_messages=messages)) == "last"
    assert asked(Call(trace_id="t", span_id="s", input_text="query")) == "query"


def test_raw_attributes_stay_in_the_store() -> None:
    document = call_document(Call(trace_id="t", span_id="s", attributes={"secret": 1}, resource={"host": "x"}))
    assert "attributes" not in document
    assert "resource" not in document
