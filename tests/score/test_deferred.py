"""Late scores: bounded, never lost without a word, never in the pipeline's way, and about the call that they judge."""

from collections.abc import Iterator, Sequence

import msgspec
import pytest

from holdfast.core.call import Kind
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.score import deferred
from holdfast.score.deferred import CONVENTION, DeferredScorer, DeferredScoring, Outcome, QueueFullError, late
from holdfast.score.external.scorer import Answer, External
from holdfast.score.external.selection import Selection
from tests.score.build import exchange, llm, trace
from tests.score.external.bring import Breaks, Says, Stuck, external


def numbered(number: int, answer: str = "fine") -> Trace:
    trace_id = f"{number:032x}"
    return Trace(trace_id, (msgspec.structs.replace(llm(answer), trace_id=trace_id),))


def patient(*scorers: DeferredScorer) -> DeferredScoring:
    return DeferredScoring(scorers, patient=True)


def settled(scoring: DeferredScoring, traces: Sequence[Trace]) -> list[ScoredTrace]:
    scoring.submit(traces)
    try:
        return scoring.take()
    finally:
        scoring.close()


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    asks = Stuck()
    yield asks
    asks.go.set()


def test_without_scorers_there_is_nothing_to_do() -> None:
    scoring = DeferredScoring()
    scoring.submit([trace()])
    assert scoring.take() == []
    assert scoring.coverage == {}


def test_a_late_score_is_a_child_of_the_call_that_it_is_about() -> None:
    (scored,) = settled(patient(external()), [trace()])
    (call,) = scored.trace.calls
    judged = llm()
    assert (call.trace_id, call.parent_span_id, call.kind, call.convention) == (
        judged.trace_id,
        judged.span_id,
        Kind.EVALUATION,
        CONVENTION,
    )
    assert (call.end_ns, call.dimensions) == (judged.end_ns, judged.dimensions)
    assert scored.trace.addendum
    (score,) = scored.scores
    assert (score.span_id, score.value) == (call.span_id, 0.25)


def test_the_same_score_again_is_the_same_call() -> None:
    first, second = (late(external(), trace(), ()) for _ in range(2))
    assert first.trace.root.span_id == second.trace.root.span_id
    assert late(external(name="other"), trace(), ()).trace.root.span_id != first.trace.root.span_id


def test_a_failure_is_a_row_that_says_so_and_never_a_pass() -> None:
    (scored,) = settled(patient(external(Breaks())), [trace()])
    assert scored.scores == ()
    (failed,) = scored.failures
    assert (failed.scorer, failed.version, failed.error_type, failed.message) == ("mine", "1", "ConnectionError", "nobody there")
    assert failed.span_id == scored.trace.root.span_id


def test_only_what_is_due_is_asked_about_and_the_rest_counts_as_skipped() -> None:
    asks = Says()
    scoring = patient(external(asks, selection=Selection(("answer",), share=0.2)))
    found = settled(scoring, [numbered(n) for n in range(200)])
    assert 10 < len(found) == len(asks.asked) < 80
    assert scoring.coverage["mine"].ran == len(found)
    assert scoring.coverage["mine"].skipped == 200 - len(found)


def test_a_server_does_not_wait_for_a_scorer_that_hangs(stuck: Stuck) -> None:
    scoring = DeferredScoring([external(stuck)])
    scoring.submit([numbered(1)])
    assert stuck.begun.wait(5)
    assert scoring.take() == []
    stuck.go.set()
    scoring.close()
    assert len(scoring.take()) == 1


def test_a_scorer_that_hangs_holds_up_no_other(stuck: Stuck) -> None:
    quick = Says()
    scoring = DeferredScoring([external(stuck), external(quick, name="quick")])
    scoring.submit([numbered(n) for n in range(3)])
    with scoring._changed:
        assert scoring._changed.wait_for(lambda: len(scoring._ready) == 3, 5)
    assert {scored.trace.root.name for scored in scoring.take()} == {"quick"}
    stuck.go.set()
    scoring.close()


def test_a_full_queue_is_told_as_failures_at_once(stuck: Stuck) -> None:
    scoring = DeferredScoring([external(stuck, queue=3)])
    scoring.submit([numbered(n) for n in range(10)])
    refused = scoring.take()
    assert len(refused) == 7
    assert {failure.error_type for scored in refused for failure in scored.failures} == {QueueFullError.__name__}
    assert scoring.coverage["mine"].failed == 7
    stuck.go.set()
    scoring.close()


