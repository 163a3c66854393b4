"""The faults of the layer prompt_engineering are told apart, and each says what to do."""

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.prompt_engineering import PROMPT_ENGINEERING
from holdfast.diagnose.evidence.registry import COMPOSITE_NAMES


def test_every_fault_belongs_to_the_layer_and_moves_something_that_is_measured() -> None:
    for hypothesis in PROMPT_ENGINEERING:
        assert hypothesis.layer is Layer.PROMPT_ENGINEERING
        assert hypothesis.named_composites <= set(COMPOSITE_NAMES), hypothesis.fault
        assert any(hypothesis.code(c) in ("++", "+", "--") for c in COMPOSITE_NAMES), hypothesis.fault


def test_no_two_faults_expect_the_same() -> None:
    seen = {(h.moves, h.cohort, h.changes) for h in PROMPT_ENGINEERING}
    assert len(seen) == len(PROMPT_ENGINEERING)


def test_every_action_and_meaning_is_in_words() -> None:
    for hypothesis in PROMPT_ENGINEERING:
        assert len(hypothesis.action.split()) > 3
        assert len(hypothesis.means.split()) > 3
