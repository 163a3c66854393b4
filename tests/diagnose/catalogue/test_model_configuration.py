"""The faults of the layer model_configuration are told apart, and each says what to do."""

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.model_configuration import MODEL_CONFIGURATION
from holdfast.diagnose.evidence.registry import COMPOSITE_NAMES


def test_every_fault_belongs_to_the_layer_and_moves_something_that_is_measured() -> None:
    for hypothesis in MODEL_CONFIGURATION:
        assert hypothesis.layer is Layer.MODEL_CONFIGURATION
        assert hypothesis.named_composites <= set(COMPOSITE_NAMES), hypothesis.fault
        assert any(hypothesis.code(c) in ("++", "+", "--") for c in COMPOSITE_NAMES), hypothesis.fault


def test_no_two_faults_expect_the_same() -> None:
    seen = {(h.moves, h.cohort, h.changes) for h in MODEL_CONFIGURATION}
    assert len(seen) == len(MODEL_CONFIGURATION)


def test_every_action_and_meaning_is_in_words() -> None:
    for hypothesis in MODEL_CONFIGURATION:
        assert len(hypothesis.action.split()) > 3
        assert len(hypothesis.means.split()) > 3
