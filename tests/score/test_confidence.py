from math import log
from typing import Any

import pytest

from holdfast.core.call import Evaluation
from holdfast.score.confidence import Confidence
from tests.score.build import exchange, llm, scores, trace, value


def test_confidence_is_the_mean_probability_of_the_tokens() -> None:
    assert value(Confidence(), trace(llm(mean_logprob=log(0.25)))) == pytest.approx(0.75)
    assert value(Confidence(), trace(llm(mean_logprob=0.0))) == 0.0


def test_a_reported_confidence_is_second_best() -> None:
    assert value(Confidence(), trace(llm(evaluations=(Evaluation("confidence", 0.9),)))) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "fields", [{}, {"mean_logprob": 0.5}, {"evaluations": (Evaluation("confidence", 7.0), Evaluation("confidence", None))}]
)
def test_what_was_not_reported_is_unknown_and_never_certain(fields: dict[str, Any]) -> None:
    assert not scores(Confidence(), trace(llm(**fields)))
    assert not scores(Confidence(), exchange("Sure!"))
