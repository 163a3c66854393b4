import numpy as np
import pytest

from holdfast.score.drift_features import ANSWER_SIZE, QUESTION_SIZE, STYLE_NAMES, answer_features, question_features
from holdfast.score.reading import reading_of
from tests.score.build import ANSWER, QUESTION, exchange


@pytest.mark.parametrize("text", [ANSWER, "x", "東京までの配達", "a " * 5000, "😊 ok", "1 2 3"])
def test_features_are_finite_and_of_one_length(text: str) -> None:
    reading = reading_of(exchange(text, text))
    answer, question = answer_features(reading), question_features(reading)
    assert answer.shape == (ANSWER_SIZE,) == (len(STYLE_NAMES),)
    assert question.shape == (QUESTION_SIZE,)
    assert np.isfinite(answer).all()
    assert np.isfinite(question).all()


def test_style_shows_and_topic_does_not() -> None:
    plain = answer_features(reading_of(exchange("You can send it back within the month.")))
    topic = answer_features(reading_of(exchange("You can pick it up within the week.")))
    shouted = answer_features(reading_of(exchange("SEND IT BACK!!! - now\n- please\n- today")))
    assert np.linalg.norm(plain - topic) < np.linalg.norm(plain - shouted)


def test_the_first_question_feature_is_the_constant_of_the_regression() -> None:
    assert question_features(reading_of(exchange(ANSWER, QUESTION)))[0] == 1.0
