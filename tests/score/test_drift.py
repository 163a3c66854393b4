import msgspec
import numpy as np
import pytest

from holdfast.core.trace import Trace
from holdfast.score.drift import MAX_SEGMENTS, Drift, Reference
from holdfast.score.drift_features import ANSWER_SIZE, QUESTION_SIZE
from tests.score.build import exchange, llm, scores, trace

NOUNS = ["phone", "tablet", "charger", "cable", "case", "screen", "battery", "keyboard"]
ENDINGS = ["Thank you for asking.", "Please keep the bill.", "We are glad to help you.", "Have a nice day."]


def healthy(i: int, route: str = "/chat") -> Trace:
    noun, ending = NOUNS[i % 8], ENDINGS[i % 4]
    answer = f"You can return the {noun} within {i % 27 + 3} days of delivery. The refund is paid to your card. {ending}"
    return trace(llm(answer, f"How do I return my {noun} number {i}?", dimensions={"service.name": ("s",), "route": (route,)}))


def learnt(n: int = 300) -> Drift:
    scorer = Drift()
    for i in range(n):
        assert not scores(scorer, healthy(i))
    return scorer


def test_nothing_is_said_before_the_reference_is_full() -> None:
    scorer = learnt(300)
    assert scores(scorer, healthy(300))


def test_usual_answers_rank_evenly_and_other_ones_high() -> None:
    scorer = learnt()
    usual = [scores(scorer, healthy(i))["output_drift"].value for i in range(300, 420)]
    assert 0.1 < float(np.mean(usual)) < 0.45
    dimensions = {"service.name": ("s",), "route": ("/chat",)}
    strange = trace(
        llm("YO!!! SURE THING\n- JUST SEND IT\n- LOL :)", "How do I return my phone number 7?", dimensions=dimensions)
    )
    found = scores(scorer, strange)["output_drift"]
    assert found.value > 0.95
    assert found.why.startswith("unusual ")


def test_each_application_has_its_own_reference() -> None:
    assert not scores(learnt(), exchange("You can return it."))


def test_each_route_has_its_own_reference() -> None:
    assert not scores(learnt(), healthy(1, "/other"))


def test_memory_is_bounded_in_segments() -> None:
    scorer = Drift()
    for i in range(MAX_SEGMENTS + 10):
        scores(scorer, healthy(i, f"/{i}"))
    assert len(scorer._memory) == MAX_SEGMENTS


def test_a_fresh_one_starts_learning_again() -> None:
    assert not scores(learnt().fresh(), healthy(1))


def test_answers_that_are_all_equal_do_not_break_the_regression() -> None:
    reference = Reference(20)
    for _ in range(20):
        reference.learn(np.ones(QUESTION_SIZE), np.ones(ANSWER_SIZE))
    assert reference.ready
    residual = reference.residual(np.ones(QUESTION_SIZE), np.full(ANSWER_SIZE, 3.0))
    assert reference.rank(residual) > 0.9


def test_a_restart_in_the_middle_of_learning_learns_on() -> None:
    after = Drift()
    after.restore(learnt(299).snapshot())
    assert not scores(after, healthy(299))
    assert scores(after, healthy(300))


def test_a_restart_keeps_a_reference_to_the_last_digit() -> None:
    before, after = learnt(), Drift()
    after.restore(before.snapshot())
    for i in range(300, 310):
        assert scores(after, healthy(i))["output_drift"].value == scores(before, healthy(i))["output_drift"].value


def test_memories_of_something_else_are_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        Drift().restore(b"\x93nothing")
