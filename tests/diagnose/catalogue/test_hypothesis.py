"""Expectations are proper probabilities."""

from dataclasses import replace

import numpy as np
import pytest

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.hypothesis import CODES, Hypothesis, spread

ONE = Hypothesis("x", Layer.INPUT_DATA, "grounding:++ refusal:-", "route:3 none:1", "index:2", "act on {suspect} now", "it broke")


@pytest.mark.parametrize("code", CODES)
def test_the_bins_of_a_code_are_a_distribution_without_zeros(code: str) -> None:
    np.testing.assert_allclose(sum(CODES[code]), 1.0)
    assert min(CODES[code]) > 0


def test_what_a_fault_does_not_name_is_background_or_rare() -> None:
    assert ONE.code("grounding") == "++"
    assert ONE.code("relevance") == "background"
    assert ONE.code("template") == "rare"
    assert ONE.code("feedback") == "~"


@pytest.mark.parametrize(
    ("moves", "code"),
    [
        ("grounding:+", "~"),
        ("toxicity:++", "~"),
        ("grounding:++ block:--", "--"),
        ("sensitive:~", "rare"),
        ("tool_error:++", "rare"),
    ],
    ids=["watched", "plainly watched", "says itself", "hardly moves", "not watched"],
)
def test_guards_that_work_block_what_a_fault_made_bad_if_they_watch_for_it(moves: str, code: str) -> None:
    assert Hypothesis("x", Layer.INPUT_DATA, moves, "", "", "act on {suspect} now", "it broke").code("block") == code


@pytest.mark.parametrize("composite", ["tool_error", "tool_arguments", "error"])
@pytest.mark.parametrize(
    ("moves", "code"), [("format:+", "~"), ("format:++", "~"), ("format:~", "rare"), ("grounding:++", "rare")]
)
def test_a_consumer_that_refuses_what_is_broken_is_a_sign_of_what_broke_it(composite: str, moves: str, code: str) -> None:
    fault = Hypothesis("x", Layer.INPUT_DATA, moves, "", "", "act on {suspect} now", "it broke")
    assert fault.code(composite) == code


def test_weights_become_probabilities_with_a_floor() -> None:
    assert ONE.cohort_weights == {"route": 3.0, "none": 1.0}
    found = spread(ONE.cohort_weights, ("route", "tool", "none"), 0.02)
    np.testing.assert_allclose(found.sum(), 1.0)
    np.testing.assert_allclose(found[1], 0.02)
    np.testing.assert_allclose(spread({}, ("a", "b"), 0.1), [0.5, 0.5])


@pytest.mark.parametrize(("moves", "code"), [("grounding:++", "never"), ("format:+", "background"), ("tampered:+", "+")])
def test_no_fault_before_the_model_has_answered_changes_the_answer_after_it(moves: str, code: str) -> None:
    assert replace(ONE, moves=moves).code("tampered") == code
