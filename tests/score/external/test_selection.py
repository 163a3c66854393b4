"""Which traces are asked about: decided by the trace alone, the same everywhere."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.trace import Trace
from holdfast.score.external.selection import Selection, sampled
from holdfast.score.reading import Reading
from holdfast.score.text import CAP
from tests.score.build import ANSWER, QUESTION, REFUNDS, SYSTEM, exchange, llm, trace


@given(st.text(max_size=40), st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_smaller_sample_is_part_of_a_larger_one(trace_id: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert not sampled(trace_id, small) or sampled(trace_id, large)


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_the_sample_has_the_share_that_was_asked_for(share: float) -> None:
    taken = sum(sampled(f"{number:032x}", share) for number in range(20_000))
    assert abs(taken / 20_000 - share) < 0.01


def test_the_texts_come_in_the_order_in_which_they_are_read() -> None:
    reading = Reading(exchange(ANSWER, QUESTION, REFUNDS))
    texts = Selection(("context", "answer", "question", "system")).texts(reading)
    assert texts is not None
    assert list(texts.items()) == [("context", REFUNDS), ("answer", ANSWER), ("question", QUESTION), ("system", SYSTEM)]


@pytest.mark.parametrize("missing", ["question", "answer", "context", "system"])
def test_a_trace_without_a_text_that_is_read_is_not_due(missing: str) -> None:
    whole = {"question": QUESTION, "answer": ANSWER, "context": REFUNDS, "system": SYSTEM} | {missing: " "}
    subject = exchange(whole["answer"], whole["question"], whole["context"], system=whole["system"])
    assert not Selection((missing,)).due(subject)


def test_only_the_named_applications_are_due() -> None:
    assert Selection(("answer",), applications=frozenset({"support"})).due(trace())
    assert not Selection(("answer",), applications=frozenset({"bank"})).due(trace())


def test_an_application_is_covered_or_not_whatever_the_sample() -> None:
    assert Selection(("answer",), share=1e-12, applications=frozenset({"support"})).covers(trace())
    assert not Selection(("answer",), applications=frozenset({"bank"})).covers(trace())


def test_what_is_out_of_the_sample_is_not_due() -> None:
    subjects = [Trace(f"{n:032x}", (msgspec.structs.replace(llm(), trace_id=f"{n:032x}"),)) for n in range(200)]
    due = [Selection(("answer",), share=0.2).due(subject) for subject in subjects]
    assert due == [sampled(subject.trace_id, 0.2) for subject in subjects]
    assert 10 < sum(due) < 80


def test_a_long_context_is_cut() -> None:
    texts = Selection(("context",)).texts(Reading(exchange(ANSWER, QUESTION, *["word " * 4000] * 5)))
    assert texts is not None
    assert len(texts["context"]) == CAP
