import msgspec

from holdfast.core.clock import NS_PER_S
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace
from holdfast.detect.batch import STUBBORN_LATE, Extractor
from holdfast.detect.columns import ColumnTable
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.segments import SegmentIndex
from tests.detect.simulation import METRICS, Script, traffic

TRACES = traffic(Script(seconds=200))


def extractor(**settings: int) -> Extractor:
    policy = DetectPolicy(**settings)  # type: ignore[arg-type]
    return Extractor(SegmentIndex(1000, {}), ColumnTable(METRICS, policy), policy)


def shifted(scored: ScoredTrace, seconds: float) -> ScoredTrace:
    from holdfast.core.trace import Trace

    calls = tuple(msgspec.structs.replace(c, end_ns=c.end_ns + int(seconds * NS_PER_S)) for c in scored.trace.calls)
    return ScoredTrace(Trace(scored.trace.trace_id, calls), scored.scores)


def test_every_score_becomes_a_row() -> None:
    batch = extractor().extract(TRACES)
    assert len(batch.scores) == len(TRACES) * len(METRICS) == len(batch.value) == len(batch.profile)
    assert (batch.reached_ns[1:] >= batch.reached_ns[:-1]).all()


def test_a_trace_that_comes_again_counts_once() -> None:
    seen = extractor()
    seen.extract(TRACES)
    assert not seen.extract(TRACES).scores
    assert seen.skipped["duplicate"] == len(TRACES) * len(METRICS)


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
    assert len(seen.extract(newer[:1]).recalibrated) == len(METRICS)
    assert not seen.extract(newer[1:]).recalibrated


def test_a_restored_extractor_knows_what_the_first_one_knew() -> None:
    first, second = extractor(), extractor()
    first.extract(TRACES[:40])
    second._index.load(first._index.state())
    second.load(msgspec.msgpack.decode(msgspec.msgpack.encode(first.state())))
    assert not second.extract(TRACES[:40]).scores
    assert not second.extract(TRACES[40:50]).recalibrated
