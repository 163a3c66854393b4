import pytest

from holdfast.score.model_mismatch import ModelMismatch
from tests.score.build import llm, scores, trace, value


@pytest.mark.parametrize(
    ("asked", "answered"), [("gpt-4o", "gpt-4o"), ("gpt-4o", "gpt-4o-2024-08-06"), ("openai/gpt-4o", "gpt-4o")]
)
def test_a_release_of_the_model_that_was_asked_is_fine(asked: str, answered: str) -> None:
    assert value(ModelMismatch(), trace(llm(request_model=asked, response_model=answered))) == 0.0


@pytest.mark.parametrize(
    ("asked", "answered"), [("gpt-4o", "gpt-4o-mini"), ("claude-sonnet-4", "claude-3-haiku-20240307"), ("gpt-4", "gpt-4.1")]
)
def test_another_model_is_a_mismatch_that_names_both(asked: str, answered: str) -> None:
    found = scores(ModelMismatch(), trace(llm(request_model=asked, response_model=answered)))["model_mismatch"]
    assert found.value == 1.0
    assert found.why == f"asked {asked}, answered {answered}"


@pytest.mark.parametrize(("asked", "answered"), [("gpt-4o", ""), ("", "gpt-4o"), ("", "")])
def test_with_one_name_alone_it_does_not_apply(asked: str, answered: str) -> None:
    assert not scores(ModelMismatch(), trace(llm(request_model=asked, response_model=answered)))
