import pytest

from holdfast.score.duplicate_answer import DuplicateAnswer
from holdfast.score.protocol import Remembering, score_of
from holdfast.score.refusal import REFUSAL, Refusal
from holdfast.score.usage import STEPS
from tests.score.build import llm


def test_a_score_carries_who_made_it_and_what_it_is_about() -> None:
    score = score_of(Refusal(), llm(), REFUSAL, 0.5, "because")
    assert (score.metric, score.scorer, score.version, score.why) == ("refusal", "refusal", Refusal().version, "because")
    assert (score.trace_id, score.span_id) == llm().key


def test_a_probability_above_one_is_one_and_a_count_stays_what_it_is() -> None:
    assert score_of(Refusal(), llm(), REFUSAL, 1.7).value == 1.0
    assert score_of(Refusal(), llm(), STEPS, 7.0).value == 7.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        score_of(Refusal(), llm(), REFUSAL, value)


def test_only_scorers_with_memories_can_be_made_fresh() -> None:
    assert isinstance(DuplicateAnswer(), Remembering)
    assert not isinstance(Refusal(), Remembering)