def test_a_trace_that_waits_already_is_not_queued_again(stuck: Stuck) -> None:
    scoring = DeferredScoring([external(stuck)])
    for _ in range(3):
        scoring.submit([numbered(1)])
    assert stuck.begun.wait(5)
    stuck.go.set()
    scoring.close()
    assert len(scoring.take()) == 1


def test_a_replay_waits_and_loses_nothing_even_over_the_queue() -> None:
    found = settled(patient(external(queue=2, workers=3, batch=4)), [numbered(n) for n in range(50)])
    assert {scored.trace.trace_id for scored in found} == {f"{n:032x}" for n in range(50)}


def test_a_replay_gives_up_in_the_end_and_says_so(stuck: Stuck, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "PATIENCE_S", 0.05)
    scoring = patient(external(stuck))
    scoring.submit([numbered(1), numbered(2)])
    found = scoring.take()
    assert {failure.error_type for scored in found for failure in scored.failures} == {"TimeoutError"}
    assert len(found) == 2
    stuck.go.set()
    scoring.close()
    assert scoring.take() == []


class Batches(Says):
    """Notes how many it was asked at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def ask(self, texts: object) -> list[Answer | Exception]:
        self.sizes.append(len(texts))  # type: ignore[arg-type]
        return super().ask(texts)  # type: ignore[arg-type]


def test_traces_are_taken_in_batches_of_the_scorers_size() -> None:
    asks = Batches()
    settled(patient(external(asks, batch=8)), [numbered(n) for n in range(20)])
    assert max(asks.sizes) <= 8
    assert sum(asks.sizes) == 20


class Odd:
    """Breaks the contract: raises, or answers too few."""

    name, version, metrics, batch, queue, workers = "odd", "1", external().metrics, 4, 10, 1

    def __init__(self, how: str) -> None:
        self._how = how

    def due(self, trace: Trace) -> bool:
        if self._how == "due":
            raise KeyError("due")
        return True

    def score(self, trace: Trace) -> tuple[()]:
        return ()

    def score_many(self, traces: Sequence[Trace]) -> list[Outcome]:
        if self._how == "raises":
            raise KeyError("score_many")
        return []


@pytest.mark.parametrize(("how", "error"), [("due", "KeyError"), ("raises", "KeyError"), ("too few", "ValueError")])
def test_a_scorer_that_breaks_the_contract_is_a_failure_and_not_the_end(how: str, error: str) -> None:
    found = settled(patient(Odd(how)), [numbered(1), numbered(2)])
    assert [failure.error_type for scored in found for failure in scored.failures] == [error, error]


def test_a_trace_that_turns_out_not_to_apply_gives_nothing() -> None:
    class Unsure(External):
        def due(self, trace: Trace) -> bool:
            return True

    fields = {name: getattr(external(), name) for name in External.__dataclass_fields__}
    assert settled(patient(Unsure(**fields)), [trace(llm(""))]) == []


def test_what_is_owed_at_a_restart_is_asked_again(stuck: Stuck) -> None:
    before = DeferredScoring([external(stuck)])
    before.submit([numbered(1), numbered(2)])
    snapshot = before.snapshot()
    stuck.go.set()
    before.close()
    known = {f"{n:032x}": numbered(n) for n in (1,)}
    after = DeferredScoring([external()], known.get, patient=True)
    after.restore(snapshot)
    assert [scored.trace.trace_id for scored in after.take()] == [f"{1:032x}"]
    after.close()


def test_what_became_ready_and_was_not_taken_is_owed_still() -> None:
    scoring = patient(external())
    scoring.submit([numbered(1)])
    scoring.close()
    assert msgspec.msgpack.decode(scoring.snapshot()) == {"mine": [f"{1:032x}"]}


def test_what_was_taken_is_owed_no_longer() -> None:
    scoring = patient(external())
    settled(scoring, [numbered(1)])
    assert msgspec.msgpack.decode(scoring.snapshot()) == {"mine": []}


def test_a_scorer_that_is_gone_is_owed_nothing() -> None:
    scoring = patient(external(name="new"))
    scoring.restore(msgspec.msgpack.encode({"old": [f"{1:032x}"]}))
    assert scoring.take() == []


def test_a_snapshot_that_is_none_is_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        patient(external()).restore(b"\xc1")


def test_scores_of_different_answers_in_one_trace_are_told_apart() -> None:
    found = settled(patient(external()), [trace(), trace(llm("another", span=7))])
    assert len({scored.trace.root.span_id for scored in found}) == 2


def test_an_exchange_is_shown_as_the_selection_says() -> None:
    asks = Says()
    settled(patient(external(asks)), [exchange("thirty days", "how long?")])
    assert asks.asked == [{"question": "how long?", "answer": "thirty days"}]
