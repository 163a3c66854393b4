import pytest

from holdfast.core.call import Evaluation
from holdfast.core.score import Direction
from holdfast.score.feedback import Feedback, evaluation_metric, slug
from tests.score.build import exchange, llm, scores, trace


def judged(name: str, value: float | None = None, label: str = "") -> dict[str, float]:
    return {m: s.value for m, s in scores(Feedback(), trace(llm(evaluations=(Evaluation(name, value, label),)))).items()}


@pytest.mark.parametrize(
    ("value", "label", "unhappy"),
    [
        (1.0, "", 0.0),
        (0.0, "", 1.0),
        (-1.0, "", 1.0),
        (None, "thumbs_down", 1.0),
        (None, "Thumbs Up", 0.0),
        (0.0, "negative", 1.0),
        (0.25, "", 0.75),
        (5.0, "", 0.0),
        (3.0, "", 0.5),
    ],
)
def test_feedback_of_any_scale_becomes_unhappiness(value: float | None, label: str, unhappy: float) -> None:
    assert judged("user_feedback", value, label) == {"negative_feedback": pytest.approx(unhappy)}


def test_one_star_is_the_worst() -> None:
    assert judged("stars", 1.0) == {"negative_feedback": 1.0}


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_feedback_that_says_nothing_is_left_out(value: float | None) -> None:
    assert judged("user_feedback", value, "whatever") == {}
    assert judged("faithfulness", value) == {}


@pytest.mark.parametrize(
    ("name", "value", "label", "risk"),
    [
        ("faithfulness", 0.9, "", 0.1),
        ("Groundedness", 5.0, "", 0.0),
        ("answerRelevancy", 1.0, "", 0.0),
        ("hallucination", 0.9, "", 0.9),
        ("toxicity", 0.2, "", 0.2),
        ("hallucination", None, "hallucinated", 1.0),
        ("hallucination", None, "factual", 0.0),
        ("correctness", None, "incorrect", 1.0),
        ("qa_correctness", 80.0, "", 0.2),
    ],
)
def test_an_evaluation_becomes_the_probability_of_a_failure(name: str, value: float | None, label: str, risk: float) -> None:
    assert judged(name, value, label) == {f"evaluation.{slug(name)}": pytest.approx(risk)}


def test_an_evaluation_of_unknown_direction_is_information() -> None:
    assert judged("tone of voice", 0.7) == {"evaluation.tone_of_voice": pytest.approx(0.7)}
    assert evaluation_metric("tone_of_voice").direction is Direction.INFORMATION
    assert evaluation_metric("faithfulness").direction is Direction.UP_IS_WORSE


@pytest.mark.parametrize(
    ("name", "expected"), [("", "unnamed"), ("***", "unnamed"), ("Answer Relevancy", "answer_relevancy"), ("x" * 500, "x" * 64)]
)
def test_a_name_becomes_a_short_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_flood_of_evaluations_is_not_read_whole() -> None:
    many = tuple(Evaluation(f"e{i}", 0.5) for i in range(500))
    assert len(list(Feedback().score(trace(llm(evaluations=many))))) == 100


def test_without_evaluations_it_does_not_apply() -> None:
    assert not scores(Feedback(), exchange("hi"))
