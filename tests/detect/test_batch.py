import tracemalloc
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.clock import NS_PER_S
from holdfast.core.score import Failed, Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.detect.batch import STUBBORN_LATE, Batch, Extractor
from holdfast.detect.columns import ColumnTable
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.segments import SegmentIndex
from tests.detect.simulation import METRICS, RATES, Script, traffic

TRACES = traffic(Script(seconds=200))


def extractor(**settings: int) -> Extractor:
    policy = DetectPolicy(**settings)  # type: ignore[arg-type]
    return Extractor(SegmentIndex(1000, {}), ColumnTable(METRICS, policy), policy)


def shifted(scored: ScoredTrace, seconds: float) -> ScoredTrace:
    calls = tuple(msgspec.structs.replace(c, end_ns=c.end_ns + int(seconds * NS_PER_S)) for c in scored.trace.calls)
    return ScoredTrace(Trace(scored.trace.trace_id, calls), scored.scores)


def test_every_score_becomes_a_row() -> None:
    batch = extractor().extract(TRACES)
    assert len(batch.scores) == len(TRACES) * len(RATES) == len(batch.value) == len(batch.profile)
    assert (batch.reached_ns[1:] >= batch.reached_ns[:-1]).all()


def test_a_trace_that_comes_again_counts_once() -> None:
    seen = extractor()
    seen.extract(TRACES)
    assert not seen.extract(TRACES).scores
    assert seen.skipped["duplicate"] == len(TRACES) * len(RATES)


def test_a_trace_that_comes_again_with_a_further_score_counts_for_that_score_alone() -> None:
    seen = extractor()
    first = msgspec.structs.replace(TRACES[0], scores=TRACES[0].scores[:3])
    seen.extract([first])
    assert [s.metric for s in seen.extract([TRACES[0]]).scores] == [s.metric for s in TRACES[0].scores[3:]]


def test_a_metric_twice_on_one_call_counts_once() -> None:
    double = msgspec.structs.replace(TRACES[0], scores=TRACES[0].scores[:1] * 2)
    assert len(extractor().extract([double]).scores) == 1


def test_memory_of_traces_is_bounded() -> None:
    seen = extractor(remembered_traces=5)
    seen.extract(TRACES)
    state = seen.state()
    assert len(state["seen"]) == 5  # type: ignore[arg-type]


def test_a_trace_hours_behind_does_not_count() -> None:
    seen = extractor()
    seen.extract(TRACES[:50])
    assert not seen.extract([shifted(TRACES[60], -2 * 3600)]).scores
    assert seen.skipped["late"] == 1


def test_a_clock_that_was_ahead_does_not_silence_an_application() -> None:
    seen = extractor()
    seen.extract([shifted(TRACES[0], 10 * 86_400)])
    batch = seen.extract(TRACES[1:60])
    assert len(batch.traces) == 59 - (STUBBORN_LATE - 1)


def test_a_trace_without_a_time_does_not_count() -> None:
    seen = extractor()
    assert not seen.extract([shifted(TRACES[0], -1e10)]).scores
    assert seen.skipped["untimed"] == 1


def test_a_score_of_a_metric_that_nobody_defined_is_counted_and_left_out() -> None:
    seen = extractor()
    strange = msgspec.structs.replace(TRACES[0].scores[0], metric="strange")
    assert not seen.extract([msgspec.structs.replace(TRACES[0], scores=(strange,))]).scores
    assert seen.skipped["unknown_metric"] == 1


def test_a_score_of_an_unknown_span_belongs_to_the_root() -> None:
    lost: Score = msgspec.structs.replace(TRACES[0].scores[0], span_id="f" * 16)
    assert len(extractor().extract([msgspec.structs.replace(TRACES[0], scores=(lost,))]).scores) == 1


def test_a_new_version_of_a_scorer_is_told_once_and_the_first_one_not_at_all() -> None:
    seen = extractor()
    assert not seen.extract(TRACES[:5]).recalibrated
    newer = [
        msgspec.structs.replace(t, scores=tuple(msgspec.structs.replace(s, version="2") for s in t.scores)) for t in TRACES[5:8]
    ]
    assert len(seen.extract(newer[:1]).recalibrated) == len(RATES)
    assert not seen.extract(newer[1:]).recalibrated


def test_a_restored_extractor_knows_what_the_first_one_knew() -> None:
    first, second = extractor(), extractor()
    first.extract(TRACES[:40])
    second._index.load(first._index.state())
    second.load(msgspec.msgpack.decode(msgspec.msgpack.encode(first.state())))
    assert not second.extract(TRACES[:40]).scores
    assert not second.extract(TRACES[40:50]).recalibrated


