"""What a user may write into the configuration, and what of it makes another version."""

from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.core.score import Family, Unit
from holdfast.score.external.specification import EndpointSpecification, HuggingFaceSpecification, JudgeSpecification, definitions

JUDGE: dict[str, Any] = {
    "kind": "judge",
    "metric": "judged_rude",
    "url": "https://example.org/v1",
    "model": "m",
    "rubric": "rude",
}


def judge(**fields: Any) -> JudgeSpecification:
    return JudgeSpecification(**(JUDGE | fields))


def test_the_least_that_a_judge_needs_is_little() -> None:
    assert (judge().sample, judge().reads, judge().usd_per_hour) == (0.05, ("question", "answer"), 1.0)


@pytest.mark.parametrize(
    "fields",
    [
        {"metric": "Not A Name"},
        {"metric": ""},
        {"url": "ftp://example.org"},
        {"url": "example.org"},
        {"rubric": ""},
        {"sample": 0},
        {"sample": 1.5},
        {"reads": []},
        {"reads": ["answer", "answer"]},
        {"reads": ["thoughts"]},
        {"harm": 4},
        {"margin": 1.0},
        {"usd_per_hour": 0},
        {"attempts": 0},
        {"api_key_env": "sk-live-1234"},
        {"api_key": "sk-live-1234"},
        {"queue": 0},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        judge(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"rubric": "very rude"},
        {"model": "m2"},
        {"url": "https://other.example/v1"},
        {"reads": ["answer"]},
        {"extra": {"seed": 1}},
    ],
    ids=str,
)
def test_what_may_change_an_answer_changes_the_version(fields: dict[str, Any]) -> None:
    assert judge(**fields).version("judge") != judge().version("judge")


@pytest.mark.parametrize(
    "fields",
    [
        {"sample": 0.5},
        {"timeout_s": 9},
        {"usd_per_hour": 5.0},
        {"queue": 9},
        {"api_key_env": "KEY"},
        {"harm": 3},
        {"margin": 2.0},
    ],
    ids=str,
)
def test_what_cannot_change_an_answer_does_not(fields: dict[str, Any]) -> None:
    assert judge(**fields).version("judge") == judge().version("judge")


def test_other_weights_are_another_version() -> None:
    plain: dict[str, Any] = {"kind": "huggingface", "metric": "x", "path": "/models/x", "failure_labels": ["bad"]}
    versions = {HuggingFaceSpecification(**plain, revision=word).version("huggingface") for word in ("", "2026-11")}
    assert len(versions) == 2


def test_the_metric_is_a_probability_of_failure_as_told() -> None:
    told = judge(family="safety", harm=3, failure_mode="rudeness", description="Is it rude", corrects="toxicity").definition(
        "mine"
    )
    assert (told.name, told.family, told.unit, told.harm) == ("judged_rude", Family.SAFETY, Unit.PROBABILITY, 3)
    assert (told.failure_mode, told.description, told.corrects) == ("rudeness", "Is it rude.", "toxicity")


def test_a_metric_without_words_gets_some() -> None:
    told = EndpointSpecification(kind="endpoint", metric="odd", url="http://localhost:9/x").definition("mine")
    assert told.failure_mode == "odd"
    assert "`mine`" in told.description


def test_definitions_are_known_without_a_model_or_a_secret() -> None:
    told = definitions({"mine": judge(api_key_env="NO_SUCH_KEY", failure_mode="rudeness")})
    assert told["judged_rude"].failure_mode == "rudeness"
