"""An external scorer says what was answered, and never makes up a score where nothing was."""

import math

import pytest

from holdfast.core.errors import UnavailableError
from holdfast.score.external.scorer import MAX_SPANS, SCORING_COST, Answer
from holdfast.score.external.selection import Selection
from tests.score.build import ANSWER, QUESTION, REFUNDS, exchange, llm, trace
from tests.score.external.bring import JUDGED, Breaks, Says, external


def test_an_answer_becomes_a_score_of_the_answering_call() -> None:
    (score,) = external(Says(lambda _: Answer(value=0.75, why="because"))).score(trace())
    assert (score.metric, score.value, score.scorer, score.version) == ("judged_wrong", 0.75, "mine", "1")
    assert (score.span_id, score.why) == (llm().span_id, "because")


def test_what_it_cost_is_a_score_too() -> None:
    scorer = external(Says(lambda _: Answer(value=0.5, cost_usd=0.002)), metrics=(JUDGED, SCORING_COST))
    assert {s.metric: s.value for s in scorer.score(trace())} == {"judged_wrong": 0.5, "scoring_cost": 0.002}


def test_a_failure_raises_and_is_no_pass() -> None:
    scorer = external(Says(lambda _: UnavailableError("gone")))
    with pytest.raises(UnavailableError, match="gone"):
        list(scorer.score(trace()))


def test_one_failure_of_many_is_told_of_that_one_alone() -> None:
    def answer(texts: object) -> Answer | Exception:
        return UnavailableError("no") if "bad" in str(texts) else Answer(value=0.1)

    outcomes = external(Says(answer)).score_many([trace(), exchange("a bad one"), exchange("fine")])
    assert [isinstance(outcome, Exception) for outcome in outcomes] == [False, True, False]


def test_what_fails_for_all_is_told_of_each_but_those_that_do_not_apply() -> None:
    outcomes = external(Breaks()).score_many([trace(), trace(llm("")), trace()])
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, tuple, ConnectionError]


def test_a_trace_that_it_does_not_apply_to_is_not_asked_about() -> None:
    asks = Says()
    assert external(asks).score(trace(llm(""))) == ()
    assert asks.asked == []


@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan, math.inf])
def test_an_answer_that_is_no_probability_is_refused(value: float) -> None:
    with pytest.raises(UnavailableError, match="no probability"):
        Answer(value=value)


def test_a_reason_without_end_is_cut() -> None:
    (score,) = external(Says(lambda _: Answer(value=0.75, why="word " * 10_000))).score(trace())
    assert len(score.why) <= 300


def test_stretches_are_in_the_text_that_was_read_last_and_bounded() -> None:
    asks = Says(lambda _: Answer(value=0.9, spans=tuple((n, n + 1, "odd") for n in range(100))))
    scorer = external(asks, selection=Selection(("context", "answer")))
    (score,) = scorer.score(exchange(ANSWER, QUESTION, REFUNDS))
    assert len(score.spans) == MAX_SPANS
    assert {span.field for span in score.spans} == {"answer"}


def test_scoring_does_not_ask_whether_the_trace_is_in_the_sample() -> None:
    scorer = external(selection=Selection(("answer",), share=1e-9))
    assert not scorer.due(trace())
    assert len(tuple(scorer.score(trace()))) == 1
