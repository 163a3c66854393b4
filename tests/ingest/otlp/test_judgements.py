from typing import Any

import pytest

from holdfast.core.call import Evaluation, Guardrail
from holdfast.core.errors import InputError
from holdfast.ingest.otlp.judgements import (
    evaluation,
    evaluations,
    feedback,
    genai_evaluation,
    guardrail,
    guardrail_of_step,
    verdict,
)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (0, Evaluation("user_feedback", 0.0)),
        (0.5, Evaluation("user_feedback", 0.5)),
        ("4", Evaluation("user_feedback", 4.0)),
        (True, Evaluation("user_feedback", 1.0)),
        ("thumbs_up", Evaluation("user_feedback", 1.0, "thumbs_up")),
        ("Thumbs-Down", Evaluation("user_feedback", 0.0, "Thumbs-Down")),
        ("👎", Evaluation("user_feedback", 0.0, "👎")),
        ("It did not help at all", Evaluation("user_feedback", None, "", "It did not help at all")),
        ({"score": 0, "comment": "wrong"}, Evaluation("user_feedback", 0.0, "", "wrong")),
        ('{"rating": 5}', Evaluation("user_feedback", 5.0)),
        ({"score": "down"}, Evaluation("user_feedback", 0.0, "down")),
        ({"thumb": "up"}, Evaluation("user_feedback", 1.0, "up")),
        ("", None),
        (None, None),
    ],
)
def test_feedback_of_any_shape_is_read(value: Any, result: Evaluation | None) -> None:
    assert feedback(value) == result


@pytest.mark.parametrize("name", ["user_feedback", "User Feedback", "thumbs", "user-rating", "human_feedback"])
def test_feedback_goes_by_one_name(name: str) -> None:
    assert evaluation(name, 1).name == "user_feedback"


def test_a_score_of_one_for_thumbs_down_is_a_bad_one() -> None:
    assert (evaluation("thumbs_down", 1).value, evaluation("thumbs_up", 1).value) == (0.0, 1.0)


@pytest.mark.parametrize("arguments", [("", 1), (None, 1), ("x", None), ("x", float("nan")), ("x", "much"), ("x", float("inf"))])
def test_an_evaluation_that_says_nothing_is_refused(arguments: tuple[Any, Any]) -> None:
    with pytest.raises(InputError):
        evaluation(*arguments)


def test_an_evaluation_that_failed_says_so_in_its_label() -> None:
    found = genai_evaluation({"gen_ai.evaluation.name": "toxicity", "error.type": "timeout"})
    assert (found.value, found.label) == (None, "timeout")


def test_good_evaluations_of_a_list_are_kept_beside_bad_ones() -> None:
    tree = {"0": {"evaluation": {"name": "a", "score": 1}}, "1": {"evaluation": {"score": 1}}, "2": 7}
    good, wrong = evaluations(tree, "evaluation")
    assert ([e.name for e in good], wrong) == (["a"], ["evaluation has no name"])


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("PASSED", "allow"),
        ("guardrail_intervened", "deny"),
        ("redacted", "modify"),
        ("warning", "warn"),
        ("needs review", "escalate"),
        ("timeout", "error"),
        (True, "allow"),
        (False, "deny"),
        ({"passed": False}, "deny"),
        ({"tripwire_triggered": True}, "deny"),
        ({"flagged": False, "safe": True}, "allow"),
        ({"output": {"decision": "block"}}, "deny"),
        ({"categories": {"hate": 0.1}}, None),
        ("Where is my parcel?", None),
        (7, None),
        (None, None),
    ],
)
def test_a_verdict_is_one_of_six_or_none(value: Any, result: str | None) -> None:
    assert verdict(value) == result


def test_verdict_and_action_are_two_things() -> None:
    found = {"name": "pii", "verdict": "warn", "action": "logged", "risk": {"score": 0.4}}
    assert guardrail(found, "x") == Guardrail("pii", "warn", "logged", 0.4)


def test_attributes_without_a_verdict_give_none() -> None:
    assert guardrail({"name": "pii"}, "x") is None
    assert guardrail({"triggered": True}, "x") == Guardrail("x", "deny")


def test_a_step_with_nothing_to_compare_has_no_verdict() -> None:
    assert guardrail_of_step("x", "", "some text", "some text", failed=False) is None


def test_a_failed_step_is_an_error_whatever_it_wrote() -> None:
    assert guardrail_of_step("x", "a", "pass", "pass", failed=True) == Guardrail("x", "error")
