from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import thread_time

import msgspec
import pytest

from holdfast.core.call import Kind, Message
from holdfast.core.score import Metric, Score
from holdfast.core.trace import Trace
from holdfast.score.duplicate_answer import DuplicateAnswer
from holdfast.score.reading import TOGETHER
from holdfast.score.refusal import REFUSAL, Refusal
from holdfast.score.run import MAX_MESSAGE, Scoring
from tests.score.build import call, exchange, trace

LONG = "You can return your phone within 30 days of delivery when you keep the box and the bill in good order."


@dataclass(frozen=True)
class Broken:
    """Fails half-way through its scores."""

    message: str = "no such table"
    name: str = "broken"
    version: str = "7"
    metrics: tuple[Metric, ...] = (REFUSAL,)

    def score(self, trace: Trace) -> Iterable[Score]:
        yield next(iter(Refusal().score(trace)))
        raise KeyError(self.message)


def test_a_scorer_that_raises_becomes_a_failure_with_its_name_version_and_error() -> None:
    (scored,) = Scoring([Broken()]).score([trace()])
    (failed,) = scored.failures
    assert (failed.scorer, failed.version, failed.error_type) == ("broken", "7", "KeyError")
    assert "no such table" in failed.message


def test_nothing_that_a_failed_scorer_said_before_it_failed_is_kept() -> None:
    (scored,) = Scoring([Broken()]).score([trace()])
    assert scored.scores == ()


def test_a_broken_scorer_does_not_stop_the_others() -> None:
    (scored,) = Scoring([Broken(), Refusal()]).score([trace()])
    assert [s.metric for s in scored.scores] == ["refusal"]


def test_an_endless_error_message_is_cut() -> None:
    (scored,) = Scoring([Broken("x" * 10_000)]).score([trace()])
    (failed,) = scored.failures
    assert len(failed.message) == MAX_MESSAGE


def test_coverage_counts_ran_failed_and_skipped_apart() -> None:
    scoring = Scoring([Refusal(), Broken()])
    scoring.score([trace(), trace(call(Kind.EMBEDDING))])
    assert (scoring.coverage["refusal"].ran, scoring.coverage["refusal"].skipped) == (1, 1)
    assert scoring.coverage["broken"].failed == 2


def test_two_scorers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        Scoring([Refusal(), Refusal()])


def test_two_runners_share_no_memory() -> None:
    shared = DuplicateAnswer(learning=0)
    first, second = Scoring([shared]), Scoring([shared])
    first.score([exchange(LONG, "How long can phones be returned?")])
    (scored,) = second.score([exchange(LONG, "Which colours are sold in Norway?")])
    (score,) = scored.scores
    assert score.value < 0.1


def test_a_restart_takes_over_what_scorers_remember() -> None:
    before, after = Scoring([Refusal(), DuplicateAnswer(learning=0)]), Scoring([Refusal(), DuplicateAnswer(learning=0)])
    before.score([exchange(LONG, "How long can phones be returned?")])
    after.restore(before.snapshot())
    (scored,) = after.score([exchange(LONG, "Which colours are sold in Norway?")])
    assert {s.metric: s.value > 0.8 for s in scored.scores}["duplicate_answer"]


def test_a_scorer_of_another_version_starts_without_memories() -> None:
    before, after = Scoring([DuplicateAnswer(learning=0)]), Scoring([DuplicateAnswer(learning=0, version="next")])
    before.score([exchange(LONG, "How long can phones be returned?")])
    after.restore(before.snapshot())
    (scored,) = after.score([exchange(LONG, "Which colours are sold in Norway?")])
    (score,) = scored.scores
    assert score.value < 0.1


def test_memories_that_are_none_are_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        Scoring([DuplicateAnswer()]).restore(b"\xc1")


@dataclass(frozen=True)
class Unprepared:
    """Fails when it prepares, and scores all the same."""

    name: str = "unprepared"
    version: str = "1"
    metrics: tuple[Metric, ...] = (REFUSAL,)

    def prepare(self, traces: Sequence[Trace]) -> None:
        raise KeyError("not ready")

    def score(self, trace: Trace) -> Iterable[Score]:
        return Refusal().score(trace)


def test_a_scorer_that_cannot_prepare_is_still_asked_trace_by_trace() -> None:
    scoring = Scoring([Unprepared()])
    assert [len(scored.scores) for scored in scoring.score([trace(), trace()])] == [1, 1]
    assert scoring.coverage["unprepared"].failed == 0


def test_traces_come_back_in_their_order_however_many_there_are() -> None:
    traces = [trace() for _ in range(TOGETHER + 3)]
    assert [scored.trace for scored in Scoring([Refusal()]).score(traces)] == traces


def test_one_broken_trace_costs_the_others_nothing() -> None:
    @dataclass(frozen=True)
    class Picky(Refusal):
        def score(self, trace: Trace) -> Iterable[Score]:
            if trace.of_kind(Kind.EMBEDDING):
                raise ValueError("cannot read this")
            return super().score(trace)

    scored = Scoring([Picky()]).score([trace(), trace(call(Kind.EMBEDDING)), trace()])
    assert [(len(s.scores), len(s.failures)) for s in scored] == [(1, 0), (0, 1), (1, 0)]


@dataclass(frozen=True)
class Slow(Refusal):
    """Takes its time over traces of one kind, and may fail after it."""

    fails: bool = False

    def score(self, trace: Trace) -> Iterable[Score]:
        if trace.of_kind(Kind.EMBEDDING):
            until = thread_time() + 0.15
            while thread_time() < until:
                pass
            if self.fails:
                raise ValueError("after all that")
        return super().score(trace)


SLOW = (call(Kind.EMBEDDING), call(Kind.LLM, 2, output_messages=(Message("assistant", "I cannot help with that."),)))


def test_a_scorer_over_its_time_has_failed_and_its_score_is_no_pass() -> None:
    scoring = Scoring([Slow()], summaries=(), budget_s=0.1)
    (scored,) = scoring.score([trace(*SLOW)])
    assert scored.scores == ()
    (failed,) = scored.failures
    assert (failed.scorer, failed.error_type) == ("refusal", "TimeoutError")
    assert "0.1 s are allowed" in failed.message
    assert (scoring.coverage["refusal"].ran, scoring.coverage["refusal"].failed) == (0, 1)


def test_the_same_work_within_the_time_is_a_score() -> None:
    (scored,) = Scoring([Slow()], summaries=(), budget_s=5.0).score([trace(*SLOW)])
    assert [s.metric for s in scored.scores] == ["refusal"]


@pytest.mark.parametrize("fails", [False, True], ids=["over its time", "failed after its time"])
def test_the_time_of_one_trace_is_not_charged_to_the_next(fails: bool) -> None:
    scored = Scoring([Slow(fails=fails)], summaries=(), budget_s=0.1).score([trace(), trace(*SLOW), trace()])
    assert [(len(s.scores), len(s.failures)) for s in scored] == [(1, 0), (0, 1), (1, 0)]
