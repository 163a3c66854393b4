import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.detect.recognised import LONGEST, Recognised, Spans, pack

Pairs = list[tuple[str, int]]
State = list[tuple[str, bytes, tuple[str, ...], bytes]]


def told(seen: Recognised, trace: str, pairs: Pairs) -> Pairs:
    """What of these scores counts."""
    metrics = [metric for _, metric in pairs]
    alike = pack(metrics), len(set(metrics)) == len(metrics)
    partly = seen.fresh([trace], Spans.of([span for span, _ in pairs], [len(pairs)]), [alike])
    return [pairs[i] for i in partly[0]] if partly else pairs


def test_a_trace_that_comes_again_counts_for_what_is_new_of_it_alone() -> None:
    seen = Recognised(10)
    assert told(seen, "t", [("a", 1), ("a", 2)]) == [("a", 1), ("a", 2)]
    assert told(seen, "t", [("a", 2), ("a", 3), ("b", 2)]) == [("a", 3), ("b", 2)]
    assert told(seen, "t", [("a", 1), ("b", 2), ("a", 3)]) == []


def test_one_metric_twice_on_a_span_counts_once_and_on_two_spans_twice() -> None:
    seen = Recognised(10)
    assert told(seen, "t", [("a", 1), ("a", 1)]) == [("a", 1)]
    assert told(seen, "u", [("a", 1), ("b", 1)]) == [("a", 1), ("b", 1)]
    assert told(seen, "v", [("a", 1), ("b", 1), ("a", 1)]) == [("a", 1), ("b", 1)]


def test_a_trace_without_scores_is_remembered_and_its_late_scores_count() -> None:
    seen = Recognised(10)
    assert told(seen, "t", []) == []
    assert told(seen, "t", [("a", 1)]) == [("a", 1)]
    assert told(seen, "t", [("a", 1)]) == []


def test_the_oldest_trace_is_forgotten_first_and_coming_again_makes_none_younger() -> None:
    seen = Recognised(3)
    for trace in "abcad":
        told(seen, trace, [("s", 1)])
    assert told(seen, "b", [("s", 1)]) == []
    assert told(seen, "a", [("s", 1)]) == [("s", 1)]


@pytest.mark.parametrize("text", ["", "\ud800", "ü" * 10_000], ids=["empty", "surrogate", "long"])
def test_ids_may_be_anything(text: str) -> None:
    seen = Recognised(3)
    assert told(seen, text, [(text, 1)])
    assert not told(seen, text, [(text, 1)])
    assert msgspec.msgpack.encode(seen.state())


def test_what_is_held_of_a_trace_does_not_grow_with_its_ids() -> None:
    long, longer = Recognised(5), Recognised(5)
    told(long, "t" * 50, [("s" * 50, 1), ("u" * 50, 1)])
    told(longer, "t" * 5000, [("s" * 5000, 1), ("u" * 5000, 1)])
    (held,), (more,) = long.state(), longer.state()
    assert len(held[0]) == len(more[0]) == LONGEST
    assert [len(span) for span in held[2]] == [len(span) for span in more[2]] == [LONGEST] * 2
    assert not told(long, "t" * 50, [("s" * 50, 1), ("u" * 50, 1)])


def test_a_smaller_ring_takes_over_the_youngest_of_a_larger_one() -> None:
    seen, again = Recognised(10), Recognised(2)
    for trace in "abc":
        told(seen, trace, [("s", 1)])
    again.load(seen.state())
    assert [told(again, trace, [("s", 1)]) for trace in "cb"] == [[], []]
    assert told(again, "a", [("s", 1)])


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.lists(st.tuples(st.sampled_from("xyz"), st.integers(-1, 3)), max_size=6)),
        max_size=30,
    ),
    st.integers(0, 29),
)
def test_it_says_what_a_dictionary_would_say_also_over_a_restart(traces: list[tuple[str, Pairs]], restart: int) -> None:
    seen, known = Recognised(3), dict[str, Pairs]()
    for number, (trace, pairs) in enumerate(traces):
        if number == restart:
            again = Recognised(3)
            again.load(msgspec.msgpack.decode(msgspec.msgpack.encode(seen.state()), type=State))
            assert again.state() == seen.state()
            seen = again
        done = known.setdefault(trace, [])
        if len(known) > 3:
            del known[next(iter(known))]
        once = [pair for i, pair in enumerate(pairs) if pair not in done and (pair not in pairs[:i])]
        assert told(seen, trace, pairs) == once
        done += once


def test_spans_are_told_by_trace_also_where_two_traces_have_one_of_the_same_id() -> None:
    spans = Spans.of(["a", "b", "a", "b", "a"], [3, 0, 2])
    assert spans.distinct == ["a", "b", "b", "a"]
    assert (spans.many.tolist(), spans.number.tolist()) == ([2, 0, 2], [0, 1, 0, 2, 3])


def test_no_traces_have_no_spans() -> None:
    spans = Spans.of([], [])
    assert (spans.distinct, spans.many.tolist(), spans.number.tolist()) == ([], [], [])


@pytest.mark.parametrize("lengths", [[2, 2], [3, 1], [4]], ids=str)
def test_traces_of_one_call_each_are_told_as_any_others(lengths: list[int]) -> None:
    spans = [name for name, length in zip("xy", lengths, strict=False) for _ in range(length)]
    found = Spans.of(spans, lengths)
    assert found.distinct == list("xy")[: len(lengths)]
    assert [found.distinct[at] for at in found.number.tolist()] == spans


def many(seen: Recognised, traces: list[tuple[str, Pairs]]) -> dict[int, list[int]]:
    """What `fresh` says of several traces at once."""
    pairs = [pair for _, own in traces for pair in own]
    alike = [(pack([m for _, m in own]), len({m for _, m in own}) == len(own)) for _, own in traces]
    spans = Spans.of([span for span, _ in pairs], [len(own) for _, own in traces])
    return seen.fresh([trace for trace, _ in traces], spans, alike)


def test_traces_of_several_calls_that_come_together_are_remembered_as_if_they_came_alone() -> None:
    traces = [("t", [("a", 1), ("b", 2), ("a", 3)]), ("u", [("c", 1)]), ("v", [("a", 2), ("d", 1)])]
    together, alone = Recognised(10), Recognised(10)
    assert many(together, traces) == {}
    for trace in traces:
        assert many(alone, [trace]) == {}
    assert together.state() == alone.state()
    assert many(together, traces) == {0: [], 1: [], 2: []}
    assert many(together, [("t", [("a", 2), ("b", 2), ("a", 3)])]) == {0: [0]}


def test_a_trace_of_more_calls_than_a_byte_can_number_is_recognised() -> None:
    pairs = [(f"s{i}", i) for i in range(300)]
    seen, again = Recognised(3), Recognised(3)
    assert told(seen, "t", pairs) == pairs
    again.load(seen.state())
    assert told(again, "t", [*pairs, ("s7", 999)]) == [("s7", 999)]
