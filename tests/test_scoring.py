"""Scoring beside the pipeline says the same as scoring in it, and a trace that kills it is told as unscored."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import pytest

from holdfast.core.call import Call, Kind, Message
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import StoreError
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.duplicate_answer import DuplicateAnswer
from holdfast.score.protocol import Scorer, score_of
from holdfast.score.repetition import Repetition
from holdfast.scoring import MOST_DEATHS, ScoringApart, ScoringHere

METRIC = Metric(
    name="tested",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="test",
    description="of a test",
)


@dataclass(frozen=True)
class Obedient:
    """Does what the answer says."""

    name: str = "obedient"
    version: str = "1"
    metrics: tuple[Metric, ...] = (METRIC,)

    def score(self, trace: Trace) -> Iterable[Score]:
        if trace.model_answer == "die":
            os._exit(9)
        if trace.model_answer == "hang":
            time.sleep(600)
        if trace.model_answer == "raise":
            raise ValueError("as told")
        if trace.model_answer != "pass":
            yield score_of(self, trace.root, METRIC, 0.5)


def scorers() -> tuple[Scorer, ...]:
    return (Obedient(), Repetition(), DuplicateAnswer(learning=0))


def none_to_be_had() -> tuple[Scorer, ...]:
    if os.environ.get("HOLDFAST_TEST_PARENT") == str(os.getpid()):
        return scorers()
    raise RuntimeError("no scorers here")


def traces(*answers: str) -> list[Trace]:
    return [
        Trace(
            f"{n:032x}",
            (
                Call(
                    trace_id=f"{n:032x}",
                    span_id=f"{n:016x}",
                    kind=Kind.LLM,
                    start_ns=n * NS_PER_S,
                    end_ns=n * NS_PER_S + 5,
                    input_messages=(Message("user", f"question {n} about the refund"),),
                    output_messages=(Message("assistant", answer),),
                    dimensions={"service.name": ("shop",)},
                ),
            ),
        )
        for n, answer in enumerate(answers, 1)
    ]


@pytest.fixture(scope="module")
def apart() -> Iterator[ScoringApart]:
    scoring = ScoringApart(scorers)
    yield scoring
    scoring.close()


def unscored(scoring: ScoringApart, portion: Sequence[Trace]) -> list[bool]:
    return [len(one.failures) == len(scorers()) for one in scoring.begin(portion).result()]


def test_a_trace_that_kills_the_process_fails_in_every_scorer_and_the_others_are_scored(apart: ScoringApart) -> None:
    before = apart.coverage["obedient"].failed
    assert unscored(apart, traces("one", "die", "two")) == [False, True, False]
    assert apart.coverage["obedient"].failed == before + 1


def test_a_portion_that_was_under_way_when_the_process_died_is_scored_all_the_same(apart: ScoringApart) -> None:
    bad, good = apart.begin(traces("die")), apart.begin(traces("one", "two"))
    assert [len(one.failures) for one in bad.result()] == [len(scorers())]
    assert [len(one.failures) for one in good.result()] == [0, 0]


def test_a_trace_that_hangs_is_told_as_unscored_with_the_reason() -> None:
    scoring = ScoringApart(scorers, answer_s=3.0)
    try:
        scoring.begin(traces("one")).result()
        (found,) = scoring.begin(traces("hang")).result()
        assert {failure.message for failure in found.failures} == {"no answer within 3 s"}
        assert not scoring.begin(traces("one")).result()[0].failures
    finally:
        scoring.close()


def test_a_portion_that_kills_again_and_again_is_given_up() -> None:
    scoring = ScoringApart(scorers)
    try:
        assert unscored(scoring, traces(*["die"] * MOST_DEATHS, "one")) == [True] * (MOST_DEATHS + 1)
    finally:
        scoring.close()


def test_a_process_that_cannot_start_is_an_error_and_not_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_TEST_PARENT", str(os.getpid()))
    scoring = ScoringApart(none_to_be_had)
    try:
        with pytest.raises(StoreError, match="did not start"):
            scoring.begin(traces("one")).result()
    finally:
        scoring.close()


def test_a_scorer_that_raises_over_there_is_a_failure_here(apart: ScoringApart) -> None:
    (found,) = apart.begin(traces("raise")).result()
    assert [(failure.scorer, failure.message) for failure in found.failures] == [("obedient", "as told")]


def test_what_is_no_snapshot_is_refused_before_it_is_sent(apart: ScoringApart) -> None:
    with pytest.raises(msgspec.MsgspecError):
        apart.restore(b"\x01")


def test_both_ways_say_the_same_of_the_same_traces() -> None:
    here, beside = ScoringHere(scorers()), ScoringApart(scorers)
    try:
        for portion in (traces("a b a b a b", "pass", "raise"), [], traces("the same words as before", "x")):
            mine, theirs = here.begin(portion).result(), beside.begin(portion).result()
            assert [(one.scores, one.failures) for one in mine] == [(one.scores, one.failures) for one in theirs]
        assert here.coverage == beside.coverage
        assert here.snapshot() == beside.snapshot()
    finally:
        beside.close()


def test_memories_survive_the_death_of_the_process() -> None:
    here, beside = ScoringHere(scorers()), ScoringApart(scorers)
    try:
        here.begin(traces("one", "two")).result()
        beside.restore(here.snapshot())
        beside.begin(traces("die")).result()
        assert beside.snapshot() == here.snapshot()
    finally:
        beside.close()


def test_nothing_to_score_needs_no_process(apart: ScoringApart) -> None:
    pending = apart.begin([])
    assert pending.done()
    assert pending.result() == []