def of_several_calls(scored: ScoredTrace) -> ScoredTrace:
    """The trace with a tool call beside its root, of which every second score is told."""
    root = scored.trace.calls[0]
    tool = msgspec.structs.replace(
        root, span_id="b" * 16, parent_span_id=root.span_id, dimensions={**root.dimensions, "tool": ("search",)}
    )
    scores = [msgspec.structs.replace(s, span_id=tool.span_id if i % 2 else s.span_id) for i, s in enumerate(scored.scores)]
    return ScoredTrace(Trace(scored.trace.trace_id, (root, tool)), tuple(scores))


def of_another_application(scored: ScoredTrace) -> ScoredTrace:
    call = scored.trace.calls[0]
    other = msgspec.structs.replace(call, trace_id="", dimensions={**call.dimensions, "service.name": ("other",)})
    return ScoredTrace(Trace("o" + scored.trace.trace_id, (other,)), scored.scores[:2])


def with_strange_metric(scored: ScoredTrace) -> ScoredTrace:
    strange = msgspec.structs.replace(scored.scores[0], metric="strange")
    return msgspec.structs.replace(scored, scores=(*scored.scores, strange))


def failed_alone(scored: ScoredTrace) -> ScoredTrace:
    of = scored.scores[0]
    failed = Failed(trace_id=of.trace_id, span_id="", scorer="lexical", version="1", error_type="OSError", message="gone")
    return ScoredTrace(scored.trace, (), (failed,))


KINDS: dict[str, Callable[[ScoredTrace], ScoredTrace]] = {
    "plain": lambda scored: scored,
    "fewer scores": lambda scored: msgspec.structs.replace(scored, scores=scored.scores[:4]),
    "several calls": of_several_calls,
    "another application": of_another_application,
    "strange metric": with_strange_metric,
    "failed": failed_alone,
    "late": lambda scored: shifted(scored, -2 * 3600),
    "untimed": lambda scored: shifted(scored, -1e10),
    "nothing": lambda scored: msgspec.structs.replace(scored, scores=()),
}


def rows(batches: Sequence[Batch], of: Extractor) -> list[tuple[object, ...]]:
    """Each trace, and then each of its scores, with all that batches say of it."""
    found = list[tuple[object, ...]]()
    for b in batches:
        t, profiles = b.traces, of._index.profiles
        for i in range(len(t)):
            found.append((t.reached_ns[i], t.app[i], profiles[t.profile[i]], t.user[i], t.scorers[i], t.failed[i], t.addendum[i]))
            for row in np.flatnonzero(b.trace[b.place] == i).tolist() if len(b.scores) else ():
                place, score = int(b.place[row]), b.scores[row]
                where = profiles[b.dimensions[place]], int(b.ended_ns[place]), int(b.arrived_ns[place])
                found.append((score.trace_id, score.span_id, of._table.names[int(b.metric[row])], float(b.value[row]), *where))
    return found


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(sorted(KINDS))), max_size=40), st.integers(1, 12))
def test_how_traces_are_cut_into_portions_changes_nothing_of_what_is_extracted(told: list[tuple[int, str]], cut: int) -> None:
    traces = [KINDS[kind](TRACES[number]) for number, kind in told]
    whole, parts = extractor(), extractor()
    at_once = rows([whole.extract(traces)], whole)
    in_parts = rows([parts.extract(traces[at : at + cut]) for at in range(0, len(traces), cut)], parts)
    assert at_once == in_parts
    assert whole.skipped == parts.skipped
    assert whole.reached_ns == parts.reached_ns
    assert whole.state() == parts.state()


def test_each_score_is_placed_at_its_own_call() -> None:
    seen = extractor()
    batch = seen.extract([TRACES[0], of_several_calls(TRACES[1]), TRACES[2]])
    tools = ["search" in {seen._index.segments[s].value for s in seen._index.profiles[p]} for p in batch.profile]
    count = len(RATES)
    assert tools == [False] * count + [bool(i % 2) for i in range(count)] + [False] * count
    assert batch.trace[batch.place].tolist() == [0] * count + [1] * count + [2] * count


def test_of_a_portion_with_nothing_that_counts_there_is_an_empty_batch() -> None:
    seen = extractor()
    for traces in ([], [KINDS["nothing"](TRACES[0])], [KINDS["untimed"](TRACES[1]), KINDS["untimed"](TRACES[2])]):
        batch = seen.extract(traces)
        assert len(batch.traces) == len(batch.scores) == len(batch.value) == len(batch.trace) == 0


def test_a_trace_with_many_scores_does_not_multiply_by_the_size_of_its_portion() -> None:
    many = msgspec.structs.replace(TRACES[0], scores=tuple(TRACES[0].scores) * 5000)
    tracemalloc.start()
    try:
        extractor().extract([many, *TRACES[1:100]])
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()
