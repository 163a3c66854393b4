from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import pytest

from holdfast.core.call import Kind
from holdfast.core.score import Metric, Score
from holdfast.core.trace import Trace
from holdfast.score.duplicate_answer import DuplicateAnswer
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
    scored = Scoring([Broken()]).score(trace())
    (failed,) = scored.failures
    assert (failed.scorer, failed.version, failed.error_type) == ("broken", "7", "KeyError")
    assert "no such table" in failed.message


def test_nothing_that_a_failed_scorer_said_before_it_failed_is_kept() -> None:
    assert Scoring([Broken()]).score(trace()).scores == ()


def test_a_broken_scorer_does_not_stop_the_others() -> None:
    scored = Scoring([Broken(), Refusal()]).score(trace())
    assert [s.metric for s in scored.scores] == ["refusal"]


def test_an_endless_error_message_is_cut() -> None:
    (failed,) = Scoring([Broken("x" * 10_000)]).score(trace()).failures
    assert len(failed.message) == MAX_MESSAGE


def test_coverage_counts_ran_failed_and_skipped_apart() -> None:
    scoring = Scoring([Refusal(), Broken()])
    scoring.score(trace())
    scoring.score(trace(call(Kind.EMBEDDING)))
    assert (scoring.coverage["refusal"].ran, scoring.coverage["refusal"].skipped) == (1, 1)
    assert scoring.coverage["broken"].failed == 2


def test_two_scorers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        Scoring([Refusal(), Refusal()])


def test_two_runners_share_no_memory() -> None:
    shared = DuplicateAnswer(learning=0)
    first, second = Scoring([shared]), Scoring([shared])
    first.score(exchange(LONG, "How long can phones be returned?"))
    (score,) = second.score(exchange(LONG, "Which colours are sold in Norway?")).scores
    assert score.value < 0.1


def test_a_restart_takes_over_what_scorers_remember() -> None:
    before, after = Scoring([Refusal(), DuplicateAnswer(learning=0)]), Scoring([Refusal(), DuplicateAnswer(learning=0)])
    before.score(exchange(LONG, "How long can phones be returned?"))
    after.restore(before.snapshot())
    found = after.score(exchange(LONG, "Which colours are sold in Norway?")).scores
    assert {s.metric: s.value > 0.8 for s in found}["duplicate_answer"]


def test_a_scorer_of_another_version_starts_without_memories() -> None:
    before, after = Scoring([DuplicateAnswer(learning=0)]), Scoring([DuplicateAnswer(learning=0, version="next")])
    before.score(exchange(LONG, "How long can phones be returned?"))
    after.restore(before.snapshot())
    (score,) = after.score(exchange(LONG, "Which colours are sold in Norway?")).scores
    assert score.value < 0.1


def test_memories_that_are_none_are_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        Scoring([DuplicateAnswer()]).restore(b"\xc1")
